/* The events that pages look at: one list of them, as `watch` tells them, followed from when the
 * first page shows it until none does. It is a snapshot of its own kind (model/events.h), so its
 * windows and differences are made as those of what is open are. */
#include <errno.h>
#include <stdlib.h>

#include "model/events.h"
#include "serve/state.h"

bool viewer_shows_events(const struct viewer *viewer)
{
	return viewer->is_open && viewer->wish.tab == TAB_EVENTS;
}

static bool is_live(const struct viewer *viewer)
{
	return viewer_shows_events(viewer) && !viewer->wish.moment_ms;
}

static void forget(struct desk *desk)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (is_live(&desk->streams[i]))
			viewer_forget_rows(&desk->streams[i]);
	snapshot_release(desk->happened);
	desk->happened = NULL;
}

/* There are none, and why: to each page that was not told. */
static void tell_failure(struct desk *desk)
{
	struct journal_state state;
	journal_state(desk->journal, &state);
	for (unsigned i = 0; state.is_failed && i < DESK_STREAMS_MAX; i++) {
		if (!is_live(&desk->streams[i]) || desk->streams[i].has_no_moment)
			continue;
		desk->streams[i].has_no_moment = true;
		viewer_fail(desk, &desk->streams[i], &state.error);
	}
}

void happenings_arrange(struct desk *desk)
{
	bool is_watched = false;
	for (unsigned i = 0; i < DESK_STREAMS_MAX && !is_watched; i++)
		is_watched = is_live(&desk->streams[i]);
	journal_watch(desk->journal, is_watched);
	if (!is_watched)
		forget(desk);
	else if (!desk->happened)
		tell_failure(desk);
}

void happenings_take(struct desk *desk)
{
	struct journal_state state;
	const struct snapshot *newer = journal_take(desk->journal);
	journal_state(desk->journal, &state);
	bool is_newer = newer && newer != desk->happened, is_wanted = false;
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		struct viewer *viewer = &desk->streams[i];
		if (!is_live(viewer))
			continue;
		is_wanted = true;
		if (!state.is_failed && desk->n_journal_errors != state.n_errors)
			viewer_fail(desk, viewer, &state.error);
		viewer->is_due |= is_newer;
	}
	desk->n_journal_errors = state.n_errors;
	tell_failure(desk);
	if (!is_newer || !is_wanted) {
		snapshot_release(newer);
		return;
	}
	forget(desk);
	desk->happened = newer;
}

/* Newest first, unless another order is wished for. What tells of the watching itself is told
 * whatever is filtered. */
int happenings_choose(const struct viewer *viewer, const struct snapshot *list, struct rows *rows)
{
	int r = rows_select(list, NULL, rows);
	if (r < 0)
		return r;
	rows_keep_events(rows, 0, viewer->wish.moment_ms * 1000000u);
	uint32_t n = 0;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct event *event = events_at(list, rows->order[i]);
		if (event_is_of_watching(event) || filter_match_event(viewer->filter, event))
			rows->order[n++] = rows->order[i];
	}
	rows->n_sockets = rows->n_rows = n;
	for (uint32_t i = 0; i < n / 2; i++) {
		uint32_t other = rows->order[n - 1 - i];
		rows->order[n - 1 - i] = rows->order[i];
		rows->order[i] = other;
	}
	return viewer->sort ? rows_sort(rows, viewer->sort, viewer->descending) : 0;
}

int happenings_begin(struct desk *desk, struct error *err)
{
	const struct desk_settings *settings = desk->settings;
	const struct line_style style = {.is_utf8 = true};
	const struct looking looking = {.host = settings->host,
					.services = settings->services,
					.scope = settings->scope,
					.source = settings->source,
					.needs = settings->needs};
	const struct journal_wish wish = {.looking = &looking,
					  .record = settings->record,
					  .wants_record = settings->wants_record,
					  .n_most = EVENTS_MAX,
					  .rests = true};
	desk->line = line_new(&style);
	if (!desk->line)
		return error_set(err, -ENOMEM, "serve");
	return journal_start(&wish, &desk->journal, err);
}

void happenings_end(struct desk *desk)
{
	journal_free(desk->journal);
	forget(desk);
	line_free(desk->line);
}
