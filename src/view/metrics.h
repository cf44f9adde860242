/* A snapshot as OpenMetrics text, for who measures a host: how many, not who. The number of series
 * is bounded, whatever the host has. */
#ifndef VIEW_METRICS_H
#define VIEW_METRICS_H

#include "base/out.h"
#include "model/snapshot.h"
#include "model/statistics.h"

#define METRICS_LISTENERS_MAX 500   /* series by port; beyond it the others are one, port "other" */
#define METRICS_DESTINATIONS_MAX 50 /* those with the most connections; the others are one */

struct metrics {
	const struct snapshot *snapshot;
	const struct statistics *statistics; /* of the namespace we run in; may be NULL */
	double seconds;			     /* that the snapshot took */
	uint64_t n_wrong_tokens, n_strangers, n_refused; /* of serve itself */
};

/* 0 or -ENOMEM. */
int metrics_print(struct out *out, const struct metrics *metrics);

#endif
