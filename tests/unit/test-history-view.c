/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a history remembers as table, JSON and CSV; and how a grid fits. */
#include <jansson.h>

#include "made.h"

#include "base/text.h"
#include "view/history.h"

#define NS UINT64_C(1000000000)
#define AT (1772334000 * NS) /* 2026-03-01 03:00:00 UTC */

/* nginx serves 80 still and was asked once; a door that was there before is gone. */
static int make_history(void **state)
{
	static struct remembered remembered;
	struct snapshot *s = made_new();
	uint32_t web = made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 asked = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80",
				     "203.0.113.20:40000"),
		 gone = made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:5432", NULL);
	uint32_t nginx = made_process(s, 812, 1, "nginx", "nginx.service"),
		 evil = made_process(s, 99, 1, "\033[2Jevil", NULL);
	made_hold(s, web, nginx, 5);
	made_hold(s, asked, nginx, 9);
	made_hold(s, gone, evil, 3);
	assert_int_equal(snapshot_seal(s), 0);
	remembered_init(&remembered);
	remembered.snapshot = s;
	*(struct interval *)vector_add(&remembered.intervals) =
		(struct interval){.opened_ns = AT + 3600 * NS,
				  .duration_ns = 60 * NS,
				  .bytes_sent = EVENT_UNKNOWN,
				  .bytes_received = EVENT_UNKNOWN,
				  .socket = web,
				  .by = NONE,
				  .sure = SURE_EXACT,
				  .opened_exact = true};
	*(struct interval *)vector_add(&remembered.intervals) =
		(struct interval){.opened_ns = AT + 3601 * NS,
				  .closed_ns = AT + 3602 * NS + NS / 2,
				  .duration_ns = NS + NS / 2,
				  .bytes_sent = 512,
				  .bytes_received = 80,
				  .socket = asked,
				  .by = NONE,
				  .sure = SURE_PROBABLE,
				  .how = HOW_RESET,
				  .opened_exact = true,
				  .closed_exact = true};
	*(struct interval *)vector_add(&remembered.intervals) =
		(struct interval){.opened_ns = AT,
				  .closed_ns = AT + 86400 * NS,
				  .duration_ns = 86400 * NS,
				  .bytes_sent = EVENT_UNKNOWN,
				  .bytes_received = EVENT_UNKNOWN,
				  .socket = gone,
				  .by = nginx};
	*(struct gap *)vector_add(&remembered.gaps) = (struct gap){
		.from_ns = AT, .to_ns = AT + 5 * NS, .lost = 3, .why = "started again"};
	*(struct clock_jump *)vector_add(&remembered.jumps) =
		(struct clock_jump){.time_ns = AT, .by_ns = -(int64_t)(3600 * NS)};
	*(struct door_change *)vector_add(&remembered.changes) =
		(struct door_change){AT + 3600 * NS, 0, 2, DOOR_HOLDER};
	*(struct door_change *)vector_add(&remembered.changes) =
		(struct door_change){AT + 86400 * NS, 2, NONE, DOOR_GONE};
	*(struct first_seen *)vector_add(&remembered.firsts) = (struct first_seen){AT, false, gone};
	*(struct idle_door *)vector_add(&remembered.idle) = (struct idle_door){0, 0};
	*state = &remembered;
	return 0;
}

static int free_history(void **state)
{
	remembered_done(*state);
	return 0;
}

static struct history_show show_of(void **state)
{
	return (struct history_show){
		.remembered = *state, .now_ns = AT + 90000 * NS, .zone = &zone_utc};
}

static char *table_of(void **state, enum history_question question, unsigned columns)
{
	struct out out;
	const struct history_show show = show_of(state);
	assert_int_equal(out_init(&out, -1), 0);
	const struct page page = {.out = &out, .is_utf8 = true, .columns = columns};
	assert_int_equal(history_table(&page, &show, question), 0);
	out_char(&out, '\0');
	return out.data;
}

