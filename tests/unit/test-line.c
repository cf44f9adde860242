/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines, and as what a filter chooses. */
#include <errno.h>
#include <jansson.h>

#include "made.h"

#include "base/text.h"
#include "model/filter.h"
#include "view/line.h"

#define AT 1772334000123456789u /* 2026-03-01 03:00:00.123456789 UTC */

static struct event made_event(const struct snapshot *snapshot, enum event_kind kind,
			       uint32_t socket)
{
	return (struct event){.time_ns = AT,
			      .uptime_ns = 5000000001,
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = (uint8_t)kind,
			      .sure = SURE_EXACT,
			      .snapshot = snapshot,
			      .socket = socket,
			      .by = NONE,
			      .in_the_way = NONE};
}

/* postgres holds 5432, a second one tried; a connection to it was reset. */
static int make_host(void **state)
{
	struct snapshot *s = made_new();
	uint32_t listener = made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:5432", NULL),
		 connection = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:5432",
					  "127.0.0.1:40000");
	uint32_t postgres = made_process(s, 300, 1, "postgres", "postgresql.service");
	made_process(s, 301, 1, "second", NULL);
	made_hold(s, listener, postgres, 5);
	made_hold(s, connection, postgres, 9);
	assert_int_equal(snapshot_seal(s), 0);
	*state = s;
	return 0;
}

static int free_host(void **state)
{
	snapshot_free(*state);
	return 0;
}

static struct event refused(const struct snapshot *s)
{
	struct event event = made_event(s, EVENT_REFUSED, 0);
	event.error = EADDRINUSE;
	event.error_sure = SURE_PROBABLE;
	event.by = 1;
	event.in_the_way = 0;
	return event;
}

static struct event ended(const struct snapshot *s)
{
	struct event event = made_event(s, EVENT_ENDED, 1);
	event.duration_ns = 1250000000;
	event.bytes_sent = 512;
	event.bytes_received = 0;
	event.how = HOW_RESET;
	return event;
}

static json_t *json_of(struct line *line, const struct event *event)
{
	cleanup(out_done) struct out out;
	json_error_t error;
	assert_int_equal(out_init(&out, -1), 0);
	line_json(line, &out, event, NULL);
	assert_true(out.n && out.data[out.n - 1] == '\n');
	assert_null(memchr(out.data, '\n', out.n - 1));
	json_t *json = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s: %.*s", error.text, (int)out.n, out.data);
	return json;
}

static const char *text_at(json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void test_json_has_the_keys_that_it_keeps(void **state)
{
	static const char *const keys[] = {
		"event",      "time",	      "uptime",		"local_address",
		"local_port", "peer_address", "peer_port",	"proto",
		"family",     "state",	      "cookie",		"netns",
		"role",	      "held_by",      "holder",		"by",
		"sure",	      "errno",	      "errno_name",	"errno_sure",
		"duration",   "bytes_sent",   "bytes_received", "how",
		"source",     "count",	      "inode",		"uid",
		"reach"};
	const struct snapshot *s = *state;
	struct line *line = line_new(&(struct line_style){0});
	struct event event = made_event(s, EVENT_OPENED, 0);
	json_t *json = json_of(line, &event);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!json_object_get(json, keys[i]))
			fail_msg("%s is missing", keys[i]);
	assert_string_equal(text_at(json, "time"), "2026-03-01T03:00:00.123456789Z");
	assert_float_equal(json_real_value(json_object_get(json, "uptime")), 5.000000001, 1e-9);
	assert_true(json_is_null(json_object_get(json, "by")));
	assert_true(json_is_null(json_object_get(json, "errno")));
	assert_string_equal(text_at(json_object_get(json, "holder"), "exe"), "/usr/bin/postgres");
	json_decref(json);
	line_free(line);
}

static void test_json_tells_what_stood_in_the_way(void **state)
{
	struct line *line = line_new(&(struct line_style){0});
	struct event event = refused(*state);
	json_t *json = json_of(line, &event), *way = json_object_get(json, "in_the_way");
	assert_int_equal(json_integer_value(json_object_get(json, "errno")), EADDRINUSE);
	assert_string_equal(text_at(json, "errno_sure"), "probable");
	assert_string_equal(text_at(json_object_get(json, "by"), "name"), "second");
	assert_string_equal(text_at(json_object_get(json, "holder"), "name"), "postgres");
	assert_int_equal(json_integer_value(json_object_get(way, "local_port")), 5432);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(way, "holder"), "fd")),
			 5);
	json_decref(json);
	line_free(line);
}

