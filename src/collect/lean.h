/* One snapshot after another in the memory of little more than one. */
#ifndef COLLECT_LEAN_H
#define COLLECT_LEAN_H

#include "collect/collect.h"

struct lean {
	const struct snapshot *older;  /* what the newer is compared with (struct since); NULL */
	double least_seconds;	       /* of a rate (difference_keep_rates) */
	void (*make_room)(void *data); /* gives the older up, before the newer is unpacked */
	void *data;
};

/* As collect_snapshot. NEED_TCP_INFO is not met, NEED_RATE is (snapshot->counts). */
int collect_lean(struct host *host, const struct query *query, const struct lean *lean,
		 struct snapshot **ret, struct error *err);

#endif
