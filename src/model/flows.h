/* How much goes over each TCP connection of a snapshot. Over most goes nothing: those cost a bit.
 */
#ifndef MODEL_FLOWS_H
#define MODEL_FLOWS_H

#include "base/vector.h"
#include "model/counts.h"

/* Bytes a second since the snapshot before. */
struct rate {
	uint64_t in, out; /* received; sent and acknowledged; RATE_UNKNOWN: it cannot be known */
};
#define RATE_UNKNOWN UINT64_MAX

struct flows;

struct flows *flows_new(uint32_t n_sockets); /* NULL: no memory */
void flows_free(struct flows *flows);	     /* NULL is fine */
size_t flows_size(const struct flows *flows);

/* In the order of sockets; those that are left out are not known. 0 or -ENOMEM. */
int flows_put(struct flows *flows, uint32_t socket, const struct rate *rate);
struct rate flows_get(const struct flows *flows, uint32_t socket); /* of NULL nothing is known */
/* The same; false: it is not known. */
bool flows_find(const struct flows *flows, uint32_t socket, struct rate *ret);

/* From what there was and is, @seconds later. False: it is another connection's, or no time. */
bool rate_between(const struct byte_counts *was, const struct byte_counts *is, double seconds,
		  struct rate *ret);

#endif