/* Its place in memory, its pid and its start say nothing once it executed another file. */
static void test_a_process_that_changed_is_written_anew(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	uint32_t index = made_process(s, 100, 1, "before", NULL);
	made_hold(s, socket, index, 3);
	assert_int_equal(snapshot_seal(s), 0);
	struct process *process = vector_at(&s->processes, index);
	char exe[] = "/usr/bin/first";
	process->exe = exe;
	struct line *line = line_new(&(struct line_style){0});
	struct event event = made_event(s, EVENT_OPENED, socket);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2)
			memcpy(exe, "/usr/bin/other", sizeof(exe));
		json_t *json = json_of(line, &event);
		assert_string_equal(text_at(json_object_get(json, "holder"), "exe"), exe);
		json_decref(json);
	}
	line_free(line);
	snapshot_free(s);
}

static void test_what_is_of_the_watching_has_no_socket(unused_argument void **state)
{
	struct snapshot *s = made_new();
	s->host = "here";
	s->boot_id = "b";
	struct line *line = line_new(&(struct line_style){0});
	struct event event = made_event(s, EVENT_STARTED, NONE);
	json_t *json = json_of(line, &event);
	assert_string_equal(text_at(json, "event"), "started");
	assert_string_equal(text_at(json, "host"), "here");
	assert_string_equal(text_at(json, "schema"), "doorward/1");
	assert_null(json_object_get(json, "local_port"));
	json_decref(json);
	event = made_event(s, EVENT_LOST, NONE);
	event.count = 17;
	event.why = "the reader is \"slow\"";
	json = json_of(line, &event);
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 17);
	assert_string_equal(text_at(json, "reason"), event.why);
	json_decref(json);
	line_free(line);
	snapshot_free(s);
}

/* ---- for people ---- */

static void assert_line(const struct event *event, unsigned columns, const char *wanted)
{
	cleanup(out_done) struct out out;
	struct line *line = line_new(&(struct line_style){.columns = columns, .is_utf8 = true});
	assert_int_equal(out_init(&out, -1), 0);
	line_text(line, &out, event);
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	line_free(line);
}

static void test_a_line_says_it_all(void **state)
{
	const struct snapshot *s = *state;
	struct event event = made_event(s, EVENT_OPENED, 0);
	assert_line(&event, 0,
		    "2026-03-01 04:00:00.123+01:00  opened         tcp 127.0.0.1:5432         "
		    "postgres (300)\n");
	event = refused(s);
	assert_line(&event, 0,
		    "2026-03-01 04:00:00.123+01:00  refused        tcp 127.0.0.1:5432         "
		    "second (301): EADDRINUSE, probably; in the way: 127.0.0.1:5432 LISTEN of "
		    "postgres (300)\n");
	event = ended(s);
	assert_line(&event, 0,
		    "2026-03-01 04:00:00.123+01:00  ended          tcp 127.0.0.1:5432 <- "
		    "127.0.0.1:40000  postgres (300), after 1.2 s, 512 B sent, 0 B received, "
		    "reset\n");
	event = made_event(s, EVENT_LOST, NONE);
	event.count = 3;
	assert_line(&event, 0,
		    "2026-03-01 04:00:00.123+01:00  lost           3 events are not known\n");
}

static void test_a_line_is_fitted_and_its_ends_stay_whole(void **state)
{
	struct event event = ended(*state);
	assert_line(&event, 80,
		    "2026-03-01, local time CET (UTC+01:00)\n"
		    "04:00:00.123  ended          tcp 127.0.0.1:5432 <- 127.0.0.1:40000\n"
		    "              postgres (300), after 1.2 s, 512 B sent, 0 B received, reset\n");
	assert_line(&event, 100,
		    "2026-03-01, local time CET (UTC+01:00)\n"
		    "04:00:00.123  ended          tcp 127.0.0.1:5432 <- 127.0.0.1:40000  "
		    "postgres (300), after 1.2 s, 51…\n");
}

