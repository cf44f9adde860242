/* What a query needs of the sources. */
#include "collect/plan.h"

struct query plan_query(const struct query *query, bool *ret_filters_early)
{
	struct query plan = *query;
	struct bounds own = filter_bounds(query->filter);

	plan.bounds.protos &= own.protos;
	plan.bounds.families &= own.families;
	plan.bounds.states &= own.states;
	if (own.port_first > plan.bounds.port_first)
		plan.bounds.port_first = own.port_first;
	if (own.port_last < plan.bounds.port_last)
		plan.bounds.port_last = own.port_last;
	plan.needs |= filter_needs(query->filter);

	if (!(plan.bounds.states & STATES_CONNECTED))
		plan.needs &= ~(uint32_t)(NEED_ROLE | NEED_PEERS);
	if (plan.needs & NEED_TCP_INFO) /* which has them */
		plan.needs |= NEED_RATE;
	*ret_filters_early = !(plan.needs & (NEED_ROLE | NEED_PEERS));

	if (plan.needs & NEED_ROLE)
		plan.bounds.states |= 1u << STATE_LISTEN;
	if (plan.needs & NEED_PEERS) {
		plan.bounds.states |= STATES_CONNECTED;
		plan.bounds.either_end = true;
	}
	if (plan.needs & (NEED_ROLE | NEED_PEERS))
		plan.bounds.families =
			BOUNDS_ALL.families; /* a dual-stack listener, a mapped address */
	if (plan.needs & NEED_ANSWERS)	     /* whose address a proxy sends to */
		plan.needs |= NEED_ADDRESSES;
	if (plan.needs & (NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_RUNS | NEED_CWD | NEED_UID |
			  NEED_CGROUP | NEED_PARENTS | NEED_ANSWERS))
		plan.needs |= NEED_HOLDERS;
	return plan;
}

bool plan_prefers_bpf(uint64_t n_descriptors)
{
	return n_descriptors >= PLAN_DESCRIPTORS_ENOUGH;
}
