/* A small table of texts that are made first and fitted afterwards: what is no listing of sockets,
 * and so has no fields. */
#ifndef VIEW_GRID_H
#define VIEW_GRID_H

#include <stdbool.h>

#include "base/out.h"
#include "base/vector.h"

struct grid_column {
	const char *title;
	uint8_t least;	/* columns below which it is not cut; 0: never cut */
	uint8_t leaves; /* of those that may be left out the one with the largest goes first; 0:
			   none */
	bool is_right, hides_empty;
};

struct grid_style {
	unsigned columns; /* of the terminal; 0: no limit */
	bool has_colour, is_utf8;
};

struct grid {
	const struct grid_column *columns; /* borrowed */
	unsigned n_columns;
	struct out text;     /* of all cells, escaped */
	struct vector cells; /* row after row; a heading is one cell */
	size_t began;	     /* of the cell that is being written */
};

#define GRID_COLUMNS_MAX 16

/* 0 or -ENOMEM; what is added later fails then too, and grid_print says so. */
int grid_init(struct grid *grid, const struct grid_column *columns, unsigned n_columns);
void grid_done(struct grid *grid);

/* Where the next cell's text goes: already escaped (value_text, text_show). */
struct out *grid_cell(struct grid *grid);
/* It is written. @colour: an SGR sequence ("\033[32m"), or NULL. */
void grid_end_cell(struct grid *grid, const char *colour);
/* A line of its own between rows. */
void grid_heading(struct grid *grid, const char *text);

/* Titles, rows, headings. Empty columns that may be left out, or hide, are. 0 or -ENOMEM. */
int grid_print(const struct grid *grid, struct out *out, const struct grid_style *style);

#endif
