/* From snapshots to what a list shows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "model/columns.h"
#include "model/events.h"
#include "top/arrange.h"
#include "top/ghosts.h"
#include "top/marks.h"

struct arrangement *arrangement_hold(struct arrangement *arrangement)
{
	atomic_fetch_add(&arrangement->n_owners, 1);
	return arrangement;
}

void arrangement_release(struct arrangement *arrangement)
{
	if (!arrangement || atomic_fetch_sub(&arrangement->n_owners, 1) > 1)
		return;
	rows_done(&arrangement->rows);
	free(arrangement->row_marks);
	free(arrangement->items);
	free(arrangement->ghosts);
	free(arrangement->map);
	arena_done(&arrangement->texts);
	snapshot_release(arrangement->snapshot);
	free(arrangement);
}

uint32_t arrangement_find(const struct arrangement *arrangement, uint32_t id)
{
	for (uint32_t i = 0; i < arrangement->n_items; i++)
		if (arrangement_mark(arrangement, i)->id == id)
			return i;
	return UINT32_MAX;
}

static int make_rows(const struct wish *wish, const struct filter *filter, struct rows *rows)
{
	int r = rows_select(wish->snapshot, filter, rows);
	if (r < 0)
		return r;
	if (wish->is_events)
		rows_keep_events(rows, 0, wish->until_ns);
	else
		rows_keep(rows, wish->states, wish->has_peers);
	r = rows_sort(rows, wish->choice.sort[0] ? wish->choice.sort : NULL,
		      wish->choice.descending);
	return r < 0 ? r : rows_group_by(rows, wish->choice.by);
}

static int mark_rows(const struct marks *marks, const struct wish *wish, struct arrangement *to)
{
	to->row_marks = malloc((to->rows.n_rows + 1u) * sizeof(*to->row_marks));
	if (!to->row_marks)
		return -ENOMEM;
	for (uint32_t row = 0; row < to->rows.n_rows; row++)
		to->row_marks[row] = marks_of_row(marks, &to->rows, row, wish->now_ms);
	return 0;
}

/* An event is new by its own time, and known by its number. */
static struct mark mark_of_event(const struct event *event, const struct wish *wish)
{
	struct mark mark = {.id = (uint32_t)event->number};
	uint64_t age_ms =
		wish->now_ns > event->time_ns ? (wish->now_ns - event->time_ns) / 1000000 : 0;
	if (age_ms >= FADE_MS || wish->is_past)
		return mark;
	mark.change = CHANGE_NEW;
	mark.since_ms = wish->now_ms - (uint32_t)age_ms;
	return mark;
}

static int mark_events(const struct wish *wish, struct arrangement *to)
{
	const struct rows *rows = &to->rows;
	to->row_marks = malloc((rows->n_rows + 1u) * sizeof(*to->row_marks));
	if (!to->row_marks)
		return -ENOMEM;
	for (uint32_t row = 0; row < rows->n_rows; row++)
		to->row_marks[row] = mark_of_event(
			events_at(rows->snapshot, rows->order[rows_first(rows, row)]), wish);
	return 0;
}

static int make_map(const struct wish *wish, const struct filter *filter,
		    const struct difference *difference, struct arrangement *to)
{
	to->map = malloc(sizeof(*to->map));
	if (!to->map)
		return -ENOMEM;
	door_map_make(wish->snapshot, filter, difference, to->map);
	to->rows.snapshot = wish->snapshot;
	return 0;
}

static uint32_t *count_up(uint32_t n)
{
	uint32_t *numbers = malloc((n + 1u) * sizeof(*numbers));
	for (uint32_t i = 0; numbers && i < n; i++)
		numbers[i] = i;
	return numbers;
}

/* Where nothing is gone, and no ghost is left, there is no place to look for. Of the same snapshot
 * those that have not faded stay. */
static int place_ghosts(const struct arrangement *last, const struct difference *difference,
			const struct wish *wish, struct arrangement *to)
{
	cleanup(freep) uint32_t *newer_of = NULL;
	bool is_same = last && !difference && last->snapshot == to->snapshot && last->n_ghosts;
	bool has_ghosts = is_same || (last && difference && last->snapshot == difference->older &&
				      (difference->n_gone || last->n_ghosts));
	if (has_ghosts) {
		newer_of = is_same ? count_up(to->snapshot->sockets.n) : marks_invert(difference);
		if (!newer_of)
			return -ENOMEM;
	}
	return ghosts_place(has_ghosts ? last : NULL, newer_of, wish, to);
}

static int fill(struct marks *marks, const struct arrangement *last, const struct wish *wish,
		const struct services *services, struct arrangement *to)
{
	cleanup(filterp) struct filter *filter = NULL;
	cleanup(difference_done) struct difference own = {.older = NULL};
	const struct difference *difference = NULL;
	int r = filter_parse(wish->filter, services, &filter, NULL);
	if (r >= 0 && !wish->is_events)
		r = marks_move(marks, wish, &own, &difference);
	if (r >= 0 && wish->is_map)
		r = make_map(wish, filter, difference, to);
	else if (r >= 0)
		r = make_rows(wish, filter, &to->rows);
	to->has_netns = r >= 0 && !wish->is_map && !wish->is_events && columns_has_netns(&to->rows);
	if (r >= 0 && wish->is_events)
		r = mark_events(wish, to);
	else if (r >= 0 && !wish->is_map)
		r = mark_rows(marks, wish, to);
	if (r >= 0 && !wish->is_map)
		r = place_ghosts(last, difference, wish, to);
	if (difference) { /* the marks are of the newer now */
		to->n_new = difference->n_new;
		to->n_changed = difference->n_changed;
		to->n_gone = difference->n_gone;
		snapshot_release(marks->snapshot);
		marks->snapshot = snapshot_hold(wish->snapshot);
	}
	return r;
}

bool arrangement_shows(const struct arrangement *arrangement, const struct field *field)
{
	return arrangement->has_netns || arrangement->is_events ||
	       strcmp(field->name, "namespace") != 0;
}

int arrange(struct marks *marks, const struct arrangement *last, const struct wish *wish,
	    const struct services *services, struct arrangement **ret)
{
	uint64_t begun = clock_ns();
	struct arrangement *to = calloc(1, sizeof(*to));
	if (!to)
		return -ENOMEM;
	atomic_init(&to->n_owners, 1);
	arena_init(&to->texts);
	to->snapshot = snapshot_hold(wish->snapshot);
	to->number = wish->number;
	to->is_past = wish->is_past;
	to->is_map = wish->is_map;
	to->is_events = wish->is_events;
	int r = fill(marks, last, wish, services, to);
	if (r < 0) {
		arrangement_release(to);
		return r;
	}
	to->cost_ns = clock_ns() - begun;
	*ret = to;
	return 0;
}
