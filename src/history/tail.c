/* The end of a segment: rows that have just come are written at once, and again when they fill a
 * row group. So a reader sees them early, and what stays is groups that are full. */
#include <errno.h>

#include "history/recorder.h"

int tail_init(struct tail *tail)
{
	vector_init(&tail->rows, sizeof(struct interval_row));
	tail->scratch = (struct out){.fd = -1};
	if (vector_reserve(&tail->rows, ROW_GROUP_MAX) < 0)
		return -ENOMEM;
	return out_init(&tail->scratch, -1);
}

void tail_done(struct tail *tail)
{
	vector_done(&tail->rows);
	out_done(&tail->scratch);
}

/* The row @i of those of the tail and, behind them, those that wait. */
static const struct interval_row *row_at(const struct recorder *recorder, uint32_t i)
{
	uint32_t n = recorder->tail.rows.n;
	return i < n ? vector_at(&recorder->tail.rows, i)
		     : vector_at(&recorder->waiting.rows, i - n);
}

static int put(struct recorder *recorder, int64_t id, uint32_t from, uint32_t n)
{
	const struct interval_row *rows[ROW_GROUP_MAX];
	for (uint32_t i = 0; i < n; i++)
		rows[i] = row_at(recorder, from + i);
	return row_group_put(recorder->put_rows, &recorder->tail.scratch, id, rows, n,
			     recorder->segment.base);
}

int tail_write(struct recorder *recorder, uint32_t n)
{
	uint32_t n_tail = recorder->tail.rows.n, all = n_tail + recorder->waiting.rows.n;
	int64_t first = (int64_t)n + 1 - n_tail; /* number of the tail's first row */
	uint32_t from = n_tail;
	int code = SQLITE_OK;
	if (n_tail && all >= ROW_GROUP_MAX) {
		sqlite3_bind_int64(recorder->drop_rows, 1, first);
		code = store_step(recorder->drop_rows);
		from = 0;
	}
	while (code == SQLITE_OK && from < all) {
		uint32_t rows = all - from < ROW_GROUP_MAX ? all - from : ROW_GROUP_MAX;
		code = put(recorder, first + from, from, rows);
		from += rows;
	}
	return code;
}

void tail_written(struct recorder *recorder)
{
	struct vector *tail = &recorder->tail.rows, *waiting = &recorder->waiting.rows;
	uint32_t all = tail->n + waiting->n;
	if (all >= ROW_GROUP_MAX) {
		uint32_t rest = all % ROW_GROUP_MAX; /* the last of those that waited */
		for (uint32_t i = 0; i < rest; i++)
			*(struct interval_row *)vector_at(tail, i) =
				*row_at(recorder, all - rest + i);
		tail->n = rest;
		return;
	}
	for (uint32_t i = 0; i < waiting->n; i++)
		*(struct interval_row *)vector_add(tail) =
			*(const struct interval_row *)vector_at(waiting, i);
}
