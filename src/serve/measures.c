/* Rates, the picture of who talks to whom, and metrics. */
#include <errno.h>

#include "serve/graph.h"
#include "serve/state.h"
#include "source/statistics.h"
#include "view/metrics.h"

/* Takes back what was written of a reply that failed. */
static void fail(struct desk *desk, size_t began, uint32_t id, int r, const struct error *err)
{
	desk->out.n = began;
	reply_error(desk, id, r == -EINVAL ? 400 : 500, err);
}

void answer_rates(struct desk *desk, const struct request *request)
{
	struct error err = {0};
	size_t began = reply_begin(desk, request->id, REPLY_JSON, 200);
	int r = rates_answer(&desk->rates, request, desk->settings->services, &desk->out, &err);
	if (r < 0)
		fail(desk, began, request->id, r, &err);
	else
		reply_end(desk, began, true);
}

void answer_graph(struct desk *desk, const struct request *request)
{
	struct error err = {0};
	cleanup(filterp) struct filter *filter = NULL;
	int r = filter_parse(request->wish.filter, desk->settings->services, &filter, &err);
	if (r < 0) {
		reply_error(desk, request->id, 400, &err);
		return;
	}
	const struct snapshot *snapshot = moment_snapshot(desk, request->wish.moment_ms);
	if (!snapshot) {
		reply_error(desk, request->id, 503,
			    &(struct error){.what = "nothing was collected yet",
					    .hint = "open a stream first"});
		return;
	}
	size_t began = reply_begin(desk, request->id, REPLY_JSON, 200);
	r = graph_print(&desk->out, snapshot, filter);
	if (r < 0) {
		error_set(&err, r, "draw who talks to whom");
		fail(desk, began, request->id, r, &err);
		return;
	}
	reply_end(desk, began, true);
}

void answer_metrics(struct desk *desk, const struct request *request,
		    const struct snapshot *snapshot, double seconds)
{
	struct error err = {0};
	struct statistics statistics;
	statistics_init(&statistics);
	bool has_statistics = statistics_read_more(desk->settings->host, &statistics, NULL) >= 0;
	const struct metrics metrics = {.snapshot = snapshot,
					.statistics = has_statistics ? &statistics : NULL,
					.seconds = seconds,
					.n_wrong_tokens = request->number,
					.n_strangers = request->of,
					.n_refused = request->netns};
	size_t began = reply_begin(desk, request->id, REPLY_METRICS, 200);
	int r = metrics_print(&desk->out, &metrics);
	statistics_done(&statistics);
	if (r < 0) {
		error_set(&err, r, "count");
		fail(desk, began, request->id, r, &err);
		return;
	}
	reply_end(desk, began, true);
}
