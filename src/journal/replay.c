/* What was, before what is. */
#include <poll.h>

#include "journal/replay.h"

/* A recorder's events are to be seen by a reader within 250 ms (docs/history.md). */
#define VISIBLE_MS 400

bool replay_is_recorded(const struct record_of *of)
{
	struct history_status status;
	return of->history && of->history->status(of->archive, &status, NULL) >= 0 &&
	       status.recorder;
}

/* Nobody recorded from @since_ns until the start. */
static int tell_gap(const struct event *started, uint64_t since_ns, struct event_sink *sink)
{
	const struct event gap = {
		.time_ns = started->time_ns,
		.uptime_ns = started->uptime_ns,
		.duration_ns = started->time_ns > since_ns ? started->time_ns - since_ns : 0,
		.bytes_sent = EVENT_UNKNOWN,
		.bytes_received = EVENT_UNKNOWN,
		.kind = EVENT_GAP,
		.told_by = started->told_by,
		.why = "no recorder runs",
		.socket = NONE,
		.by = NONE,
		.in_the_way = NONE,
	};
	return sink->event(sink, &gap);
}

int replay_before(const struct replay_wish *wish, struct event_sink *sink, struct error *err)
{
	const struct history *history = wish->of.history;
	const struct stop *stop = wish->stop;
	struct pollfd stopped = {.fd = stop ? stop->fd : -1, .events = POLLIN};
	struct history_status status = {0};
	if (wish->is_recorded)
		poll(&stopped, 1, VISIBLE_MS);
	const struct recall recall = {.filter = wish->filter,
				      .since_ns = wish->since_ns,
				      .now_ns = wish->started->time_ns,
				      .is_all_states = true};
	int r = history->replay(wish->of.archive, &recall, wish->started->uptime_ns, sink, err);
	if (r < 0 || wish->is_recorded)
		return r;
	if (history->status(wish->of.archive, &status, NULL) < 0)
		return 0;
	return tell_gap(wish->started,
			status.alive_ns > wish->since_ns ? status.alive_ns : wish->since_ns, sink);
}

uint64_t replay_since(const struct record_of *of, uint64_t since_ns, uint64_t until_ns,
		      uint32_t most)
{
	struct remembered newest;
	const struct recall recall = {
		.since_ns = since_ns, .until_ns = until_ns, .limit = most, .now_ns = until_ns};
	remembered_init(&newest);
	int r = of->history->intervals(of->archive, &recall, &newest, NULL);
	if (r >= 0 && newest.is_cut && newest.intervals.n) {
		const struct interval *oldest =
			vector_at(&newest.intervals, newest.intervals.n - 1);
		if (oldest->opened_ns > since_ns)
			since_ns = oldest->opened_ns;
	}
	remembered_done(&newest);
	return since_ns;
}
