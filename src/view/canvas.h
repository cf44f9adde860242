/* What a terminal's screen shows, as a grid of characters: drawn here, sent by screen/. Text from
 * elsewhere is escaped on its way in, so that whatever stands in a cell may be shown. */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

/* What a colour means; which it is on a terminal says screen/palette.c. */
enum ink {
	INK_PLAIN, /* the terminal's own */
	INK_DIM,
	INK_TITLE,
	INK_BAR, /* behind titles and keys */
	INK_BAR_DIM,
	INK_SELECTED, /* behind the chosen row */
	INK_GOOD,
	INK_WARNING,
	INK_BAD,
	INK_NEW, /* and how it fades */
	INK_NEW_FADED,
	INK_NEW_GONE,
	INK_CHANGED,
	INK_CHANGED_FADED,
	INK_CHANGED_GONE,
	INK_GONE,
	INK_GONE_FADED,
	INK_GONE_GONE,
	INK_CLOSED, /* doors of the map */
	INK_CLOSED_EPHEMERAL,
	INK_BOUND,
	INK_LOOPBACK,
	INK_LINK_LOCAL,
	INK_PRIVATE,
	INK_PUBLIC,
	INK_ANY,
	INK_GROUP,
	INK_CONNECTED,
	INK_LEAVING,
	INK_FLASH,  /* it has just changed */
	INK_CURSOR, /* of the map */
	INK_MAX,
};

enum cell_flag {
	CELL_BOLD = 1 << 0,
	CELL_REVERSE = 1 << 1,
	CELL_DIM = 1 << 2,
	CELL_UNDERLINE = 1 << 3
};

struct style {
	uint8_t ink, paper, flags; /* paper INK_PLAIN: the terminal's own */
};

struct grid_cell {
	uint32_t points[2]; /* a character, and a mark that combines with it, or 0 */
	struct style style;
	uint8_t width; /* columns; 0: the right half of the one before */
};

struct canvas {
	struct grid_cell *cells;
	uint16_t rows, columns;
	bool is_utf8;		       /* else nothing above ASCII is put */
	int cursor_row, cursor_column; /* -1: hidden */
	struct out text;	       /* in memory: where text is escaped */
};

/* 0 or -ENOMEM; canvas_done in either case. */
int canvas_init(struct canvas *canvas, unsigned rows, unsigned columns, bool is_utf8);
void canvas_done(struct canvas *canvas);
/* All blank, the cursor hidden. */
void canvas_clear(struct canvas *canvas);

/* Puts foreign text, at most @width columns; what is longer is cut with "…". Beyond the canvas
 * nothing is put. Returns the columns that it took. */
unsigned canvas_put(struct canvas *canvas, unsigned row, unsigned column, unsigned width,
		    struct style style, const char *bytes, size_t n);
unsigned canvas_string(struct canvas *canvas, unsigned row, unsigned column, unsigned width,
		       struct style style, const char *text);
/* @n cells of one character, which is one column wide. */
void canvas_fill(struct canvas *canvas, unsigned row, unsigned column, unsigned n,
		 struct style style, uint32_t point);
/* One character; where there is no UTF-8, @ascii. */
void canvas_point(struct canvas *canvas, unsigned row, unsigned column, struct style style,
		  uint32_t point, char ascii);

/* A row as text, without blanks at its end: for tests. */
void canvas_read(const struct canvas *canvas, unsigned row, struct out *out);

static inline struct grid_cell *canvas_at(const struct canvas *canvas, unsigned row,
					  unsigned column)
{
	return &canvas->cells[row * canvas->columns + column];
}

#endif
