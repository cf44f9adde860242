/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from elsewhere: nothing that a terminal obeys comes through, and its width is known. */
#include "check.h"

#include "base/text.h"

/* What a terminal gets of @n bytes, as a string that the next call replaces. */
static const char *shown(const char *bytes, size_t n, size_t *ret_columns)
{
	static char text[4096];
	cleanup(out_done) struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	size_t columns = text_show(&out, bytes, n);
	assert_int_equal(columns, text_show(NULL, bytes, n));
	assert_true(out.n < sizeof(text));
	memcpy(text, out.data, out.n);
	text[out.n] = '\0';
	if (ret_columns)
		*ret_columns = columns;
	return text;
}

static void test_only_utf8_is_decoded(unused_argument void **state)
{
	static const struct {
		const char *bytes;
		int32_t point;
		size_t length;
	} cases[] = {
		{"a", 'a', 1},
		{"\xc3\xa9", 0xe9, 2},
		{"\xe2\x82\xac", 0x20ac, 3},
		{"\xf0\x9f\x9a\xaa", 0x1f6aa, 4},
		{"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
		{"\xc0\x80", -1, 1},		 /* overlong NUL */
		{"\xc1\xbf", -1, 1},		 /* overlong */
		{"\xe0\x80\xaf", -1, 1},	 /* overlong slash */
		{"\xf0\x80\x80\xaf", -1, 1},	 /* the same */
		{"\xed\xa0\x80", -1, 1},	 /* surrogate */
		{"\xf4\x90\x80\x80", -1, 1},	 /* above U+10FFFF */
		{"\xf8\x88\x80\x80\x80", -1, 1}, /* five bytes */
		{"\x80", -1, 1},		 /* continuation alone */
		{"\xc3", -1, 1},		 /* cut */
		{"\xe2\x82", -1, 1},		 /* cut */
		{"\xc3(", -1, 1},		 /* no continuation */
		{"\xff", -1, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = 0;
		assert_int_equal(text_decode(cases[i].bytes, strlen(cases[i].bytes), &length),
				 cases[i].point);
		assert_int_equal(length, cases[i].length);
	}
}

static void test_escapes_are_seen_not_obeyed(unused_argument void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"plain ~!", "plain ~!"},
		{"a\nb\tc\rd", "a\\nb\\tc\\rd"},
		{"\x1b[31m", "\\e[31m"},
		{"\x07", "\\x07"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b", "\\u{009b}"},	    /* CSI of C1 */
		{"\xe2\x80\xae", "\\u{202e}"},	    /* right to left override */
		{"\xe2\x81\xa6", "\\u{2066}"},	    /* isolate */
		{"\xe2\x80\x8b", "\\u{200b}"},	    /* zero width space */
		{"\xe2\x80\xa8", "\\u{2028}"},	    /* line separator */
		{"\xf3\xa0\x81\x81", "\\u{e0041}"}, /* tag */
		{"\xff\xfe", "\\xff\\xfe"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"back\\slash", "back\\slash"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(shown(cases[i].bytes, strlen(cases[i].bytes), NULL),
				    cases[i].text);
	assert_string_equal(shown("a\0b", 3, NULL), "a\\x00b");
}

static void test_no_byte_of_a_control_comes_through(unused_argument void **state)
{
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			const char bytes[2] = {(char)first, (char)second};
			for (const char *at = shown(bytes, 2, NULL); *at; at++)
				assert_true((uint8_t)*at >= 0x20 && *at != 0x7f);
		}
}

static void test_columns_are_what_a_terminal_takes(unused_argument void **state)
{
	static const struct {
		const char *bytes;
		size_t columns;
	} cases[] = {
		{"", 0},
		{"abc", 3},
		{"caf\xc3\xa9", 4},
		{"e\xcc\x81", 1}, /* combining */
		{"\xe6\xbc\xa2", 2},
		{"\xf0\x9f\x9a\xaa", 2},
		{"\xef\xbd\xb1", 1},
		/* half width */ {"\x1b", 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t columns;
		shown(cases[i].bytes, strlen(cases[i].bytes), &columns);
		assert_int_equal(columns, cases[i].columns);
	}
}

static const char *cut(const char *text, size_t columns, bool ascii)
{
	static char got[256];
	cleanup(out_done) struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	size_t used = text_show_cut(&out, text, strlen(text), columns, ascii);
	assert_true(used <= columns);
	memcpy(got, out.data, out.n);
	got[out.n] = '\0';
	return got;
}

static void test_a_cut_never_takes_more_columns(unused_argument void **state)
{
	assert_string_equal(cut("nginx", 5, false), "nginx");
	assert_string_equal(cut("nginx", 4, false), "ngi…");
	assert_string_equal(cut("nginx", 4, true), "ngi~");
	assert_string_equal(cut("nginx", 1, true), "~");
	assert_string_equal(cut("nginx", 0, true), "");
	assert_string_equal(cut("\xe6\xbc\xa2\xe6\xbc\xa2", 3, true), "\xe6\xbc\xa2~");
	assert_string_equal(cut("\xe6\xbc\xa2\xe6\xbc\xa2", 2, true), "~"); /* half is none */
	assert_string_equal(cut("a\x1b[0m", 3, true), "a~");		    /* no half escape */
}

static void test_the_nearest_word_is_what_was_meant(unused_argument void **state)
{
	static const char *const words[] = {"list", "show", "deliver", "explain", "netstat", NULL};
	assert_string_equal(text_nearest("lst", words), "list");
	assert_string_equal(text_nearest("sohw", words), "show");
	assert_string_equal(text_nearest("SHOW", words), "show");
	assert_string_equal(text_nearest("expl", words), "explain");
	assert_string_equal(text_nearest("netstats", words), "netstat");
	assert_null(text_nearest("zebra", words));
	assert_null(text_nearest("", words));
	assert_null(
		text_nearest("a-word-that-is-longer-than-any-that-could-have-been-meant", words));
}

static void test_a_part_is_found_in_either_case(unused_argument void **state)
{
	assert_true(text_contains("NetworkManager", "manager"));
	assert_true(text_contains("nginx", ""));
	assert_false(text_contains("nginx", "nginy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_utf8_is_decoded),
		cmocka_unit_test(test_escapes_are_seen_not_obeyed),
		cmocka_unit_test(test_no_byte_of_a_control_comes_through),
		cmocka_unit_test(test_columns_are_what_a_terminal_takes),
		cmocka_unit_test(test_a_cut_never_takes_more_columns),
		cmocka_unit_test(test_the_nearest_word_is_what_was_meant),
		cmocka_unit_test(test_a_part_is_found_in_either_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
