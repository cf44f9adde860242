/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A screen as a grid: text from elsewhere is only text, and nothing is put beyond the edge. */
#include "made.h"

#include "top/line.h"
#include "view/canvas.h"

static void assert_row(const struct canvas *canvas, unsigned row, const char *wanted)
{
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	canvas_read(canvas, row, &out);
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	out_done(&out);
}

static unsigned put(struct canvas *canvas, unsigned row, unsigned column, unsigned width,
		    const char *text)
{
	return canvas_string(canvas, row, column, width, (struct style){INK_PLAIN}, text);
}

static void test_text_is_escaped_cut_and_kept_inside(unused_argument void **state)
{
	struct canvas canvas;
	assert_int_equal(canvas_init(&canvas, 3, 10, true), 0);
	put(&canvas, 0, 0, 10, "\033[2Jx");
	assert_row(&canvas, 0, "\\e[2Jx");
	assert_int_equal(put(&canvas, 1, 2, 4, "abcdefgh"), 4);
	assert_row(&canvas, 1, "  abc…");
	assert_int_equal(put(&canvas, 1, 8, 10, "abcdefgh"), 2);
	assert_row(&canvas, 1, "  abc…  a…");
	assert_int_equal(put(&canvas, 9, 0, 10, "beyond"), 0);
	assert_int_equal(put(&canvas, 0, 99, 10, "beyond"), 0);
	canvas_fill(&canvas, 2, 8, 100, (struct style){INK_PLAIN}, '#');
	assert_row(&canvas, 2, "        ##");
	canvas_clear(&canvas);
	assert_row(&canvas, 1, "");
	canvas_done(&canvas);
}

static void test_wide_and_combining_characters(unused_argument void **state)
{
	struct canvas canvas;
	assert_int_equal(canvas_init(&canvas, 1, 6, true), 0);
	assert_int_equal(put(&canvas, 0, 0, 6, "漢e\xcc\x81"), 3); /* two columns, one, none */
	assert_int_equal(canvas_at(&canvas, 0, 0)->width, 2);
	assert_int_equal(canvas_at(&canvas, 0, 1)->width, 0);
	assert_int_equal(canvas_at(&canvas, 0, 2)->points[1], 0x301);
	assert_row(&canvas, 0, "漢e\xcc\x81");
	canvas_done(&canvas);
}

static void test_without_utf8_nothing_else_is_put(unused_argument void **state)
{
	struct canvas canvas;
	assert_int_equal(canvas_init(&canvas, 2, 8, false), 0);
	put(&canvas, 0, 0, 8, "漢é×");
	assert_row(&canvas, 0, "??x");
	put(&canvas, 1, 0, 4, "abcdefgh");
	assert_row(&canvas, 1, "abc~");
	canvas_point(&canvas, 1, 5, (struct style){INK_PLAIN}, 0x2580, '#');
	assert_row(&canvas, 1, "abc~ #");
	canvas_done(&canvas);
}

/* ---- the line that a person types ---- */

static void press(struct line *line, enum input_kind kind, uint32_t point)
{
	line_input(line, &(struct input){.kind = kind, .point = point});
}

static void test_a_line_is_edited(unused_argument void **state)
{
	struct line line;
	line_set(&line, "port = 80");
	press(&line, INPUT_HOME, 0);
	press(&line, INPUT_CHAR, 'x');
	press(&line, INPUT_RIGHT, 0);
	press(&line, INPUT_DELETE, 0);
	assert_string_equal(line.text, "xprt = 80");
	press(&line, INPUT_END, 0);
	press(&line, INPUT_CHAR, 23); /* ^W */
	press(&line, INPUT_CHAR, 0xe9);
	press(&line, INPUT_CHAR, 0x6f22);
	press(&line, INPUT_LEFT, 0);
	press(&line, INPUT_BACKSPACE, 0);
	assert_string_equal(line.text, "xprt = 漢");
	press(&line, INPUT_CHAR, 27); /* no control comes in */
	press(&line, INPUT_CHAR, 0x202e);
	assert_string_equal(line.text, "xprt = 漢");
	press(&line, INPUT_CHAR, 21); /* ^U: what is before */
	assert_string_equal(line.text, "漢");
	press(&line, INPUT_CHAR, 11); /* ^K: what is behind */
	assert_string_equal(line.text, "");
	press(&line, INPUT_BACKSPACE, 0);
	press(&line, INPUT_LEFT, 0);
	press(&line, INPUT_RIGHT, 0);
	assert_int_equal(line.at, 0);
}

static void test_a_line_is_bounded_and_its_end_is_seen(unused_argument void **state)
{
	struct line line;
	struct canvas canvas;
	line_set(&line, "");
	for (unsigned i = 0; i < 2 * LINE_MAX_BYTES; i++)
		press(&line, INPUT_CHAR, i == 600 ? 0x6f22 : 'a' + i % 26);
	assert_true(line.n < LINE_MAX_BYTES);
	assert_int_equal(canvas_init(&canvas, 2, 20, true), 0);
	assert_int_equal(line_draw(&line, &canvas, 0, "/", 0), -1); /* its begin is not shown */
	assert_int_equal(canvas.cursor_row, 0);
	assert_true(canvas.cursor_column > 0 && canvas.cursor_column < 20);
	line_set(&line, "port = x");
	assert_int_equal(line_draw(&line, &canvas, 1, "/", 7), 8);
	assert_int_equal(line_draw(&line, &canvas, 1, "/", 99), -1);
	canvas_done(&canvas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_escaped_cut_and_kept_inside),
		cmocka_unit_test(test_wide_and_combining_characters),
		cmocka_unit_test(test_without_utf8_nothing_else_is_put),
		cmocka_unit_test(test_a_line_is_edited),
		cmocka_unit_test(test_a_line_is_bounded_and_its_end_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
