/* Keys that stand on the screen by their names, as in "Esc back  Up Down", pressed with the mouse.
 * Only those that do nothing to the host: a second press that comes too fast is no answer. */
#include <string.h>

#include "top/state.h"

#define LINE_MAX_READ 256

static enum input_kind kind_of_word(const char *word, size_t n)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} names[] = {
		{"Esc", INPUT_ESCAPE},	   {"Enter", INPUT_ENTER}, {"Tab", INPUT_TAB},
		{"Up", INPUT_UP},	   {"Down", INPUT_DOWN},   {"PgUp", INPUT_PAGE_UP},
		{"PgDn", INPUT_PAGE_DOWN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, word, n) == 0)
			return (enum input_kind)names[i].kind;
	return INPUT_NONE;
}

/* What was drawn; what is not ASCII is of no key. */
static size_t read_line(const struct canvas *canvas, unsigned row, char line[LINE_MAX_READ])
{
	size_t n = 0;
	for (; n < canvas->columns && n + 1 < LINE_MAX_READ; n++) {
		uint32_t point = canvas_at(canvas, row, (unsigned)n)->points[0];
		line[n] = point >= ' ' && point < 127 ? (char)point : ' ';
	}
	line[n] = '\0';
	return n;
}

/* The word at the column, else the first of what stands there between two blanks. */
static enum input_kind key_at(const char *line, size_t n, size_t column)
{
	size_t from = column, word = column;
	if (column >= n || line[column] == ' ')
		return INPUT_NONE;
	while (word && line[word - 1] != ' ')
		word--;
	enum input_kind kind = kind_of_word(line + word, strcspn(line + word, " "));
	if (kind != INPUT_NONE)
		return kind;
	while (from && !(line[from - 1] == ' ' && (from == 1 || line[from - 2] == ' ')))
		from--;
	return kind_of_word(line + from, strcspn(line + from, " "));
}

bool press_names_key(const struct top *top, const struct input *press, struct input *ret)
{
	const struct canvas *canvas = &top->canvas;
	unsigned n_lines = top->layer && top->layer->n_key_lines ? top->layer->n_key_lines(top) : 1;
	char line[LINE_MAX_READ];
	if (press->kind != INPUT_PRESS || !top->layer || press->row < 0 || press->column < 0 ||
	    press->row >= canvas->rows || press->row + (int)n_lines < canvas->rows)
		return false;
	size_t n = read_line(canvas, (unsigned)press->row, line);
	*ret = (struct input){.kind = key_at(line, n, (size_t)press->column)};
	return ret->kind != INPUT_NONE;
}
