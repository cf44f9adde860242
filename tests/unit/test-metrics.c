/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenMetrics text: its form, foreign text in it, its bounds. */
#include <errno.h>
#include <stdio.h>

#include "made.h"

#include "view/metrics.h"

static struct out out = {.fd = -1};

static const char *print(struct snapshot *s)
{
	const struct metrics metrics = {.snapshot = s, .n_wrong_tokens = 3};
	assert_int_equal(snapshot_seal(s), 0);
	out_done(&out);
	assert_int_equal(out_init(&out, -1), 0);
	assert_int_equal(metrics_print(&out, &metrics), 0);
	out_char(&out, '\0');
	snapshot_free(s);
	return out.data;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_it_ends_as_it_must(unused_argument void **state)
{
	const char *text = print(made_new());
	size_t n = strlen(text);
	assert_string_equal(text + n - 6, "# EOF\n");
	assert_non_null(strstr(text, "\ndoorward_wrong_tokens_total 3\n"));
}

static void test_sockets_of_a_port_and_reach_are_one_series(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL);
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.2:80", NULL);
	made_socket(s, PROTO_TCP, STATE_LISTEN, "203.0.113.9:80", NULL);
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80", "1.2.3.4:5");
	const char *text = print(s);
	assert_non_null(strstr(
		text,
		"doorward_listeners{proto=\"tcp\",port=\"80\",reach=\"loopback\",unit=\"\"} 2\n"));
	assert_non_null(strstr(
		text,
		"doorward_listeners{proto=\"tcp\",port=\"80\",reach=\"public\",unit=\"\"} 1\n"));
	assert_non_null(
		strstr(text, "doorward_connections{proto=\"tcp\",state=\"ESTABLISHED\"} 1\n"));
}

static void test_foreign_text_stays_in_its_label(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL);
	struct process *process = vector_add(&s->processes);
	*process = (struct process){.pid = 7, .container = NONE, .parent = NONE, .netns = NONE};
	process->unit = made_text(s, "a\"} 1\nevil{x=\"\\");
	assert_int_not_equal(snapshot_add_holder(s, 0, 0, 3), NONE);
	const char *text = print(s);
	assert_non_null(strstr(text, "unit=\"a\\\"} 1\\\\nevil{x=\\\"\\\\\"} 1\n"));
	assert_null(strstr(text, "\nevil"));
}

static void test_series_are_bounded_and_nothing_is_lost(unused_argument void **state)
{
	struct snapshot *s = made_new();
	char address[64], peer[64];
	for (unsigned i = 1; i <= METRICS_LISTENERS_MAX + 7; i++) {
		snprintf(address, sizeof(address), "127.0.0.1:%u", i);
		made_socket(s, PROTO_TCP, STATE_LISTEN, address, NULL);
	}
	for (unsigned i = 1; i <= METRICS_DESTINATIONS_MAX + 5; i++) {
		snprintf(address, sizeof(address), "203.0.113.9:%u", 40000 + i);
		snprintf(peer, sizeof(peer), "1.2.3.4:%u", i);
		made_socket(s, PROTO_TCP, STATE_ESTABLISHED, address, peer);
	}
	const char *text = print(s);
	assert_int_equal(count(text, "doorward_listeners{"), METRICS_LISTENERS_MAX + 1);
	assert_int_equal(count(text, "doorward_ephemeral_ports_used{"),
			 METRICS_DESTINATIONS_MAX + 1);
	assert_non_null(strstr(text, "port=\"other\",reach=\"\",unit=\"\"} 7\n"));
	assert_non_null(strstr(text, "destination=\"other\"} 5\n"));
	out_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_ends_as_it_must),
		cmocka_unit_test(test_sockets_of_a_port_and_reach_are_one_series),
		cmocka_unit_test(test_foreign_text_stays_in_its_label),
		cmocka_unit_test(test_series_are_bounded_and_nothing_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
