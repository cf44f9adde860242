/* What became of each socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "top/marks.h"

void marks_done(struct marks *marks)
{
	free(marks->of);
	snapshot_release(marks->snapshot);
	*marks = (struct marks){.last_id = marks->last_id};
}

unsigned mark_level(const struct mark *mark, uint32_t now_ms)
{
	uint32_t age = now_ms - mark->since_ms;
	if (mark->change == CHANGE_NONE || age >= FADE_MS)
		return 3;
	return age < FADE_MS / 3 ? 0 : age < FADE_MS * 2 / 3 ? 1 : 2;
}

static struct mark *mark_all(struct marks *marks, const struct snapshot *newer)
{
	struct mark *of = malloc((newer->sockets.n + 1u) * sizeof(*of));
	for (uint32_t i = 0; of && i < newer->sockets.n; i++)
		of[i] = (struct mark){.id = ++marks->last_id};
	return of;
}

static bool was_asked(const struct snapshot *snapshot, const struct socket *socket)
{
	return !snapshot->states || snapshot->states & 1u << socket->state;
}

static struct mark *mark_changes(struct marks *marks, const struct difference *difference,
				 uint32_t now_ms)
{
	uint32_t n = difference->newer->sockets.n;
	struct mark *of = malloc((n + 1u) * sizeof(*of));
	for (uint32_t i = 0; of && i < n; i++) {
		uint32_t old = difference->older_of[i];
		uint8_t change = difference->change[i];
		if (old != NONE)
			of[i] = marks->of[old];
		else
			of[i] = (struct mark){.id = ++marks->last_id};
		/* what nobody had asked for before is not new by being seen */
		if (change == CHANGE_NEW &&
		    !was_asked(difference->older, snapshot_socket(difference->newer, i)))
			change = CHANGE_NONE;
		/* one that is new is not yet an old acquaintance that changes */
		if (change == CHANGE_CHANGED && of[i].change == CHANGE_NEW &&
		    mark_level(&of[i], now_ms) < 3)
			change = CHANGE_NONE;
		if (change != CHANGE_NONE) {
			of[i].change = change;
			of[i].since_ms = now_ms;
		}
	}
	return of;
}

/* All as it was, and in the same places. */
static bool is_unchanged(const struct difference *difference)
{
	uint32_t n = difference->newer->sockets.n, i = 0;
	if (difference->n_new || difference->n_gone || difference->n_changed)
		return false;
	while (i < n && difference->older_of[i] == i)
		i++;
	return i == n;
}

uint32_t *marks_invert(const struct difference *difference)
{
	uint32_t n = difference->older->sockets.n;
	uint32_t *newer_of = malloc((n + 1u) * sizeof(*newer_of));
	if (!newer_of)
		return NULL;
	memset(newer_of, 0xff, n * sizeof(*newer_of)); /* NONE */
	for (uint32_t i = 0; i < difference->newer->sockets.n; i++)
		if (difference->older_of[i] != NONE)
			newer_of[difference->older_of[i]] = i;
	return newer_of;
}

/* The past is compared with what was before it, whatever was looked at last. */
static int start_at(struct marks *marks, const struct snapshot *snapshot)
{
	marks_done(marks);
	marks->of = mark_all(marks, snapshot);
	if (!marks->of)
		return -ENOMEM;
	marks->snapshot = snapshot_hold(snapshot);
	return 0;
}

/* Who took the snapshot may have compared it already. */
static int compare(const struct marks *marks, const struct wish *wish, struct difference *own,
		   const struct difference **ret)
{
	const struct difference *known = wish->snapshot->difference;
	if (!wish->is_past && known && known->older == marks->snapshot) {
		*ret = known;
		return 0;
	}
	int r = difference_find(marks->snapshot, wish->snapshot, own);
	*ret = r < 0 ? NULL : own;
	return r;
}

int marks_move(struct marks *marks, const struct wish *wish, struct difference *own,
	       const struct difference **ret)
{
	const struct snapshot *newer = wish->snapshot;
	*ret = NULL;
	if (marks->snapshot == newer && !wish->is_past)
		return 0;
	if (wish->is_past && wish->older && marks->snapshot != wish->older) {
		int r = start_at(marks, wish->older);
		if (r < 0)
			return r;
	}
	if (!marks->snapshot || wish->is_fresh || marks->snapshot == newer ||
	    (wish->is_past && !wish->older))
		return start_at(marks, newer);

	int r = compare(marks, wish, own, ret);
	if (r < 0 || is_unchanged(*ret))
		return r;
	struct mark *of = mark_changes(marks, *ret, wish->now_ms);
	if (!of)
		return -ENOMEM;
	free(marks->of);
	marks->of = of;
	return 0; /* the older stays held: the difference is of it */
}

/* New where its eldest is; else it has changed when one of its sockets came or changed. */
struct mark marks_of_row(const struct marks *marks, const struct rows *rows, uint32_t row,
			 uint32_t now_ms)
{
	struct mark of_row = {.id = UINT32_MAX}, eldest = of_row;
	uint32_t first = rows_first(rows, row), n = rows_length(rows, row);
	for (uint32_t k = 0; k < n; k++) {
		const struct mark *mark = &marks->of[rows->order[first + k]];
		if (mark->id < eldest.id)
			eldest = *mark;
		if (mark_level(mark, now_ms) < mark_level(&of_row, now_ms))
			of_row = *mark;
	}
	of_row.id = eldest.id;
	if (of_row.change == CHANGE_NEW &&
	    !(eldest.change == CHANGE_NEW && mark_level(&eldest, now_ms) < 3))
		of_row.change = CHANGE_CHANGED;
	return of_row;
}
