/* Doors that are open although no socket of the table has them: who answers there is looked up. */
#ifndef SCAN_ELSEWHERE_H
#define SCAN_ELSEWHERE_H

#include "model/scan.h"
#include "source/host.h"

/* After compare_answers with the same snapshot. @seen_from (struct found_netns): the places that
 * the results were seen from. Needs the rights of looking; what cannot be found out keeps its
 * detail. */
void elsewhere_find(struct host *host, const struct snapshot *snapshot,
		    const struct vector *seen_from, struct scan *scan);

#endif
