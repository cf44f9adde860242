/* A line that a person types. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "top/line.h"

enum { CONTROL_A = 1, CONTROL_E = 5, CONTROL_K = 11, CONTROL_U = 21, CONTROL_W = 23 };

void line_set(struct line *line, const char *text)
{
	snprintf(line->text, sizeof(line->text), "%s", text);
	line->n = line->at = (unsigned)strlen(line->text);
}

static bool is_inside(char byte) /* of a character of several bytes */
{
	return ((uint8_t)byte & 0xc0) == 0x80;
}

static unsigned before(const struct line *line, unsigned at)
{
	while (at && is_inside(line->text[--at]))
		continue;
	return at;
}

static unsigned behind(const struct line *line, unsigned at)
{
	at += at < line->n;
	while (at < line->n && is_inside(line->text[at]))
		at++;
	return at;
}

static bool cut(struct line *line, unsigned from, unsigned to)
{
	if (from == to)
		return false;
	memmove(line->text + from, line->text + to, line->n - to + 1);
	line->n -= to - from;
	line->at = from;
	return true;
}

static bool insert(struct line *line, uint32_t point)
{
	char bytes[4];
	unsigned n = 1;
	if (point < 32 || point > 0x10ffff || !text_is_printable((int32_t)point))
		return false;
	if (point < 0x80) {
		bytes[0] = (char)point;
	} else {
		n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
		uint32_t rest = point;
		for (unsigned i = n; i-- > 1; rest >>= 6)
			bytes[i] = (char)(0x80 | (rest & 0x3f));
		bytes[0] = (char)((0xf00u >> n & 0xf0) | rest);
	}
	if (line->n + n >= sizeof(line->text))
		return false;
	memmove(line->text + line->at + n, line->text + line->at, line->n - line->at + 1);
	memcpy(line->text + line->at, bytes, n);
	line->n += n;
	line->at += n;
	return true;
}

static unsigned word_before(const struct line *line)
{
	unsigned at = line->at;
	while (at && line->text[at - 1] == ' ')
		at--;
	while (at && line->text[at - 1] != ' ')
		at--;
	return at;
}

static bool input_char(struct line *line, uint32_t point)
{
	switch (point) {
	case CONTROL_A:
		line->at = 0;
		return false;
	case CONTROL_E:
		line->at = line->n;
		return false;
	case CONTROL_K:
		return cut(line, line->at, line->n);
	case CONTROL_U:
		return cut(line, 0, line->at);
	case CONTROL_W:
		return cut(line, word_before(line), line->at);
	default:
		return insert(line, point);
	}
}

bool line_input(struct line *line, const struct input *input)
{
	switch (input->kind) {
	case INPUT_LEFT:
		line->at = before(line, line->at);
		return false;
	case INPUT_RIGHT:
		line->at = behind(line, line->at);
		return false;
	case INPUT_HOME:
		line->at = 0;
		return false;
	case INPUT_END:
		line->at = line->n;
		return false;
	case INPUT_BACKSPACE:
		return cut(line, before(line, line->at), line->at);
	case INPUT_DELETE:
		return cut(line, line->at, behind(line, line->at));
	case INPUT_CHAR:
		return input_char(line, input->point);
	default:
		return false;
	}
}

int line_draw(const struct line *line, struct canvas *canvas, unsigned row, const char *label,
	      int mark)
{
	const struct style plain = {.flags = CELL_BOLD};
	unsigned used = canvas_string(canvas, row, 0, canvas->columns, plain, label);
	unsigned room = canvas->columns > used + 1 ? canvas->columns - used - 1 : 0;
	unsigned from = 0;
	while (from < line->at && text_show(NULL, line->text + from, line->at - from) > room)
		from = behind(line, from);
	unsigned to = from;
	while (to < line->n && text_show(NULL, line->text + from, behind(line, to) - from) <= room)
		to = behind(line, to);
	canvas_put(canvas, row, used, room, (struct style){INK_PLAIN}, line->text + from,
		   to - from);
	canvas->cursor_row = (int)row;
	canvas->cursor_column = (int)(used + text_show(NULL, line->text + from, line->at - from));
	if (mark < (int)from || mark > (int)to)
		return -1;
	size_t column = used + text_show(NULL, line->text + from, (unsigned)mark - from);
	return column < canvas->columns ? (int)column : -1;
}
