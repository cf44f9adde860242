/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk through a record: which moment a step goes to, and what there is to show of it. */
#include "feed.h"

#include "journal/recorded.h"
#include "model/events.h"

#define MS UINT64_C(1000000)

static int set_up(void **state)
{
	struct fed *fed = malloc(sizeof(*fed));
	feed_init(fed);
	*state = fed;
	must_start(fed);
	return 0;
}

static int tear_down(void **state)
{
	feed_done(*state);
	free(*state);
	return 0;
}

static uint32_t a_listener(struct fed *fed, uint16_t port)
{
	char local[32];
	snprintf(local, sizeof(local), "127.0.0.1:%u", port);
	uint32_t socket = made_socket(fed->snapshot, PROTO_TCP, STATE_LISTEN, local, NULL);
	return socket;
}

static struct recorded_answer find(struct fed *fed, enum recorded_step step, uint64_t time_ns,
				   bool wants_events)
{
	struct recorded_answer answer;
	struct record_of of = {.history = fed->history, .archive = must_open(fed)};
	const struct recorded_wish wish = {.time_ns = time_ns,
					   .now_ns = now_ns(fed),
					   .step = step,
					   .wants_events = wants_events,
					   .number = 7};
	recorded_find(&of, &wish, &answer);
	fed->history->close(of.archive);
	assert_int_equal(answer.number, 7);
	return answer;
}

/* The moment of the step; 0: there is none. */
static uint64_t step_of(struct fed *fed, enum recorded_step step, uint64_t time_ns)
{
	struct recorded_answer found, answer = find(fed, step, time_ns, false);
	struct record_of of = {.history = fed->history, .archive = must_open(fed)};
	const struct recorded_wish wish = {.time_ns = time_ns, .now_ns = now_ns(fed), .step = step};
	int r = recorded_step(&of, &wish, &found);
	fed->history->close(of.archive);
	assert_int_equal(r, answer.result); /* alone it is the same */
	assert_int_equal(found.time_ns, answer.time_ns);
	assert_null(found.snapshot);
	uint64_t at = answer.result < 0 ? 0 : answer.time_ns;
	assert_true(answer.result == 0 || answer.result == -ENOENT);
	assert_true(answer.result == 0 || !answer.snapshot);
	recorded_done(&answer);
	return at;
}

/* Its millisecond's end. */
static uint64_t end_of(uint64_t ns)
{
	return (ns + MS - 1) / MS * MS;
}

static uint64_t open_later(struct fed *fed, uint32_t socket, uint64_t ns)
{
	later(fed, ns);
	hand(fed, EVENT_OPENED, socket);
	return now_ns(fed);
}

static void test_each_change_is_a_step_back_and_forth(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint32_t one = a_listener(fed, 80), other = a_listener(fed, 81);
	uint64_t changes[3];
	changes[0] = end_of(open_later(fed, one, 5 * SECOND + 17));
	changes[1] = end_of(open_later(fed, other, 20 * SECOND + 200));
	later(fed, 30 * MS + 3);
	hand(fed, EVENT_CLOSED, one);
	changes[2] = end_of(now_ns(fed));
	later(fed, SECOND);

	uint64_t at = now_ns(fed);
	for (int i = 2; i >= 0; i--) {
		at = step_of(fed, RECORDED_EARLIER, at);
		assert_int_equal(at, changes[i]);
	}
	for (int i = 1; i < 3; i++) {
		at = step_of(fed, RECORDED_LATER, at);
		assert_int_equal(at, changes[i]);
	}
	/* between two of them as well */
	assert_int_equal(step_of(fed, RECORDED_LATER, changes[1] - MS), changes[1]);
	assert_int_equal(step_of(fed, RECORDED_EARLIER, changes[1] + MS), changes[1]);
}

static void test_what_happens_in_a_millisecond_is_one_step(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint32_t one = a_listener(fed, 80), other = a_listener(fed, 81);
	uint64_t first = open_later(fed, one, SECOND + 100),
		 second = open_later(fed, other, MS / 2);
	assert_int_equal(end_of(first), end_of(second));
	later(fed, SECOND);
	uint64_t at = step_of(fed, RECORDED_EARLIER, now_ns(fed));
	assert_int_equal(at, end_of(first));
	struct recorded_answer answer = find(fed, RECORDED_AT, at, false);
	assert_int_equal(answer.snapshot->sockets.n, 2);
	assert_int_equal(answer.older->sockets.n, 0); /* so both are told as new */
	recorded_done(&answer);
	assert_true(step_of(fed, RECORDED_EARLIER, at) < first);
}

static void test_where_nothing_changed_a_step_is_a_minute(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint64_t opened = end_of(open_later(fed, a_listener(fed, 80), SECOND));
	later(fed, 200 * SECOND);
	uint64_t now = now_ns(fed), at = now;
	for (unsigned i = 1; i <= 3; i++) {
		at = step_of(fed, RECORDED_EARLIER, at);
		assert_int_equal(at, now - i * RECORDED_STEP_NS);
	}
	assert_int_equal(step_of(fed, RECORDED_EARLIER, at), opened);
	assert_int_equal(step_of(fed, RECORDED_LATER, opened), opened + RECORDED_STEP_NS);
}

