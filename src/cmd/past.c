/* What was, before what is. */
#include <poll.h>

#include "cmd/archive.h"
#include "cmd/past.h"

/* A recorder's events are to be seen by a reader within 250 ms (docs/history.md). */
#define VISIBLE_MS 400

bool past_is_recorded(const struct context *context)
{
	struct history_status status;
	const struct archived *archived = context->archived;
	return archived->history->status(archived->archive, &status, NULL) >= 0 && status.recorder;
}

/* Nobody recorded from @since_ns until the start. */
static int tell_gap(struct watching *watching, uint64_t since_ns)
{
	const struct event *started = &watching->started;
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
	return watching->sink.event(&watching->sink, &gap);
}

int past_tell(struct watching *watching, uint64_t since_ns, struct error *err)
{
	const struct archived *archived = watching->context->archived;
	const struct stop *stop = watching->context->stop;
	struct pollfd stopped = {.fd = stop ? stop->fd : -1, .events = POLLIN};
	struct history_status status = {0};
	if (watching->has_record)
		poll(&stopped, 1, VISIBLE_MS);
	const struct recall recall = {.filter = watching->filter,
				      .since_ns = since_ns,
				      .now_ns = watching->started.time_ns,
				      .is_all_states = true};
	int r = archived->history->replay(archived->archive, &recall, watching->started.uptime_ns,
					  &watching->sink, err);
	if (r < 0 || watching->has_record)
		return r;
	if (archived->history->status(archived->archive, &status, NULL) < 0)
		return 0;
	uint64_t known_ns = status.alive_ns > since_ns ? status.alive_ns : since_ns;
	return tell_gap(watching, known_ns);
}
