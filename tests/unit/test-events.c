/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that are kept: copies that outlive what they were told from. */
#include "made.h"

#include <errno.h>

#include "model/events.h"

static struct event at(enum event_kind kind, uint64_t time_ns)
{
	return (struct event){.kind = kind,
			      .time_ns = time_ns,
			      .socket = NONE,
			      .by = NONE,
			      .in_the_way = NONE,
			      .duration_ns = EVENT_UNKNOWN};
}

/* A bind of pid 20 that the listener of pid 10 refused; @to is all that is left of it. */
static void add_refused(struct snapshot *to, uint64_t time_ns, uint64_t number)
{
	struct snapshot *from = made_new();
	uint32_t standing = made_socket(from, PROTO_TCP, STATE_LISTEN, "127.0.0.1:8080", NULL),
		 tried = made_socket(from, PROTO_TCP, STATE_BOUND, "0.0.0.0:8080", NULL);
	made_hold(from, standing, made_process(from, 10, 1, "nginx", "nginx.service"), 6);
	made_hold(from, tried, made_process(from, 20, 1, "late", NULL), 3);
	struct event event = at(EVENT_REFUSED, time_ns);
	event.snapshot = from;
	event.socket = tried;
	event.in_the_way = standing;
	event.error = EADDRINUSE;
	assert_int_equal(events_add(to, &event, number), 0);
	snapshot_free(from);
}

static const struct process *holder_of(const struct snapshot *snapshot, uint32_t socket)
{
	const struct holder *holder =
		snapshot_holder(snapshot, snapshot_socket(snapshot, socket)->holder);
	assert_non_null(holder);
	return snapshot_process(snapshot, holder->process);
}

static void check_refused(const struct snapshot *list, uint32_t i)
{
	const struct event *event = events_at(list, i);
	assert_int_equal(event->kind, EVENT_REFUSED);
	assert_ptr_equal(event->snapshot, list);
	assert_int_equal(event->socket, i);
	assert_int_equal(event_socket(event)->local_port, 8080);
	assert_string_equal(holder_of(list, event->socket)->name, "late");
	assert_int_equal(event->in_the_way, i + 1);
	assert_string_equal(holder_of(list, event->in_the_way)->unit, "nginx.service");
	assert_int_equal(events_at(list, i + 1)->kind, EVENT_STANDING);
}

static void test_an_event_outlives_what_it_was_told_from(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	add_refused(list, 100, 1);
	assert_int_equal(list->events.n, 2);
	assert_int_equal(list->sockets.n, list->events.n);
	check_refused(list, 0);
	snapshot_free(list);
}

static void test_what_is_known_already_is_kept_once(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	for (unsigned i = 0; i < 20; i++)
		add_refused(list, 100 + i, i + 1);
	assert_int_equal(list->events.n, 40);
	assert_int_equal(list->processes.n, 2);
	assert_int_equal(list->netns.n, 1);
	snapshot_free(list);
}

static void test_one_of_the_watching_has_a_socket_that_says_nothing(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	struct event lost = at(EVENT_LOST, 5);
	char why[] = "the ring was full";
	lost.why = why;
	lost.count = 7;
	assert_int_equal(events_add(list, &lost, 1), 0);
	memset(why, 'x', sizeof(why) - 1);
	assert_int_equal(list->sockets.n, 1);
	assert_int_equal(events_at(list, 0)->socket, NONE);
	assert_null(event_socket(events_at(list, 0)));
	assert_string_equal(events_at(list, 0)->why, "the ring was full");
	snapshot_free(list);
}

/* Who looks keeps what was there, whatever comes behind it. */
static void test_a_view_stays_while_more_is_added(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	struct event lost = at(EVENT_LOST, 5);
	assert_int_equal(events_add(list, &lost, 1), 0);
	add_refused(list, 100, 2);
	struct snapshot *view = events_view(list, 1);
	assert_non_null(view);
	for (unsigned i = 0; i < 500; i++)
		add_refused(list, 200 + i, 3 + i);
	snapshot_release(list);
	assert_int_equal(view->events.n, 2);
	assert_int_equal(events_at(view, 0)->number, 2);
	check_refused(view, 0);
	snapshot_release(view);
}

static void test_a_new_list_has_only_what_is_still_told(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	struct snapshot *other = made_new();
	struct event opened = at(EVENT_OPENED, 50);
	opened.snapshot = other;
	opened.socket = made_socket(other, PROTO_TCP, STATE_LISTEN, "127.0.0.1:22", NULL);
	made_hold(other, opened.socket, made_process(other, 5, 1, "sshd", NULL), 3);
	assert_int_equal(events_add(list, &opened, 1), 0);
	snapshot_free(other);
	add_refused(list, 100, 2);
	struct snapshot *newer = events_renew(list, 1);
	assert_non_null(newer);
	snapshot_free(list);
	assert_int_equal(newer->events.n, 2);
	assert_int_equal(newer->processes.n, 2); /* sshd is forgotten */
	assert_int_equal(events_at(newer, 0)->number, 2);
	check_refused(newer, 0);
	snapshot_free(newer);
}

static uint32_t kept(const struct snapshot *list, uint64_t from_ns, uint64_t until_ns)
{
	struct rows rows;
	assert_int_equal(rows_select(list, NULL, &rows), 0);
	rows_keep_events(&rows, from_ns, until_ns);
	uint32_t n = rows.n_rows;
	rows_done(&rows);
	return n;
}

static void test_rows_are_of_a_time_and_not_of_what_stood_in_the_way(void **state)
{
	(void)state;
	struct snapshot *list = snapshot_new();
	for (unsigned i = 0; i < 10; i++)
		add_refused(list, 100 * i, i + 1);
	assert_int_equal(kept(list, 0, 0), 10);
	assert_int_equal(kept(list, 200, 0), 8);
	assert_int_equal(kept(list, 200, 500), 4);
	assert_int_equal(kept(list, 901, 0), 0);
	snapshot_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_event_outlives_what_it_was_told_from),
		cmocka_unit_test(test_what_is_known_already_is_kept_once),
		cmocka_unit_test(test_one_of_the_watching_has_a_socket_that_says_nothing),
		cmocka_unit_test(test_a_view_stays_while_more_is_added),
		cmocka_unit_test(test_a_new_list_has_only_what_is_still_told),
		cmocka_unit_test(test_rows_are_of_a_time_and_not_of_what_stood_in_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
