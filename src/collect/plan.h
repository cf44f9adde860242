/* What a query needs of the sources, before any is asked. Pure. */
#ifndef COLLECT_PLAN_H
#define COLLECT_PLAN_H

#include "model/query.h"

#define STATES_CONNECTED (STATES_ALL & ~(STATES_OPEN | 1u << STATE_BOUND))

/* The query as the sources get it: needs that nothing in its bounds can have are gone, bounds are
 * widened by what roles and peers are worked out from. *@ret_filters_early: a socket that cannot
 * match the filter need not be kept. */
struct query plan_query(const struct query *query, bool *ret_filters_early);

/* The task_file pass costs 2 to 4 ms to load and start, a descriptor of the /proc walk 3 to 5 us:
 * is the pass the faster way for @n_descriptors? Where the host keeps its programs it always is. */
bool plan_prefers_bpf(uint64_t n_descriptors);

/* So many descriptors decide it; counting further is in vain. */
#define PLAN_DESCRIPTORS_ENOUGH 1200

/* So many processes decide it too. */
#define PLAN_PROCESSES_ENOUGH 150

#endif
