/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any keys in the line that a person types on the screen, shown on canvases of any size; what it
 * says is tried as a filter after each. And any bytes as what a terminal answers. */
#include <assert.h>
#include <string.h>

#include "model/filter.h"
#include "screen/background.h"
#include "top/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Two bytes a key: its kind, and a character. */
static void press(struct line *line, const uint8_t *bytes)
{
	struct input input = {.kind = (enum input_kind)(bytes[0] % (INPUT_OTHER + 1)),
			      .point = bytes[1]};
	if (bytes[0] & 0x40)
		input.point |= (uint32_t)bytes[0] << 9; /* beyond ASCII, and beyond Unicode */
	line_input(line, &input);
	assert(line->n == strlen(line->text) && line->at <= line->n && line->n < LINE_MAX_BYTES);
	assert(line->at == line->n || ((uint8_t)line->text[line->at] & 0xc0) != 0x80);
}

static void show(const struct line *line, unsigned rows, unsigned columns, bool is_utf8)
{
	struct canvas canvas;
	struct filter *filter = NULL;
	struct error err = {0};
	int mark = -1;
	if (filter_parse(line->text, NULL, &filter, &err) < 0)
		mark = (int)err.place - 1;
	filter_free(filter);
	if (canvas_init(&canvas, rows, columns, is_utf8) == 0) {
		int at = line_draw(line, &canvas, 0, "/", mark);
		assert(at < (int)columns || at < 0 || columns < 3);
		canvas_string(&canvas, rows - 1, 0, columns, (struct style){INK_BAD}, err.what);
	}
	canvas_done(&canvas);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct line line;
	bool is_whole;
	background_parse((const char *)bytes, n, &is_whole);
	if (n < 3)
		return 0;
	line_set(&line, "port = 80");
	for (size_t i = 3; i + 1 < n; i += 2) {
		press(&line, bytes + i);
		if (i % 16 == 3)
			show(&line, bytes[0] % 8 + 1u, bytes[1] % 120 + 1u, bytes[2] & 1);
	}
	show(&line, 2, 80, true);
	return 0;
}
