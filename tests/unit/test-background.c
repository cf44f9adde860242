/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a terminal answers of its background, and the colours on it. */
#include "check.h"

#include <unistd.h>

#include "screen/background.h"
#include "screen/palette.h"

static void assert_parsed(const char *bytes, enum background wanted, bool is_whole)
{
	bool got;
	assert_int_equal(background_parse(bytes, strlen(bytes), &got), wanted);
	assert_int_equal(got, is_whole);
}

static void test_answers_of_terminals(unused_argument void **state)
{
	assert_parsed("\033]11;rgb:0000/0000/0000\033\\\033[?62;4c", BACKGROUND_DARK, true);
	assert_parsed("\033]11;rgb:ffff/ffff/ffff\007\033[?1;2c", BACKGROUND_LIGHT, true);
	assert_parsed("\033]11;rgb:ff/ff/dd\007", BACKGROUND_LIGHT, false);
	assert_parsed("\033]11;rgba:1a1a/1b1b/2626/ffff\033\\", BACKGROUND_DARK, false);
	assert_parsed("q\033]11;rgb:f/f/f\007", BACKGROUND_LIGHT, false);
	assert_parsed("\033[?62;c", BACKGROUND_UNKNOWN, true);
	assert_parsed("\033]11;", BACKGROUND_UNKNOWN, false);
	assert_parsed("\033]11;rgb:", BACKGROUND_UNKNOWN, false);
	assert_parsed("\033]11;rgb:ff/ff", BACKGROUND_UNKNOWN, false);
	assert_parsed("\033]11;rgb:zz/ff/ff\007", BACKGROUND_UNKNOWN, false);
	assert_parsed("\033]11;white\007", BACKGROUND_UNKNOWN, false);
	assert_parsed("", BACKGROUND_UNKNOWN, false);
}

/* Whatever part of an answer has come. */
static void test_any_part_of_an_answer(unused_argument void **state)
{
	static const char answer[] = "\033]11;rgb:ffff/ffff/ffff\033\\\033[?62;c";
	for (size_t n = 0; n < sizeof(answer); n++) {
		bool is_whole;
		char *part = malloc(n + 1); /* so that a sanitizer sees a byte beyond */
		memcpy(part, answer, n);
		background_parse(part, n, &is_whole);
		free(part);
	}
}

static void test_the_variable(unused_argument void **state)
{
	assert_int_equal(background_of_variable("15;0"), BACKGROUND_DARK);
	assert_int_equal(background_of_variable("0;15"), BACKGROUND_LIGHT);
	assert_int_equal(background_of_variable("0;default;7"), BACKGROUND_LIGHT);
	assert_int_equal(background_of_variable("0;default"), BACKGROUND_UNKNOWN);
	assert_int_equal(background_of_variable(NULL), BACKGROUND_UNKNOWN);
}

/* Nobody answers: it ends all the same. */
static void test_nobody_answers(unused_argument void **state)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct typed typed;
	/* not even itself: the question is read as what was typed, and kept */
	assert_int_equal(background_ask(ends[0], ends[1], &typed), BACKGROUND_UNKNOWN);
	close(ends[0]);
	close(ends[1]);
}

static void assert_typed(const char *bytes, const char *wanted)
{
	struct typed typed;
	background_typed(bytes, strlen(bytes), &typed);
	assert_int_equal(typed.n, strlen(wanted));
	assert_memory_equal(typed.bytes, wanted, typed.n);
}

/* What a person types before the answers, between them and behind them is no answer. */
static void test_what_is_typed_meanwhile_is_kept(unused_argument void **state)
{
	assert_typed("", "");
	assert_typed("q", "q");
	assert_typed("a\033]11;rgb:0/0/0\ab\033[?62;4cd", "abd");
	assert_typed("\033]11;rgb:0/0/0\033\\3", "3");
	assert_typed("\033[A\033[?62;c", "\033[A"); /* a key of the cursor */
	assert_typed("\033]11;rgb:1c", "\033]11;rgb:1c");
	assert_typed("\033[?62", "\033[?62");
	assert_typed("\033", "\033");
	assert_typed("\033[?25h", "\033[?25h");
}

static void test_colours_of_few_and_many(unused_argument void **state)
{
	assert_int_equal(palette_colour(INK_PLAIN, COLOURS_256, false), -1);
	assert_int_equal(palette_colour(INK_NEW, COLOURS_NONE, false), -1);
	assert_int_equal(palette_colour(INK_NEW, COLOURS_8, false), 2);
	assert_int_equal(palette_colour(INK_NEW, COLOURS_16, false), 10);
	assert_int_equal(palette_colour(INK_NEW, COLOURS_256, false), 83);
	assert_int_equal(palette_colour(INK_NEW, COLOURS_DIRECT, false), 0x5fff5f);
	for (unsigned ink = 0; ink < INK_MAX; ink++)
		for (unsigned light = 0; light < 2; light++) {
			int colour = palette_colour((enum ink)ink, COLOURS_256, light);
			assert_true(colour >= -1 && colour < 256);
			assert_true(palette_colour((enum ink)ink, COLOURS_8, light) < 8);
		}
}

/* What is light on a dark ground is none on a light one, and what is dark none on a dark. */
static void test_sixteen_are_to_be_seen_on_either_ground(unused_argument void **state)
{
	static const enum ink letters[] = {INK_TITLE, INK_NEW, INK_CHANGED, INK_GONE, INK_WARNING};
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		int light = palette_colour(letters[i], COLOURS_16, true);
		assert_true(light >= 1 && light <= 6);
		assert_true(palette_colour(letters[i], COLOURS_8, false) >= 1);
	}
	for (int light = 0; light < 2; light++)
		for (int colours = COLOURS_8; colours <= COLOURS_16; colours++)
			assert_int_not_equal(
				palette_colour(INK_CURSOR, (enum colours)colours, light),
				palette_colour(INK_CLOSED, (enum colours)colours, light));
	assert_int_equal(palette_colour(INK_DIM, COLOURS_16, false), 8);
	assert_int_equal(palette_colour(INK_DIM, COLOURS_8, false), -1); /* black on black */
	assert_int_equal(palette_colour(INK_BAR_DIM, COLOURS_8, true), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_terminals),
		cmocka_unit_test(test_any_part_of_an_answer),
		cmocka_unit_test(test_the_variable),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_what_is_typed_meanwhile_is_kept),
		cmocka_unit_test(test_colours_of_few_and_many),
		cmocka_unit_test(test_sixteen_are_to_be_seen_on_either_ground),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