static void test_what_a_process_calls_itself_is_no_escape(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_UDP, STATE_UNCONN, "[::1]:53", NULL);
	made_hold(s, socket, made_process(s, 7, 1, "\033[2J\nx", NULL), 3);
	assert_int_equal(snapshot_seal(s), 0);
	struct event event = made_event(s, EVENT_CLOSED, socket);
	assert_line(&event, 0,
		    "2026-03-01 04:00:00.123+01:00  closed         udp [::1]:53               "
		    "\\e[2J\\nx (7)\n");
	snapshot_free(s);
}

/* ---- filters ---- */

static void assert_matches(const struct event *event, const char *text, bool wanted)
{
	struct filter *filter;
	struct error err = {0};
	if (filter_parse(text, NULL, &filter, &err) < 0)
		fail_msg("%s", err.what);
	if (filter_match_event(filter, event) != wanted)
		fail_msg("%s: it should %smatch", text, wanted ? "" : "not ");
	filter_free(filter);
}

static void test_filters_choose_events(void **state)
{
	const struct snapshot *s = *state;
	struct event event = refused(s);
	static const char *const met[] = {
		"event = refused and port = 5432",
		"refused",
		"event in refused, opened",
		"errno = 98",
		"errno_name = EADDRINUSE",
		"errno_sure = probable",
		"process = postgres",
		"process = second",
		"by = second",
		"by = 301",
		"pid = 301",
		"state = listen",
		"not event = opened",
		"sure = exact",
	};
	static const char *const not_met[] = {
		"event = opened", "opened",    "process = nginx",     "duration > 0",
		"how = reset",	  "by = 300",  "not refused",	      "bytes_sent >= 0",
		"count > 0",	  "port = 80", "bytes_received >= 0",
	};
	for (size_t i = 0; i < ARRAY_SIZE(met); i++)
		assert_matches(&event, met[i], true);
	for (size_t i = 0; i < ARRAY_SIZE(not_met); i++)
		assert_matches(&event, not_met[i], false);
	event = ended(s);
	assert_matches(&event, "duration > 0 and duration <= 1 and how = reset", true);
	assert_matches(&event, "bytes_sent = 512 and bytes_received = 0", true);
	assert_matches(&event, "time ~ 2026-03-01T03", true);
	event = made_event(s, EVENT_LOST, NONE); /* of the watching: no socket to ask */
	event.count = 1;
	assert_matches(&event, "port = 0 or process ~ a or not count > 0", false);
}

static void test_a_listed_socket_has_no_event(void **state)
{
	static const char *const texts[] = {"event = opened", "refused", "errno = 0", "by = root",
					    "source = bpf"};
	struct filter *filter;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(filter_parse(texts[i], NULL, &filter, NULL), 0);
		assert_false(filter_match(filter, *state, 0));
		filter_free(filter);
	}
	const struct field **list;
	struct error err = {0};
	assert_int_equal(fields_parse("port,duration", &list, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.what, "duration is a field of events"));
}

static void test_bounds_say_which_events_are_wanted(unused_argument void **state)
{
	static const struct {
		const char *text;
		uint32_t events;
	} cases[] = {
		{"event = refused and port = 1", 1u << EVENT_REFUSED},
		{"opened or closed", 1u << EVENT_OPENED | 1u << EVENT_CLOSED},
		{"not ended", ((1u << EVENT_MAX) - 1) & ~(1u << EVENT_ENDED)},
		{"opened or port = 1", (1u << EVENT_MAX) - 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *filter;
		assert_int_equal(filter_parse(cases[i].text, NULL, &filter, NULL), 0);
		assert_int_equal(filter_bounds(filter).events, cases[i].events);
		filter_free(filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_has_the_keys_that_it_keeps),
		cmocka_unit_test(test_json_tells_what_stood_in_the_way),
		cmocka_unit_test(test_a_process_that_changed_is_written_anew),
		cmocka_unit_test(test_what_is_of_the_watching_has_no_socket),
		cmocka_unit_test(test_a_line_says_it_all),
		cmocka_unit_test(test_a_line_is_fitted_and_its_ends_stay_whole),
		cmocka_unit_test(test_what_a_process_calls_itself_is_no_escape),
		cmocka_unit_test(test_filters_choose_events),
		cmocka_unit_test(test_a_listed_socket_has_no_event),
		cmocka_unit_test(test_bounds_say_which_events_are_wanted),
	};
	setenv("TZ", "CET-1", 1);
	return cmocka_run_group_tests(tests, make_host, free_host);
}
