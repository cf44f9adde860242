/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as a terminal may see them, as JSON, and in order. */
#include "check.h"

#include "model/value.h"

static const char *text_of(struct out *out, const struct value *value)
{
	out->n = 0;
	value_text(out, value);
	out_char(out, '\0');
	return out->data;
}

static const char *json_of(struct out *out, const struct value *value)
{
	out->n = 0;
	value_json(out, value);
	out_char(out, '\0');
	return out->data;
}

static struct value string_of(const char *text)
{
	return (struct value){.kind = VALUE_STRING, .text = text, .length = (uint32_t)strlen(text)};
}

static void test_nothing_foreign_reaches_a_terminal(unused_argument void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"nginx", "nginx"},
		{"a b", "a b"},
		{"a\nb", "a\\nb"},
		{"\033[31mred", "\\e[31mred"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b", "\\u{009b}"},
		{"\xe2\x80\xae", "\\u{202e}"},
		{"\xff", "\\xff"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
	};
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value value = string_of(cases[i].text);
		assert_string_equal(text_of(&out, &value), cases[i].shown);
		value.kind = VALUE_OBJECT;
		assert_string_equal(text_of(&out, &value), cases[i].shown);
	}
	out_done(&out);
}

static void test_json_is_valid_whatever_comes(unused_argument void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"nginx", "\"nginx\""},
		{"", "\"\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"a\nb\033", "\"a\\u000ab\\u001b\""},
		{"\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{"caf\xc3\xa9", "\"caf\xc3\xa9\""},
		{"cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value value = string_of(cases[i].text);
		assert_string_equal(json_of(&out, &value), cases[i].json);
	}
	out_done(&out);
}

static void test_a_long_text_is_written_whole(unused_argument void **state)
{
	char text[5000];
	struct out out;
	memset(text, 'a', sizeof(text));
	for (size_t at = 0; at < sizeof(text); at += 7)
		text[at] = '\n';
	assert_int_equal(out_init(&out, -1), 0);
	json_quote(&out, text, sizeof(text));
	size_t n_escaped = (sizeof(text) + 6) / 7;
	assert_int_equal(out.n, sizeof(text) - n_escaped + 6 * n_escaped + 2);
	assert_int_equal(out.data[out.n - 1], '"');
	out_done(&out);
}

static void test_each_kind_has_its_text_and_its_json(unused_argument void **state)
{
	struct ip four = ip_from_v4((const uint8_t[]){10, 0, 0, 1});
	struct ip six = ip_from_v6((const uint8_t[16]){[15] = 1});
	const struct {
		struct value value;
		const char *text, *json;
	} cases[] = {
		{{.kind = VALUE_NULL}, "", "null"},
		{{.kind = VALUE_UINT, .number = UINT64_MAX},
		 "18446744073709551615",
		 "18446744073709551615"},
		{{.kind = VALUE_INT, .integer = INT64_MIN},
		 "-9223372036854775808",
		 "-9223372036854775808"},
		{{.kind = VALUE_BOOL, .number = 1}, "yes", "true"},
		{{.kind = VALUE_BOOL}, "no", "false"},
		{{.kind = VALUE_WORD, .text = "LISTEN", .length = 6}, "LISTEN", "\"LISTEN\""},
		{{.kind = VALUE_IP, .ip = &four, .is_v4 = true}, "10.0.0.1", "\"10.0.0.1\""},
		{{.kind = VALUE_IP, .ip = &four}, "::ffff:10.0.0.1", "\"::ffff:10.0.0.1\""},
		{{.kind = VALUE_IP, .ip = &six}, "::1", "\"::1\""},
		{{.kind = VALUE_ENDPOINT, .ip = &four, .port = 80, .is_v4 = true},
		 "10.0.0.1:80",
		 "\"10.0.0.1:80\""},
		{{.kind = VALUE_ENDPOINT, .ip = &six, .port = 443}, "[::1]:443", "\"[::1]:443\""},
		{{.kind = VALUE_ENDPOINT}, "*:*", "\"*:*\""},
	};
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(text_of(&out, &cases[i].value), cases[i].text);
		assert_string_equal(json_of(&out, &cases[i].value), cases[i].json);
		assert_int_equal(value_text(NULL, &cases[i].value), strlen(cases[i].text));
	}
	out_done(&out);
}

static void test_a_start_time_keeps_its_centiseconds(unused_argument void **state)
{
	struct value value = {.kind = VALUE_TIME, .real = 1700000000.07};
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	assert_string_equal(json_of(&out, &value), "1700000000.07");
	out_done(&out);
}

static void test_null_comes_last_and_numbers_by_size(unused_argument void **state)
{
	struct value null = {.kind = VALUE_NULL}, two = {.kind = VALUE_UINT, .number = 2},
		     ten = {.kind = VALUE_UINT, .number = 10}, a = string_of("a"),
		     ab = string_of("ab"), b = string_of("b");
	assert_true(value_compare(&two, &ten) < 0);
	assert_true(value_compare(&ten, &null) < 0);
	assert_true(value_compare(&null, &two) > 0);
	assert_int_equal(value_compare(&null, &null), 0);
	assert_true(value_compare(&a, &ab) < 0);
	assert_true(value_compare(&b, &ab) > 0);
	assert_int_equal(value_compare(&a, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_foreign_reaches_a_terminal),
		cmocka_unit_test(test_json_is_valid_whatever_comes),
		cmocka_unit_test(test_a_long_text_is_written_whole),
		cmocka_unit_test(test_each_kind_has_its_text_and_its_json),
		cmocka_unit_test(test_a_start_time_keeps_its_centiseconds),
		cmocka_unit_test(test_null_comes_last_and_numbers_by_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
