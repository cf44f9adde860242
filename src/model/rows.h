/* Which sockets a view shows, in which order, united how. Indexes only: the facts stay in the
 * snapshot. */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vector.h"
#include "model/filter.h"

struct rows {
	const struct snapshot *snapshot;
	uint32_t *order; /* socket indexes; a row's sockets stand together */
	uint32_t n_sockets;
	uint32_t *start; /* n_rows + 1 offsets into order; NULL: every socket is a row */
	uint32_t n_rows;
	bool is_usual; /* in the default order, where the sockets of a port stand together */
};

/* All sockets that match. 0 or -ENOMEM. */
int rows_select(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret);
/* Of them only those in one of @states (1 << enum state), and with @have_peers those that have
 * another end. Before they are sorted or grouped. */
void rows_keep(struct rows *rows, uint32_t states, bool have_peers);
/* By @by (NULL ends), @descending a bool each or NULL. The default order: proto, port, address,
 * netns. */
int rows_sort(struct rows *rows, const struct field *const *by, const bool *descending);
/* One row for each service: the halves of both families and the workers. Keeps the order of the
 * firsts. */
int rows_group(struct rows *rows);
/* What makes one row of several sockets. */
enum rows_by {
	ROWS_BY_NONE,
	ROWS_BY_SERVICE,   /* rows_group */
	ROWS_BY_PROCESS,   /* the first of its holders */
	ROWS_BY_UNIT,	   /* the container of that, else its unit */
	ROWS_BY_CONTAINER, /* the container alone */
	ROWS_BY_PEER,	   /* the address of the other end */
	ROWS_BY_MAX,
};
extern const char *const rows_by_words[ROWS_BY_MAX + 1];
/* What a grouping has to know of sockets: NEED_ bits. */
uint32_t rows_by_needs(enum rows_by by);
/* What shares the value is one row; keeps the order of the firsts. 0 or -ENOMEM. */
int rows_group_by(struct rows *rows, enum rows_by by);

/* For who groups otherwise: @row_of tells of each socket of the order its row, of @n_rows. 0 or
 * -ENOMEM. */
int rows_unite(struct rows *rows, const uint32_t *row_of, uint32_t n_rows);

/* All that match, in the default order. 0, or negative errno with @err told. */
int rows_find(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret,
	      struct error *err);
void rows_done(struct rows *rows);

static inline uint32_t rows_first(const struct rows *rows, uint32_t row)
{
	return rows->start ? rows->start[row] : row;
}
static inline uint32_t rows_length(const struct rows *rows, uint32_t row)
{
	return rows->start ? rows->start[row + 1] - rows->start[row] : 1;
}
/* Rows are in another order than their sockets are in memory: what the rows a little behind @row
 * need is fetched before it is asked for. */
void rows_expect(const struct rows *rows, uint32_t row);

/* The record of the k-th socket of a row (holder and process: its first, if any). */
void rows_record(const struct rows *rows, uint32_t row, uint32_t k, struct record *ret);

/* The values of a field over a whole row, distinct, in order, merged as the field says: calls @each
 * for each distinct value (all sockets, all holders); returns how many there were. */
uint32_t rows_values(const struct rows *rows, uint32_t row, const struct field *field,
		     int (*each)(void *data, const struct value *value, uint32_t times),
		     void *data);

#endif
