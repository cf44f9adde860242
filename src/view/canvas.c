/* A screen as a grid of characters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "view/canvas.h"

int canvas_init(struct canvas *canvas, unsigned rows, unsigned columns, bool is_utf8)
{
	*canvas = (struct canvas){
		.rows = (uint16_t)rows, .columns = (uint16_t)columns, .is_utf8 = is_utf8};
	canvas->cells = malloc(((size_t)rows * columns + 1) * sizeof(*canvas->cells));
	int r = out_init(&canvas->text, -1);
	if (r < 0 || !canvas->cells)
		return -ENOMEM;
	canvas_clear(canvas);
	return 0;
}

void canvas_done(struct canvas *canvas)
{
	free(canvas->cells);
	out_done(&canvas->text);
	canvas->cells = NULL;
	canvas->rows = canvas->columns = 0;
}

void canvas_clear(struct canvas *canvas)
{
	canvas->cursor_row = canvas->cursor_column = -1;
	for (unsigned row = 0; row < canvas->rows; row++)
		canvas_fill(canvas, row, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
}

void canvas_fill(struct canvas *canvas, unsigned row, unsigned column, unsigned n,
		 struct style style, uint32_t point)
{
	if (row >= canvas->rows)
		return;
	for (; n && column < canvas->columns; n--, column++)
		*canvas_at(canvas, row, column) =
			(struct grid_cell){.points = {point}, .style = style, .width = 1};
}

void canvas_point(struct canvas *canvas, unsigned row, unsigned column, struct style style,
		  uint32_t point, char ascii)
{
	canvas_fill(canvas, row, column, 1, style, canvas->is_utf8 ? point : (uint32_t)ascii);
}

/* A wide one needs two cells, a combining one none. False: there is no more room. */
static bool put_point(struct canvas *canvas, unsigned row, unsigned *column, unsigned end,
		      struct style style, uint32_t point)
{
	unsigned width = text_columns((int32_t)point);
	if (!canvas->is_utf8 && point > 0x7e) {
		point = point == 0x2026 ? '~' : point == 0xd7 ? 'x' : '?';
		width = 1;
	}
	if (!width) {
		if (*column && canvas_at(canvas, row, *column - 1)->width == 1)
			canvas_at(canvas, row, *column - 1)->points[1] = point;
		return true;
	}
	if (*column + width > end)
		return false;
	*canvas_at(canvas, row, *column) =
		(struct grid_cell){.points = {point}, .style = style, .width = (uint8_t)width};
	if (width == 2)
		*canvas_at(canvas, row, *column + 1) = (struct grid_cell){.style = style};
	*column += width;
	return true;
}

unsigned canvas_put(struct canvas *canvas, unsigned row, unsigned column, unsigned width,
		    struct style style, const char *bytes, size_t n)
{
	if (row >= canvas->rows || column >= canvas->columns)
		return 0;
	unsigned at = column, end = column + width;
	if (end > canvas->columns)
		end = canvas->columns;
	canvas->text.n = 0;
	text_show_cut(&canvas->text, bytes, n, end - column, false);
	const char *text = canvas->text.data, *last = text + canvas->text.n;
	for (size_t length; text < last; text += length) {
		int32_t point = text_decode(text, (size_t)(last - text), &length);
		if (!put_point(canvas, row, &at, end, style, point < 0 ? '?' : (uint32_t)point))
			break;
	}
	return at - column;
}

unsigned canvas_string(struct canvas *canvas, unsigned row, unsigned column, unsigned width,
		       struct style style, const char *text)
{
	return canvas_put(canvas, row, column, width, style, text, strlen(text));
}

static size_t encode(char *to, uint32_t point)
{
	if (point < 0x80) {
		to[0] = (char)point;
		return 1;
	}
	size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; point >>= 6)
		to[i] = (char)(0x80 | (point & 0x3f));
	to[0] = (char)((0xf00u >> n & 0xf0) | point);
	return n;
}

void canvas_read(const struct canvas *canvas, unsigned row, struct out *out)
{
	unsigned n = canvas->columns;
	while (n && canvas_at(canvas, row, n - 1)->points[0] == ' ')
		n--;
	for (unsigned column = 0; column < n; column++) {
		const struct grid_cell *cell = canvas_at(canvas, row, column);
		char bytes[4];
		for (unsigned i = 0; cell->width && i < 2 && cell->points[i]; i++)
			out_bytes(out, bytes, encode(bytes, cell->points[i]));
	}
}
