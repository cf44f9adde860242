/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options: a table fills a struct, and whatever is wrong is said with the nearest right word. */
#include "check.h"

#include <errno.h>

#include "base/options.h"

struct settings {
	bool all, json, pager, order;
	const char *fields;
	int output;
	uint32_t count;
	uint64_t wait;
};

static const char *const outputs[] = {"table", "json", "csv", NULL};

static const struct option options[] = {
	{OPTION_FLAG, 'a', "all", offsetof(struct settings, all), NULL, "every socket"},
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, json), NULL, "as JSON"},
	{OPTION_NO_FLAG, 0, "no-pager", offsetof(struct settings, pager), NULL, "no pager"},
	{OPTION_TEXT, 'f', "fields", offsetof(struct settings, fields), "LIST",
	 "these columns, of which the help is so long that it has to go on in the next line"},
	{OPTION_WORD, 'o', "output", offsetof(struct settings, output), "FORM", "the form",
	 .words = outputs},
	{OPTION_NUMBER, 0, "count", offsetof(struct settings, count), "N", "how many", .min = 1,
	 .max = 100},
	{OPTION_DURATION, 0, "wait", offsetof(struct settings, wait), "TIME", "how long", .min = 5,
	 .max = 180000},
	{OPTION_FLAG, 0, "ap", offsetof(struct settings, order), NULL, "one word",
	 .is_single_dash = true},
	OPTION_IS_MEANT('t', "tcp", "a filter says it"),
	{.kind = OPTION_MEANT,
	 .name = "sV",
	 .is_single_dash = true,
	 .help = "--all",
	 .is_hidden = true},
	{OPTION_FLAG, 'X', "extra", offsetof(struct settings, all), NULL, "hidden",
	 .is_hidden = true},
	{OPTION_END},
};

static struct settings settings;
static char *rest[16];
static unsigned n_rest;
static struct error err;

/* Words with blanks between, parsed into what stands above. */
static int parse(const char *line, bool stop_at_first)
{
	static char text[256];
	char *at = text;
	unsigned n = 0;
	settings = (struct settings){.pager = true, .count = 5};
	err = (struct error){.code = 0};
	strncpy(text, line, sizeof(text) - 1);
	for (char *word; (word = strsep(&at, " "));)
		rest[n++] = word;
	rest[n] = NULL;
	return options_parse(options, &settings, rest, stop_at_first, &n_rest, &err);
}

static void test_options_fill_the_struct(unused_argument void **state)
{
	assert_int_equal(parse("-a --no-pager --fields a,b -o csv --count=7 --wait 2m", false), 0);
	assert_true(settings.all);
	assert_false(settings.pager);
	assert_false(settings.json);
	assert_string_equal(settings.fields, "a,b");
	assert_int_equal(settings.output, 2);
	assert_int_equal(settings.count, 7);
	assert_int_equal(settings.wait, 120000);
	assert_int_equal(n_rest, 0);
}

static void test_letters_go_together(unused_argument void **state)
{
	assert_int_equal(parse("-ajfx,y port", false), 0);
	assert_true(settings.all && settings.json);
	assert_string_equal(settings.fields, "x,y");
	assert_string_equal(rest[0], "port");
	assert_int_equal(parse("-aj -f -", false), 0);
	assert_string_equal(settings.fields, "-");
}

static void test_a_single_dash_word_is_one(unused_argument void **state)
{
	assert_int_equal(parse("-ap", false), 0);
	assert_true(settings.order);
	assert_false(settings.all);
	assert_int_equal(parse("--ap", false), -EINVAL);
}

static void test_arguments_stand_between_and_keep_their_order(unused_argument void **state)
{
	assert_int_equal(parse("port -a = --json 80 -- -x", false), 0);
	assert_true(settings.all && settings.json);
	assert_int_equal(n_rest, 4);
	assert_string_equal(rest[0], "port");
	assert_string_equal(rest[1], "=");
	assert_string_equal(rest[2], "80");
	assert_string_equal(rest[3], "-x");
	assert_null(rest[4]);
}

static void test_they_end_at_the_first_where_that_is_wanted(unused_argument void **state)
{
	assert_int_equal(parse("-a word -j", true), 0);
	assert_true(settings.all);
	assert_false(settings.json);
	assert_int_equal(n_rest, 2);
}

