/* Rows that are gone. Each follows the row that stood before it, wherever that is now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "top/ghosts.h"
#include "view/cell.h"

struct placed {
	uint32_t behind; /* a row + 1; 0: before all */
	uint32_t item;	 /* of what was shown before */
};

struct placing {
	const struct arrangement *last;
	const uint32_t *newer_of;
	const struct wish *wish;
	struct arrangement *to;
	uint32_t *row_of; /* of each socket of the newer snapshot: its row, or NONE */
	struct placed placed[GHOSTS_MAX];
	uint32_t n;
};

static int list_rows(struct arrangement *to, uint32_t n_ghosts)
{
	to->items = malloc((to->rows.n_rows + n_ghosts + 1u) * sizeof(*to->items));
	if (!to->items)
		return -ENOMEM;
	for (uint32_t i = 0; i < to->rows.n_rows; i++)
		to->items[i] = i;
	to->n_items = to->rows.n_rows;
	return 0;
}

static int index_rows(struct placing *placing)
{
	const struct rows *rows = &placing->to->rows;
	uint32_t n = rows->snapshot->sockets.n;
	placing->row_of = malloc((n + 1u) * sizeof(*placing->row_of));
	if (!placing->row_of)
		return -ENOMEM;
	memset(placing->row_of, 0xff, n * sizeof(*placing->row_of)); /* NONE */
	for (uint32_t row = 0; row < rows->n_rows; row++)
		for (uint32_t k = 0; k < rows_length(rows, row); k++)
			placing->row_of[rows->order[rows_first(rows, row) + k]] = row;
	return 0;
}

enum fate { FATE_STAYS, FATE_GONE, FATE_HIDDEN };

/* A row whose sockets are all gone from the host; one that only is not shown any more is no ghost.
 */
static enum fate fate_of(const struct placing *placing, uint32_t row, uint32_t *ret_row)
{
	const struct rows *rows = &placing->last->rows;
	uint32_t first = rows_first(rows, row), n_left = 0;
	for (uint32_t k = 0; k < rows_length(rows, row); k++) {
		uint32_t now = placing->newer_of[rows->order[first + k]];
		if (now == NONE)
			continue;
		n_left++;
		*ret_row = placing->row_of[now];
		if (*ret_row != NONE)
			return FATE_STAYS;
	}
	return n_left ? FATE_HIDDEN : FATE_GONE;
}

static void find_gone(struct placing *placing)
{
	const struct arrangement *last = placing->last;
	uint32_t behind = 0, row;
	for (uint32_t i = 0; i < last->n_items && placing->n < GHOSTS_MAX; i++) {
		uint32_t item = last->items[i];
		bool is_ghost = item & ITEM_GHOST;
		enum fate fate = is_ghost ? FATE_GONE : fate_of(placing, item, &row);
		if (fate == FATE_STAYS)
			behind = row + 1;
		if (fate != FATE_GONE ||
		    (is_ghost && mark_level(arrangement_mark(last, i), placing->wish->now_ms) == 3))
			continue;
		uint32_t at = placing->n++;
		for (; at && placing->placed[at - 1].behind > behind; at--)
			placing->placed[at] = placing->placed[at - 1];
		placing->placed[at] = (struct placed){behind, i};
	}
}

/* ---- as they were shown ---- */

static const char **copy_cells(const struct ghost *from, unsigned n, struct arena *arena)
{
	const char **cells = arena_alloc(arena, (n + 1) * sizeof(*cells));
	for (unsigned i = 0; cells && i < n && from->cells[i]; i++)
		cells[i] = arena_copy(arena, from->cells[i], strlen(from->cells[i]));
	return cells;
}

static const char **draw_cells(const struct placing *placing, uint32_t row_number,
			       struct out *scratch)
{
	const struct wish *wish = placing->wish;
	const struct table_style style = {.columns = 1, .is_utf8 = wish->is_utf8};
	unsigned n = choice_count(&wish->choice);
	const char **cells = arena_alloc(&placing->to->texts, (n + 1) * sizeof(*cells));
	struct row row;
	row_at(&placing->last->rows, row_number, &row);
	row.most = MOST_LIVE;
	for (unsigned i = 0; cells && i < n; i++) {
		struct column column = {.field = wish->choice.columns[i]};
		column.is_holder = strcmp(column.field->name, "process") == 0;
		struct shown shown = cell_read(scratch, &row, &column, &style);
		cells[i] = arena_copy(&placing->to->texts, shown.bytes, shown.n);
	}
	return cells;
}

static int make_ghosts(struct placing *placing)
{
	struct arrangement *to = placing->to;
	cleanup(out_done) struct out scratch = {.fd = -1};
	to->ghosts = calloc(placing->n + 1u, sizeof(*to->ghosts));
	if (!to->ghosts || out_init(&scratch, -1) < 0)
		return -ENOMEM;
	for (; to->n_ghosts < placing->n; to->n_ghosts++) {
		uint32_t at = placing->placed[to->n_ghosts].item, item = placing->last->items[at];
		struct ghost *ghost = &to->ghosts[to->n_ghosts];
		ghost->mark = *arrangement_mark(placing->last, at);
		if (item & ITEM_GHOST) {
			ghost->cells = copy_cells(&placing->last->ghosts[item & ~ITEM_GHOST],
						  choice_count(&placing->wish->choice), &to->texts);
		} else {
			ghost->mark.change = CHANGE_GONE;
			ghost->mark.since_ms = placing->wish->now_ms;
			ghost->cells = draw_cells(placing, item, &scratch);
		}
		if (!ghost->cells)
			return -ENOMEM;
	}
	return 0;
}

static void merge(const struct placing *placing)
{
	struct arrangement *to = placing->to;
	uint32_t ghost = 0;
	to->n_items = 0;
	for (uint32_t row = 0; row <= to->rows.n_rows; row++) {
		for (; ghost < placing->n && placing->placed[ghost].behind == row; ghost++)
			to->items[to->n_items++] = ghost | ITEM_GHOST;
		if (row < to->rows.n_rows)
			to->items[to->n_items++] = row;
	}
}

int ghosts_place(const struct arrangement *last, const uint32_t *newer_of, const struct wish *wish,
		 struct arrangement *to)
{
	if (!last || !newer_of || last->number != wish->number || last->is_map || wish->is_past ||
	    last->is_past)
		return list_rows(to, 0);
	struct placing *placing = calloc(1, sizeof(*placing));
	if (!placing)
		return -ENOMEM;
	*placing = (struct placing){.last = last, .newer_of = newer_of, .wish = wish, .to = to};
	int r = index_rows(placing);
	if (r >= 0) {
		find_gone(placing);
		r = list_rows(to, placing->n);
	}
	if (r >= 0 && placing->n) {
		r = make_ghosts(placing);
		if (r >= 0)
			merge(placing);
	}
	free(placing->row_of);
	free(placing);
	return r;
}
