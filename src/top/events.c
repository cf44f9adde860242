/* The tab of events: what happened to sockets, the newest at the end. */
#include <string.h>
#include <time.h>

#include "base/format.h"
#include "source/zone.h"
#include "top/events.h"
#include "view/line.h"

/* ---- where they come from ---- */

const char *tab_why_not(const struct top *top, unsigned tab)
{
	return tabs[tab].is_events && !top->journal ? "a saved file is shown, not this host" : NULL;
}

void events_watch(struct top *top)
{
	if (top->journal)
		journal_watch(top->journal,
			      tabs[top->tab].is_events && !top->is_paused && !top->walked);
	if (tabs[top->tab].is_events)
		walk_want_events(top);
}

const struct snapshot *events_shown(const struct top *top)
{
	return top->walk.recalled.snapshot ? top->walk.recalled.events : top->events;
}

void events_take(struct top *top)
{
	const struct snapshot *taken = journal_take(top->journal);
	journal_state(top->journal, &top->journal_state);
	top->is_dirty = true;
	if (!taken || taken == top->events || top->is_paused || top->walked) {
		snapshot_release(taken);
		return;
	}
	snapshot_release(top->events);
	top->events = taken;
	if (tabs[top->tab].is_events)
		top_show(top);
}

/* ---- what is told of them ---- */

const char *events_empty(const struct top *top)
{
	const struct journal_state *state = &top->journal_state;
	if (state->is_failed)
		return state->error.what;
	bool is_there = events_shown(top),
	     is_in_memory = top->walked && !top->walk.recalled.snapshot;
	if (!is_there && is_in_memory)
		return "nobody watched events then; Esc: now";
	if (!is_there && top->is_paused && !top->walked)
		return "nobody watches events while it is paused; Space: go on";
	if (!is_there || !top_has_arrangement(top))
		return top->walked ? "looking into the record..." : "attaching...";
	return top->filter[0] ? "nothing matches the filter" : "nothing has happened yet";
}

void events_info(const struct top *top, struct out *out)
{
	const struct journal_state *state = &top->journal_state;
	const struct arrangement *shown = top->shown;
	if (top_has_arrangement(top))
		out_format(out, "%u event%s", shown->rows.n_sockets,
			   shown->rows.n_sockets == 1 ? "" : "s");
	if (top->walked)
		return;
	if (state->n_dropped)
		out_format(out, "  %llu older dropped", (unsigned long long)state->n_dropped);
	if (state->n_lost)
		out_format(out, "  %llu lost", (unsigned long long)state->n_lost);
	if (state->is_started)
		out_format(out, "  by %s", told_by_words[state->way]);
	if (state->error.code && !state->is_failed)
		out_format(out, "  %s", state->error.what);
}

/* ---- a row ---- */

/* In local time; of another day with its date. */
static size_t put_time(uint64_t time_ns, char text[EVENT_CELL_MAX])
{
	time_t seconds = (time_t)(time_ns / NS_PER_SECOND), now = time(NULL);
	struct tm day = {0}, today = {0};
	localtime_r(&seconds, &day);
	localtime_r(&now, &today);
	bool is_today = day.tm_yday == today.tm_yday && day.tm_year == today.tm_year;
	size_t n = strftime(text, EVENT_CELL_MAX, is_today ? "%H:%M:%S" : "%F %H:%M:%S", &day);
	int more = snprintf(text + n, EVENT_CELL_MAX - n, ".%03u",
			    (unsigned)(time_ns / 1000000 % 1000));
	return n + (more > 0 ? (size_t)more : 0);
}

bool events_cell(const struct event *event, const struct field *field, char text[EVENT_CELL_MAX],
		 size_t *ret_n)
{
	uint64_t bytes = strcmp(field->name, "bytes_sent") == 0	      ? event->bytes_sent
			 : strcmp(field->name, "bytes_received") == 0 ? event->bytes_received
								      : EVENT_UNKNOWN;
	if (strcmp(field->name, "time") == 0)
		*ret_n = put_time(event->time_ns, text);
	else if (strcmp(field->name, "duration") == 0 && event->duration_ns != EVENT_UNKNOWN)
		*ret_n = line_duration(text, event->duration_ns);
	else if (bytes != EVENT_UNKNOWN)
		*ret_n = format_size(text, EVENT_CELL_MAX, bytes);
	else
		return false;
	return true;
}

uint8_t events_ink(const struct event *event)
{
	static const uint8_t inks[EVENT_MAX] = {
		[EVENT_STARTED] = INK_DIM,	  [EVENT_OPENED] = INK_GOOD,
		[EVENT_CLOSED] = INK_WARNING,	  [EVENT_ESTABLISHED] = INK_PLAIN,
		[EVENT_ENDED] = INK_DIM,	  [EVENT_REFUSED] = INK_BAD,
		[EVENT_CONNECT_FAILED] = INK_BAD, [EVENT_LOST] = INK_BAD,
		[EVENT_GAP] = INK_WARNING,
	};
	return event->kind < EVENT_MAX ? inks[event->kind] : (uint8_t)INK_PLAIN;
}

char events_sign(const struct event *event)
{
	switch (event->kind) {
	case EVENT_OPENED:
	case EVENT_ESTABLISHED:
		return '+';
	case EVENT_CLOSED:
	case EVENT_ENDED:
		return '-';
	case EVENT_REFUSED:
	case EVENT_CONNECT_FAILED:
	case EVENT_LOST:
		return '!';
	default:
		return ' ';
	}
}

void events_tell(const struct event *event, struct out *out)
{
	char text[EVENT_CELL_MAX];
	out_bytes(out, text, put_time(event->time_ns, text));
	out_string(out, "  ");
	line_watching(out, event);
}
