/* In which order a silent port is asked. Pure. */
#ifndef SCAN_IDENTIFY_ORDER_H
#define SCAN_IDENTIFY_ORDER_H

#include "scan/identify.h"
#include "scan/identify/protocol.h"

/* Those that have a hello and may be asked at @place, the likely ones first; @tls: it, too;
 * @excluded: these not. Returns how many. @to has PROTOCOLS_MAX. */
unsigned order_questions(const struct protocol *to[], const struct identify_target *target,
			 const struct place *place, bool tls, uint64_t excluded);

/* Of @order those whose bits are in @silent, at most @most. */
unsigned order_patient(const struct protocol *order[], unsigned n, uint64_t silent, unsigned most);

#endif
