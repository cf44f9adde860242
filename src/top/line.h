/* A line that a person types. */
#ifndef TOP_LINE_H
#define TOP_LINE_H

#include "screen/screen.h"

#define LINE_MAX_BYTES 512

struct line {
	char text[LINE_MAX_BYTES]; /* UTF-8, ended by NUL */
	unsigned n, at;		   /* bytes; where the cursor is */
};

void line_set(struct line *line, const char *text);

/* True: the text is another now. What it does not know is left alone. */
bool line_input(struct line *line, const struct input *input);

/* Behind @label, at @row; the end that has the cursor is shown where it is too long. Sets the
 * cursor. Returns the column in which the byte at @mark is shown (-1: it is not in sight). */
int line_draw(const struct line *line, struct canvas *canvas, unsigned row, const char *label,
	      int mark);

#endif
