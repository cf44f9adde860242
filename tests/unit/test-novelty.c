/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is new about an event, and what many events come to. */
#include "made.h"

#include "model/novelty.h"
#include "model/summary.h"

static struct event made_event(const struct snapshot *snapshot, enum event_kind kind,
			       uint32_t socket)
{
	return (struct event){.kind = (uint8_t)kind,
			      .snapshot = snapshot,
			      .socket = socket,
			      .by = NONE,
			      .in_the_way = NONE,
			      .duration_ns = EVENT_UNKNOWN};
}

enum { LOOPBACK, WIDE, OTHER, WIDE_SIX, CONNECTION };

static int make_host(void **state)
{
	struct snapshot *s = made_new();
	uint32_t web = made_process(s, 1, 0, "web", NULL),
		 other = made_process(s, 2, 0, "other", NULL);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL), web, 3);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL), web, 4);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL), other, 3);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_LISTEN, "[::]:80", NULL), web, 5);
	uint32_t connection =
		made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:40000", "10.0.0.1:443");
	made_hold(s, connection, other, 6);
	made_at(s, connection)->role = ROLE_DIALLED;
	s->is_sealed = true;
	*state = s;
	return 0;
}

static int free_host(void **state)
{
	snapshot_free(*state);
	return 0;
}

static unsigned news(struct novelty *novelty, const struct snapshot *s, enum event_kind kind,
		     uint32_t socket)
{
	struct event event = made_event(s, kind, socket);
	return novelty_event(novelty, &event);
}

static void test_a_door_is_new_once_for_each_executable(void **state)
{
	struct novelty *novelty = novelty_new();
	assert_int_equal(news(novelty, *state, EVENT_OPENED, LOOPBACK), NOVELTY_FIRST_SEEN);
	assert_int_equal(news(novelty, *state, EVENT_CLOSED, LOOPBACK), 0);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, LOOPBACK), 0);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, OTHER), NOVELTY_FIRST_SEEN);
	assert_int_equal(news(novelty, *state, EVENT_ESTABLISHED, CONNECTION), 0);
	novelty_free(novelty);
}

static void test_what_stands_already_is_not_new(void **state)
{
	struct novelty *novelty = novelty_new();
	news(novelty, *state, EVENT_STANDING, WIDE);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, WIDE), 0);
	novelty_free(novelty);
}

static void test_a_door_turns_public_when_the_first_of_it_does(void **state)
{
	struct novelty *novelty = novelty_new();
	news(novelty, *state, EVENT_STANDING, LOOPBACK);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, WIDE), NOVELTY_PUBLIC);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, WIDE_SIX), 0);
	news(novelty, *state, EVENT_CLOSED, WIDE);
	news(novelty, *state, EVENT_CLOSED, WIDE_SIX);
	assert_int_equal(news(novelty, *state, EVENT_OPENED, WIDE_SIX), NOVELTY_PUBLIC);
	novelty_free(novelty);
}

/* ---- the summary ---- */

static void assert_first(struct summary *summary, enum summary_by by, const char *label,
			 uint64_t count)
{
	uint32_t n;
	uint64_t others;
	const struct summary_line *lines = summary_lines(summary, by, &n, &others);
	assert_true(n > 0);
	assert_string_equal(lines[0].label, label);
	assert_int_equal(lines[0].count, count);
}

static void test_events_are_counted_by_what_they_have(void **state)
{
	struct summary *summary = summary_new();
	struct event opened = made_event(*state, EVENT_OPENED, LOOPBACK),
		     ended = made_event(*state, EVENT_ENDED, CONNECTION);
	summary_event(summary, &opened);
	for (unsigned i = 0; i < 3; i++)
		summary_event(summary, &ended);
	assert_int_equal(summary_kind(summary, EVENT_OPENED), 1);
	assert_int_equal(summary_kind(summary, EVENT_ENDED), 3);
	assert_first(summary, SUMMARY_PORT, "tcp/443", 3);
	assert_first(summary, SUMMARY_PROCESS, "other", 3);
	assert_first(summary, SUMMARY_PEER, "10.0.0.1", 3);
	summary_event(summary, &ended); /* after it was sorted too */
	assert_first(summary, SUMMARY_PORT, "tcp/443", 4);
	summary_free(summary);
}

static void test_a_summary_is_bounded(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_UDP, STATE_UNCONN, "127.0.0.1:1", NULL), n;
	struct summary *summary = summary_new();
	uint64_t others;
	for (uint32_t port = 1; port <= SUMMARY_MOST + 10; port++) {
		made_at(s, socket)->local_port = (uint16_t)port;
		struct event event = made_event(s, EVENT_OPENED, socket);
		summary_event(summary, &event);
	}
	summary_lines(summary, SUMMARY_PORT, &n, &others);
	assert_int_equal(n, SUMMARY_MOST);
	assert_int_equal(others, 10);
	summary_free(summary);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_door_is_new_once_for_each_executable),
		cmocka_unit_test(test_what_stands_already_is_not_new),
		cmocka_unit_test(test_a_door_turns_public_when_the_first_of_it_does),
		cmocka_unit_test(test_events_are_counted_by_what_they_have),
		cmocka_unit_test(test_a_summary_is_bounded),
	};
	return cmocka_run_group_tests(tests, make_host, free_host);
}
