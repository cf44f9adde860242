/* A watch while it runs. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/event-environment.h"
#include "cmd/past.h"
#include "cmd/watching.h"
#include "view/summary.h"

#define TURN_MS 1000 /* the longest without a look at the clock */

static void say(const struct watching *watching, const char *format, unsigned long long number)
{
	char text[192];
	snprintf(text, sizeof(text), format, number);
	dprintf(STDERR_FILENO, "%s: watch: %s\n", watching->context->program, text);
}

/* ---- lines ---- */

static void put_line(struct watching *watching, const struct event *event,
		     const struct vector *missing)
{
	struct out *out = watching->is_told ? &watching->outlet.out : &watching->early;
	if (watching->is_json)
		line_json(watching->line, out, event, missing);
	else
		line_text(watching->line, out, event);
	if (watching->is_told && watching->outlet.out.n - watching->outlet.at >= OUTLET_ENOUGH)
		watching->error = outlet_push(&watching->outlet);
}

/* Once the reader reads again it is told what it missed. */
static void tell_unread(struct watching *watching)
{
	struct timespec now, since_boot;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	const struct event event = {
		.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
		.uptime_ns =
			(uint64_t)since_boot.tv_sec * 1000000000u + (uint64_t)since_boot.tv_nsec,
		.duration_ns = EVENT_UNKNOWN,
		.bytes_sent = EVENT_UNKNOWN,
		.bytes_received = EVENT_UNKNOWN,
		.count = watching->n_unread,
		.kind = EVENT_LOST,
		.told_by = watching->started.told_by,
		.why = "the reader of these lines was too slow",
		.socket = NONE,
		.by = NONE,
		.in_the_way = NONE,
	};
	watching->n_unread = 0;
	put_line(watching, &event, NULL);
}

static void show(struct watching *watching, const struct event *event)
{
	if (watching->summary) {
		summary_event(watching->summary, event);
		return;
	}
	if (!outlet_has_room(&watching->outlet)) {
		watching->error = outlet_push(&watching->outlet);
		if (watching->error < 0)
			return;
	}
	if (!outlet_has_room(&watching->outlet)) {
		watching->n_unread += event->kind == EVENT_LOST ? event->count : 1;
		return;
	}
	if (watching->n_unread)
		tell_unread(watching);
	put_line(watching, event, NULL);
}

/* ---- commands and notifications ---- */

static void start_command(struct watching *watching, const struct event *event)
{
	struct out *out = &watching->scratch;
	out->n = 0;
	event_environment(out, event);
	size_t n = out->n < STARTER_ENVIRONMENT_MAX ? out->n : STARTER_ENVIRONMENT_MAX;
	int r = starter_start(watching->starter, out->data, n);
	if (r == 1 && !watching->n_commands_left_out++)
		say(watching,
		    "%llu commands run already: what happens meanwhile starts none, and is counted",
		    STARTER_MOST);
}

static void notify(struct watching *watching, const struct event *event)
{
	char title[64];
	struct out *out = &watching->scratch;
	snprintf(title, sizeof(title), "Doorward: %s",
		 watching->on == WATCH_ON_FIRST_SEEN ? "a new door"
		 : watching->on == WATCH_ON_PUBLIC   ? "a door turned public"
						     : event_words[event->kind]);
	out->n = 0;
	line_text(watching->line, out, event);
	out->n -= out->n > 0; /* the newline */
	out_char(out, '\0');
	if (!out->error)
		notifier_show(watching->notifier, title, out->data);
}

static bool is_occasion(const struct watching *watching, unsigned news)
{
	if (watching->on == WATCH_ON_EVENT)
		return true;
	return news & (watching->on == WATCH_ON_PUBLIC ? NOVELTY_PUBLIC : NOVELTY_FIRST_SEEN);
}

static void act(struct watching *watching, const struct event *event, unsigned news)
{
	if (!is_occasion(watching, news))
		return;
	if (watching->starter)
		start_command(watching, event);
	if (watching->notifier)
		notify(watching, event);
}

/* ---- the stream ---- */

static int watch_event(struct event_sink *sink, const struct event *event)
{
	struct watching *watching = (struct watching *)sink;
	if (event->kind == EVENT_STARTED) {
		watching->started = *event;
		return 0;
	}
	if (watching->has_record && !watching->is_past && !event_is_of_watching(event) &&
	    event->uptime_ns <= watching->started.uptime_ns)
		return 0;
	unsigned news = watching->novelty ? novelty_event(watching->novelty, event) : 0;
	if (event->kind == EVENT_STANDING)
		return 0;
	if (event_is_of_watching(event)) {
		show(watching, event);
		return watching->error;
	}
	if (!filter_match_event(watching->filter, event))
		return 0;
	show(watching, event);
	if (!watching->is_past)
		act(watching, event, news);
	watching->n_told++;
	if (watching->count_most && watching->n_told >= watching->count_most)
		return -ECANCELED; /* enough: no failure */
	return watching->error;
}

int watching_begin(struct watching *watching, struct error *err)
{
	const struct context *context = watching->context;
	watching->sink.event = watch_event;
	const struct line_style style = {.columns = context->columns,
					 .has_colour = context->has_colour,
					 .is_utf8 = context->is_utf8};
	int r = outlet_init(&watching->outlet, STDOUT_FILENO);
	if (r >= 0)
		r = out_init(&watching->scratch, -1);
	if (r >= 0)
		r = out_init(&watching->early, -1);
	watching->line = line_new(&style);
	if (watching->is_summary)
		watching->summary = summary_new();
	if (watching->on != WATCH_ON_EVENT)
		watching->novelty = novelty_new();
	if (r < 0 || !watching->line || (watching->is_summary && !watching->summary) ||
	    (watching->on != WATCH_ON_EVENT && !watching->novelty))
		return error_set(err, -ENOMEM, "watch");
	signal(SIGPIPE, SIG_IGN);
	watching->context->ends_by_stop = true;
	return 0;
}

