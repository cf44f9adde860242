/* One cell of a table: a field's values over the sockets of a row, escaped. */
#ifndef VIEW_CELL_H
#define VIEW_CELL_H

#include "model/rows.h"
#include "view/table.h"

/* A cell's text, escaped, and how many columns of the terminal it takes. */
struct shown {
	const char *bytes;
	size_t n, columns;
};

#define AGAIN_MAX 64

struct column {
	const struct field *field;
	size_t wanted, width;
	bool is_shown;
	bool is_holder; /* says who holds it: where no process does, it says that */
	/* the value of the row before, for it mostly comes again */
	struct value last;
	char again[AGAIN_MAX];
	struct shown again_shown;
};

/* One row as its cells are asked for. */
struct row {
	const struct rows *rows;
	uint32_t number;
	struct record record; /* of its first socket */
	bool is_single, is_held_once;
	uint32_t most; /* sockets that a list looks at; 0: all, as row_at has it */
};

#define MOST_LIVE 128 /* where rows are shown again each second */

void row_at(const struct rows *rows, uint32_t number, struct row *ret);

/* @out is where the text may be made; it stands until the next cell is read. */
struct shown cell_read(struct out *out, const struct row *row, struct column *column,
		       const struct table_style *style);

#endif