static void assert_says(const char *text, const char *wanted)
{
	if (!text)
		text = "";
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void test_the_table_tells_from_when_to_when(void **state)
{
	char *text = table_of(state, HISTORY_INTERVALS, 0);
	assert_says(text, "2026-03-01 04:00:00");
	assert_says(text, "open");
	assert_says(text, "nginx (812)?"); /* of the connection only probably */
	assert_says(text, "reset");
	assert_says(text, "≤2026-03-01 03:00:00"); /* it was there before */
	assert_says(text, "~2026-03-02 03:00:00"); /* its end was not seen */
	assert_says(text, "times in UTC");
	assert_says(text, "started again; 3 events lost");
	assert_says(text, "1 h back");
	assert_null(strchr(text, '\033'));
	free(text);
}

static void test_the_table_fits_and_cuts_no_end(void **state)
{
	for (unsigned columns = 60; columns < 140; columns++) {
		char *text = table_of(state, HISTORY_INTERVALS, columns), *line = text;
		assert_says(text, "203.0.113.20:40000");
		assert_says(text, "\n2026-03-01\n"); /* the day once */
		for (char *end; (end = strchr(line, '\n')); line = end + 1)
			if (text_show(NULL, line, (size_t)(end - line)) > columns && columns >= 66)
				fail_msg("%u columns: %.*s", columns, (int)(end - line), line);
		free(text);
	}
}

static json_t *json_of(void **state, enum history_question question)
{
	struct out out;
	json_error_t error;
	const struct history_show show = show_of(state);
	assert_int_equal(out_init(&out, -1), 0);
	assert_int_equal(history_json(&out, &show, question), 0);
	json_t *json = json_loadb(out.data, out.n, 0, &error);
	if (!json)
		fail_msg("%s at %d: %.*s", error.text, error.position, (int)out.n, out.data);
	out_done(&out);
	return json;
}

static void test_json_has_each_interval_whole(void **state)
{
	json_t *json = json_of(state, HISTORY_INTERVALS), *intervals, *one, *gap;
	intervals = json_object_get(json, "intervals");
	assert_int_equal(json_array_size(intervals), 3);
	one = json_array_get(intervals, 0);
	assert_true(json_is_null(json_object_get(one, "closed")));
	assert_true(json_is_null(json_object_get(one, "closed_exact")));
	assert_string_equal(json_string_value(json_object_get(one, "opened")),
			    "2026-03-01T04:00:00.000000000Z");
	assert_int_equal(json_integer_value(json_object_get(one, "local_port")), 80);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "holder"), "pid")),
			 812);
	one = json_array_get(intervals, 1);
	assert_true(json_is_true(json_object_get(one, "closed_exact")));
	assert_int_equal(json_integer_value(json_object_get(one, "bytes_sent")), 512);
	assert_string_equal(json_string_value(json_object_get(one, "how")), "reset");
	one = json_array_get(intervals, 2);
	assert_true(json_is_false(json_object_get(one, "opened_exact")));
	assert_true(json_is_null(json_object_get(one, "bytes_sent")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "by"), "pid")),
			 812);
	gap = json_array_get(json_object_get(json, "gaps"), 0);
	assert_int_equal(json_integer_value(json_object_get(gap, "lost")), 3);
	assert_string_equal(json_string_value(json_object_get(gap, "why")), "started again");
	assert_string_equal(json_string_value(json_object_get(json, "schema")), "doorward/1");
	assert_true(json_is_array(json_object_get(json, "events")));
	json_decref(json);
}

static void test_each_question_has_its_list(void **state)
{
	static const char *const keys[] = {"intervals", "first_seen", "changes", "idle"};
	static const size_t n[] = {3, 1, 2, 1};
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *json = json_of(state, (enum history_question)i);
		assert_int_equal(json_array_size(json_object_get(json, keys[i])), n[i]);
		json_decref(json);
	}
}

static void test_changes_are_told_by_kind(void **state)
{
	char *text = table_of(state, HISTORY_CHANGES, 100);
	const char *holder = strstr(text, "1 new holder of an old door"),
		   *gone = strstr(text, "1 gone door");
	assert_true(holder && gone && holder < gone);
	assert_says(text, "tcp 0.0.0.0:80");
	assert_says(text, "\\e[2Jevil (99)"); /* who held it before, escaped */
	assert_null(strchr(text, '\033'));
	free(text);
}

static void test_csv_has_a_row_each(void **state)
{
	struct out out;
	const struct history_show show = show_of(state);
	assert_int_equal(out_init(&out, -1), 0);
	assert_int_equal(history_csv(&out, &show, HISTORY_INTERVALS), 0);
	out_char(&out, '\0');
	unsigned n_lines = 0, n_commas = 0;
	for (const char *c = out.data; *c; c++) {
		n_lines += *c == '\n';
		n_commas += *c == ',';
	}
	assert_int_equal(n_lines, 4);
	assert_int_equal(n_commas % 4, 0); /* as many in each */
	assert_says(out.data, "\n2026-03-01T04:00:00.000000000Z,,true,,60.000000000,,,,exact,tcp,");
	out_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_tells_from_when_to_when),
		cmocka_unit_test(test_the_table_fits_and_cuts_no_end),
		cmocka_unit_test(test_json_has_each_interval_whole),
		cmocka_unit_test(test_each_question_has_its_list),
		cmocka_unit_test(test_changes_are_told_by_kind),
		cmocka_unit_test(test_csv_has_a_row_each),
	};
	return cmocka_run_group_tests(tests, make_history, free_history);
}