static void test_a_record_has_two_ends(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint32_t socket = a_listener(fed, 80);
	open_later(fed, socket, SECOND);
	later(fed, SECOND);
	uint64_t at = now_ns(fed);
	unsigned n = 0;
	for (uint64_t next; (next = step_of(fed, RECORDED_EARLIER, at)); at = next, n++) {
		assert_true(next < at);
		assert_true(n < 10);
	}
	struct recorded_answer answer = find(fed, RECORDED_EARLIER, at, false);
	assert_int_equal(answer.result, -ENOENT);
	assert_string_equal(answer.error.what, "nothing earlier is recorded");
	assert_true(at >= answer.oldest_ns && answer.newest_ns == now_ns(fed));
	recorded_done(&answer);
	answer = find(fed, RECORDED_LATER, now_ns(fed) - 1, false);
	assert_int_equal(answer.result, -ENOENT);
	assert_string_equal(answer.error.what, "nothing later is recorded");
	recorded_done(&answer);
}

static void test_what_nobody_recorded_is_one_step(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint32_t socket = a_listener(fed, 80);
	uint64_t opened = end_of(open_later(fed, socket, SECOND));
	later(fed, 10 * SECOND);
	uint64_t stopped = now_ns(fed);
	stop_recorder(fed);
	later(fed, 7200 * SECOND);
	assert_int_equal(step_of(fed, RECORDED_EARLIER, now_ns(fed)), stopped);
	uint64_t at = step_of(fed, RECORDED_EARLIER, stopped);
	assert_true(at == opened || at == end_of(stopped)); /* with the recorder all ends */
	assert_int_equal(step_of(fed, RECORDED_LATER, stopped), 0);
	assert_int_equal(step_of(fed, RECORDED_LATER, now_ns(fed)), 0);
}

/* Of thousands that are open one ends, and others come and go around: none is passed over. */
static void test_no_change_is_passed_over_for_many_others(void **state)
{
	struct fed *fed = *state;
	enum { MANY = 3000 };
	static uint32_t sockets[MANY];
	for (uint32_t i = 0; i < MANY; i++)
		sockets[i] = a_listener(fed, (uint16_t)(10000 + i));
	hand(fed, EVENT_STARTED, NONE);
	hand(fed, EVENT_OPENED, sockets[0]); /* the oldest */
	for (uint32_t i = 1; i < MANY; i++)
		open_later(fed, sockets[i], MS / 4);
	later(fed, 9 * SECOND);
	uint64_t before = now_ns(fed);
	later(fed, SECOND / 2);
	hand(fed, EVENT_CLOSED, sockets[0]);
	uint64_t closed = end_of(now_ns(fed));
	later(fed, SECOND / 2);
	uint64_t behind = now_ns(fed);
	for (uint32_t i = 1; i < MANY; i++) {
		hand(fed, EVENT_CLOSED, sockets[i]);
		later(fed, MS / 4);
	}
	later(fed, SECOND);
	assert_int_equal(step_of(fed, RECORDED_LATER, before), closed);
	assert_int_equal(step_of(fed, RECORDED_EARLIER, behind), closed);
}

static void test_a_step_leads_over_a_start_of_the_host(void **state)
{
	struct fed *fed = *state;
	uint32_t socket = a_listener(fed, 80);
	hand(fed, EVENT_STARTED, NONE);
	uint64_t opened = end_of(open_later(fed, socket, SECOND));
	later(fed, 5 * SECOND);
	stop_recorder(fed);
	fed->boot = BOOT_TWO;
	fed->ahead += fed->uptime + 20 * SECOND;
	fed->uptime = 5 * SECOND;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	uint64_t again = end_of(open_later(fed, a_listener(fed, 81), SECOND));
	later(fed, SECOND);
	uint64_t at = step_of(fed, RECORDED_EARLIER, now_ns(fed));
	assert_int_equal(at, again);
	for (unsigned i = 0; i < 5 && at != opened; i++) {
		at = step_of(fed, RECORDED_EARLIER, at);
		assert_true(at && at < again);
	}
	assert_int_equal(at, opened);
}

static void test_a_moment_has_what_was_open_and_what_had_happened(void **state)
{
	struct fed *fed = *state;
	hand(fed, EVENT_STARTED, NONE);
	uint32_t one = a_listener(fed, 80), other = a_listener(fed, 81);
	uint64_t opened = end_of(open_later(fed, one, SECOND));
	open_later(fed, other, SECOND);
	later(fed, SECOND);

	struct recorded_answer answer = find(fed, RECORDED_AT, opened, true);
	assert_int_equal(answer.result, 0);
	assert_int_equal(answer.time_ns, opened);
	assert_int_equal(answer.snapshot->origin, ORIGIN_HISTORY);
	assert_int_equal(answer.snapshot->sockets.n, 1);
	assert_int_equal(snapshot_socket(answer.snapshot, 0)->local_port, 80);
	assert_int_equal(answer.older->sockets.n, 0);
	unsigned n_opened = 0;
	for (uint32_t i = 0; i < answer.events->events.n; i++) {
		const struct event *event = events_at(answer.events, i);
		assert_true(event->time_ns <= opened);
		n_opened += event->kind == EVENT_OPENED;
	}
	assert_int_equal(n_opened, 1);
	recorded_done(&answer);
	recorded_done(&answer); /* again is fine */

	answer = find(fed, RECORDED_AT, CLOCK, false); /* before the record: that is said */
	assert_int_equal(answer.result, 0);
	assert_int_equal(answer.snapshot->sockets.n, 0);
	assert_false(answer.snapshot->is_complete);
	assert_null(answer.events);
	recorded_done(&answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_each_change_is_a_step_back_and_forth),
		TEST(test_what_happens_in_a_millisecond_is_one_step),
		TEST(test_where_nothing_changed_a_step_is_a_minute),
		TEST(test_a_record_has_two_ends),
		TEST(test_what_nobody_recorded_is_one_step),
		TEST(test_no_change_is_passed_over_for_many_others),
		TEST(test_a_step_leads_over_a_start_of_the_host),
		TEST(test_a_moment_has_what_was_open_and_what_had_happened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