void watching_done(struct watching *watching)
{
	outlet_done(&watching->outlet);
	out_done(&watching->scratch);
	out_done(&watching->early);
	line_free(watching->line);
	novelty_free(watching->novelty);
	summary_free(watching->summary);
}

/* Every source is attached: the first line. */
static int tell_started(struct watching *watching, const struct watch_source *source,
			struct error *err)
{
	struct snapshot *snapshot = snapshot_new();
	if (!snapshot)
		return error_set(err, -ENOMEM, "watch");
	snapshot->host = source->host;
	snapshot->boot_id = source->boot_id;
	watching->started.snapshot = snapshot;
	watching->is_told = true;
	if (!watching->summary || watching->is_json)
		put_line(watching, &watching->started, source->missing);
	watching->started.snapshot = NULL;
	snapshot_free(snapshot);
	int r = 0;
	if (source->since_ns) {
		watching->is_past = true;
		r = past_tell(watching, source->since_ns, err);
		watching->is_past = false;
	}
	out_bytes(&watching->outlet.out, watching->early.data, watching->early.n);
	watching->early.n = 0;
	return r;
}

/* Milliseconds until the time is over, at most TURN_MS; 0: it is. */
static int time_left(const struct watching *watching)
{
	uint64_t gone = clock_ms() - watching->began_ms;
	if (watching->for_ms == WATCH_WITHOUT_END)
		return TURN_MS;
	if (gone >= watching->for_ms)
		return 0;
	return watching->for_ms - gone < TURN_MS ? (int)(watching->for_ms - gone) : TURN_MS;
}

/* Until there is something to do. */
static void wait_for(struct watching *watching, const struct watch_source *source, int timeout)
{
	const struct outlet *outlet = &watching->outlet;
	const struct stop *stop = watching->context->stop;
	struct pollfd ready[] = {
		{.fd = source->fd, .events = POLLIN},
		{.fd = stop ? stop->fd : -1, .events = POLLIN},
		/* without events it still says that the reader has gone */
		{.fd = outlet->is_quick ? -1 : outlet->fd,
		 .events = outlet_is_empty(outlet) ? 0 : POLLOUT},
	};
	if (poll(ready, 3, timeout) > 0 && ready[2].revents & (POLLERR | POLLNVAL))
		watching->error = -EPIPE;
}

static int turns(struct watching *watching, const struct watch_source *source, struct error *err)
{
	const struct stop *stop = watching->context->stop;
	bool is_last = false;
	int r = 0;
	while (r >= 0 && !watching->error && !is_last) {
		int left = time_left(watching);
		if (left && !stop_wanted(stop))
			wait_for(watching, source, left);
		if (watching->error)
			break;
		is_last = !left || stop_wanted(stop); /* what came before the end is told */
		r = source->turn(source->data, is_last, is_last ? NULL : stop, err);
		if (r >= 0 && !watching->error)
			watching->error = outlet_push(&watching->outlet);
	}
	return r;
}

/* What there is to say behind the last line. */
static void tell_end(struct watching *watching)
{
	uint64_t seconds = (clock_ms() - watching->began_ms + 500) / 1000;
	if (watching->summary && watching->is_json)
		summary_json(&watching->outlet.out, watching->summary, seconds);
	else if (watching->summary)
		summary_text(&watching->outlet.out, watching->summary, seconds);
}

/* What waits for a reader that takes nothing any more is not read either. */
static int finish(struct watching *watching)
{
	struct outlet *outlet = &watching->outlet;
	uint64_t n_unread = watching->n_unread;
	if (n_unread && outlet_has_room(outlet))
		tell_unread(watching);
	bool is_lost_told = n_unread && !watching->n_unread;
	tell_end(watching);
	int r = outlet_finish(outlet, watching->context->stop);
	uint64_t left = r < 0 ? 0 : outlet_lines_left(outlet);
	if (left && is_lost_told) /* that line is one of them */
		watching->n_unread = n_unread - 1;
	watching->n_unread += left;
	return r;
}

static void tell_counts(struct watching *watching)
{
	if (watching->n_unread)
		say(watching, "%llu events were not read", watching->n_unread);
	if (watching->starter && watching->starter->n_left_out)
		say(watching, "%llu events started no command: too many ran already",
		    watching->starter->n_left_out);
	if (watching->starter && watching->starter->n_failed)
		say(watching, "%llu commands could not be started", watching->starter->n_failed);
	if (watching->notifier && watching->notifier->n_left_out)
		say(watching, "%llu notifications were left out: the desktop was too slow",
		    watching->notifier->n_left_out);
}

int watching_run(struct watching *watching, const struct watch_source *source, struct error *err)
{
	watching->began_ms = clock_ms(); /* however long it took until all was attached */
	int r = tell_started(watching, source, err);
	if (r >= 0 && !watching->error)
		watching->error = outlet_push(&watching->outlet);
	if (r >= 0)
		r = turns(watching, source, err);
	if (r == -ECANCELED || (watching->error && r == watching->error))
		r = 0;
	if (r >= 0 && !watching->error)
		watching->error = finish(watching);
	tell_counts(watching);
	if (r >= 0 && watching->error && watching->error != -EPIPE)
		return error_set(err, watching->error, "write the output");
	return r;
}
