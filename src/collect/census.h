/* Many processes told of in one pass, in place of some files of /proc for each. */
#ifndef COLLECT_CENSUS_H
#define COLLECT_CENSUS_H

#include "collect/join.h"

struct census {
	uint64_t *groups; /* by process index: equal for those in the same control groups; 0 unknown
			   */
	struct table by_groups;
};

/* Is it the way for @n processes? Where a caller may not read others' links in /proc, for one too.
 */
bool census_is_worth(const struct host *host, const struct query *query, uint32_t n);

/* Fills what @needs asks of the processes that are known to the join, and sets their KNOWN_ bits;
 * what it could not tell is left to process_read(). 0 or negative errno with @err told; @census is
 * to be done with in either case. */
int census_take(struct host *host, struct join *join, uint32_t needs, struct census *census,
		struct error *err);
void census_done(struct census *census);

/* A process that was asked for before and is in the same control groups as @index, or NONE. */
uint32_t census_same_groups(struct census *census, uint32_t index);

#endif