static void test_a_name_may_be_shortened_while_unique(unused_argument void **state)
{
	assert_int_equal(parse("--fie a --no", false), 0);
	assert_string_equal(settings.fields, "a");
	assert_false(settings.pager);
	static const struct option two[] = {
		{OPTION_FLAG, 0, "sort", offsetof(struct settings, all), NULL, ""},
		{OPTION_FLAG, 0, "sorted", offsetof(struct settings, json), NULL, ""},
		{OPTION_END},
	};
	char *words[] = {(char[]){"--so"}, NULL};
	assert_int_equal(options_parse(two, &settings, words, false, &n_rest, &err), -EINVAL);
	words[0] = (char[]){"--sort"}; /* whole, though it begins another */
	assert_int_equal(options_parse(two, &settings, words, false, &n_rest, &err), 0);
}

static void test_what_is_wrong_is_said(unused_argument void **state)
{
	static const struct {
		const char *line, *what, *hint;
	} cases[] = {
		{"--filds a", "there is no option --filds", "did you mean --fields?"},
		{"-z", "there is no option -z", ""},
		{"-az", "there is no option -z", ""},
		{"-tan", "there is no option -tan", "a filter says it"},
		{"-at", "there is no option -t", "a filter says it"},
		{"--tcp", "there is no option --tcp", "a filter says it"},
		{"--tcp=1", "there is no option --tcp=1", "a filter says it"},
		{"-sV", "there is no option -sV", "--all"},
		{"--json=yes", "--json takes no argument", ""},
		{"--fields", "--fields needs an argument: LIST", ""},
		{"-f", "--fields needs an argument: LIST", ""},
		{"-o jsn", "--output jsn: it takes one of table, json, csv", "did you mean json?"},
		{"--count 0", "--count 0: it takes a number from 1 to 100", ""},
		{"--count 1x", "--count 1x: it takes a number from 1 to 100", ""},
		{"--wait soon", "--wait soon: it takes a time such as 500ms, 10s, 5m", ""},
		{"--wait 4ms", "--wait 4ms: it takes at least 5 ms", ""},
		{"--wait 4m", "--wait 4m: it takes at most 3 min", ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].line, false), -EINVAL);
		assert_string_equal(err.what, cases[i].what);
		assert_string_equal(err.hint, cases[i].hint);
	}
}

static void test_a_command_of_its_own_stands_alone_behind_dashes(unused_argument void **state)
{
	bool is_command = false;
	const struct option dashes[] = {{.kind = OPTION_DASHES}, {.kind = OPTION_END}};
	char *alone[] = {(char[]){"--"}, (char[]){"true"}, (char[]){"-x"}, NULL};
	assert_int_equal(options_parse(dashes, &is_command, alone, false, &n_rest, &err), 0);
	assert_true(is_command && n_rest == 2);
	char *behind[] = {(char[]){"80"}, (char[]){"--"}, (char[]){"true"}, NULL};
	assert_int_equal(options_parse(dashes, &is_command, behind, false, &n_rest, &err), -EINVAL);
	assert_string_equal(err.what, "80: nothing but options stands before --");
}

static void test_the_help_has_a_line_for_each(unused_argument void **state)
{
	static const char wanted[] =
		"  -a, --all                 every socket\n"
		"  -j, --json                as JSON\n"
		"      --no-pager            no pager\n"
		"  -f, --fields LIST         these columns, of which the help is so long\n"
		"                            that it has to go on in the next line\n"
		"  -o, --output FORM         the form\n"
		"      --count N             how many\n"
		"      --wait TIME           how long\n"
		"  -ap                       one word\n";
	cleanup(out_done) struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	options_help(&out, options, 72);
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_fill_the_struct),
		cmocka_unit_test(test_letters_go_together),
		cmocka_unit_test(test_a_single_dash_word_is_one),
		cmocka_unit_test(test_arguments_stand_between_and_keep_their_order),
		cmocka_unit_test(test_they_end_at_the_first_where_that_is_wanted),
		cmocka_unit_test(test_a_name_may_be_shortened_while_unique),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_a_command_of_its_own_stands_alone_behind_dashes),
		cmocka_unit_test(test_the_help_has_a_line_for_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
