/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is recorded is recalled: intervals, listings as of then, events, gaps. */
#include "feed.h"

static int set_up(void **state)
{
	struct fed *fed = malloc(sizeof(*fed));
	feed_init(fed);
	*state = fed;
	return 0;
}

static int tear_down(void **state)
{
	feed_done(*state);
	free(*state);
	return 0;
}

/* nginx on port 80, pid 10. */
static uint32_t a_listener(struct fed *fed)
{
	uint32_t process = made_process(fed->snapshot, 10, 1, "nginx", "nginx.service"),
		 socket = made_socket(fed->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_hold(fed->snapshot, socket, process, 6);
	return socket;
}

static uint32_t a_connection(struct fed *fed, const char *peer)
{
	uint32_t process = made_process(fed->snapshot, 11, 10, "nginx", "nginx.service"),
		 socket = made_socket(fed->snapshot, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80",
				      peer);
	made_at(fed->snapshot, socket)->role = ROLE_ACCEPTED;
	made_hold(fed->snapshot, socket, process, 9);
	return socket;
}

static void test_an_interval_has_both_ends_and_who_held_it(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);
	uint64_t opened = now_ns(fed);
	uint32_t socket = a_listener(fed);
	hand(fed, EVENT_OPENED, socket);
	later(fed, 3 * SECOND);
	hand(fed, EVENT_CLOSED, socket);
	uint64_t closed = now_ns(fed);
	later(fed, SECOND);

	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_int_equal(remembered.intervals.n, 1);
	const struct interval *interval = interval_at(&remembered, 0);
	assert_int_equal(interval->opened_ns, opened);
	assert_int_equal(interval->closed_ns, closed);
	assert_int_equal(interval->duration_ns, 3 * SECOND);
	assert_true(interval->opened_exact && interval->closed_exact);
	assert_int_equal(interval->sure, SURE_EXACT);
	const struct socket *found = snapshot_socket(remembered.snapshot, interval->socket);
	assert_int_equal(found->local_port, 80);
	assert_int_equal(found->state, STATE_LISTEN);
	assert_int_equal(found->cookie, snapshot_socket(fed->snapshot, socket)->cookie);
	const struct holder *holder = snapshot_holder(remembered.snapshot, found->holder);
	assert_non_null(holder);
	assert_int_equal(holder->fd, 6);
	const struct process *process = snapshot_process(remembered.snapshot, holder->process);
	assert_int_equal(process->pid, 10);
	assert_string_equal(process->exe, "/usr/bin/nginx");
	assert_string_equal(process->unit, "nginx.service");
	assert_true(remembered.snapshot->is_complete);
	remembered_done(&remembered);
}

static void test_a_listing_as_of_then_has_what_was_open_then(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	uint32_t listener = a_listener(fed), early = a_connection(fed, "198.51.100.7:40000"),
		 late = a_connection(fed, "198.51.100.8:40001");
	later(fed, SECOND);
	hand(fed, EVENT_OPENED, listener);
	later(fed, SECOND);
	hand(fed, EVENT_ESTABLISHED, early);
	later(fed, 10 * SECOND);
	uint64_t then = now_ns(fed);
	later(fed, SECOND / 100);
	hand(fed, EVENT_ENDED, early);
	hand(fed, EVENT_ESTABLISHED, late);
	later(fed, SECOND);

	struct snapshot *snapshot = listing_at(fed, then, NULL);
	assert_int_equal(snapshot->sockets.n, 2);
	assert_true(snapshot->is_complete);
	assert_int_equal(snapshot->origin, ORIGIN_HISTORY);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, then, "state = established");
	assert_int_equal(snapshot->sockets.n, 1);
	assert_int_equal(snapshot_socket(snapshot, 0)->peer_port, 40000);
	assert_int_equal(snapshot_socket(snapshot, 0)->role, ROLE_ACCEPTED);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, then, "process = nginx and port = 80 and peer_port = 40001");
	assert_int_equal(snapshot->sockets.n, 0);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, now_ns(fed), "process = nginx");
	assert_int_equal(snapshot->sockets.n, 2);
	snapshot_free(snapshot);
}

static void test_what_stood_before_the_record_is_listed_and_not_exact(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed);
	uint64_t began = now_ns(fed);
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, 5 * SECOND);
	uint64_t then = now_ns(fed);
	later(fed, SECOND);
	hand(fed, EVENT_CLOSED, listener);
	later(fed, SECOND);
	struct snapshot *snapshot = listing_at(fed, then, NULL);
	assert_int_equal(snapshot->sockets.n, 1);
	snapshot_free(snapshot);
	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_int_equal(remembered.intervals.n, 1);
	assert_false(interval_at(&remembered, 0)->opened_exact);
	assert_int_equal(interval_at(&remembered, 0)->opened_ns, began);
	assert_true(interval_at(&remembered, 0)->closed_exact);
	remembered_done(&remembered);

	snapshot = listing_at(fed, began - SECOND, NULL);
	assert_int_equal(snapshot->sockets.n, 0);
	assert_false(snapshot->is_complete);
	assert_int_equal(snapshot->missing.n, 1);
	snapshot_free(snapshot);
}

static void test_the_newest_come_first_and_no_more_than_the_limit(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	uint32_t sockets[200];
	for (uint32_t i = 0; i < 200; i++) {
		char peer[32];
		snprintf(peer, sizeof(peer), "198.51.100.7:%u", 20000 + i);
		sockets[i] = a_connection(fed, peer);
	}
	for (uint32_t i = 0; i < 200; i++) {
		hand(fed, EVENT_ESTABLISHED, sockets[i]);
		later(fed, SECOND / 20);
		if (i % 3 == 0 && i > 30) /* old ones end late */
			hand(fed, EVENT_ENDED, sockets[i / 3]);
	}
	later(fed, SECOND);
	struct remembered remembered;
	ask_intervals(fed, "port = 80", 0, 0, 50, &remembered);
	assert_int_equal(remembered.intervals.n, 50);
	assert_true(remembered.is_cut);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(
			snapshot_socket(remembered.snapshot, interval_at(&remembered, i)->socket)
				->peer_port,
			20199 - i);
	remembered_done(&remembered);
	ask_intervals(fed, "peer_port = 20003", 0, 0, 50, &remembered);
	assert_int_equal(remembered.intervals.n, 1);
	remembered_done(&remembered);
}

static void test_a_refused_bind_is_told_with_who_stood_in_the_way(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed),
		 tried = made_socket(fed->snapshot, PROTO_TCP, STATE_BOUND, "0.0.0.0:80", NULL),
		 apache = made_process(fed->snapshot, 99, 1, "apache2", NULL);
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	made_hold(fed->snapshot, tried, apache, 4);
	struct event event = event_of(fed, EVENT_REFUSED, tried);
	event.error = 98;
	event.error_sure = SURE_PROBABLE;
	event.in_the_way = listener;
	event.by = apache;
	hand_event(fed, &event);
	later(fed, SECOND);
	struct remembered remembered;
	ask_intervals(fed, "port = 80", 0, 0, 0, &remembered);
	assert_int_equal(remembered.events.n, 1);
	const struct event *found = vector_at(&remembered.events, 0);
	assert_int_equal(found->kind, EVENT_REFUSED);
	assert_int_equal(found->error, 98);
	assert_int_equal(found->error_sure, SURE_PROBABLE);
	assert_int_equal(snapshot_process(found->snapshot, found->by)->pid, 99);
	const struct socket *way = snapshot_socket(found->snapshot, found->in_the_way);
	assert_int_equal(way->local_port, 80);
	const struct holder *holder = snapshot_holder(found->snapshot, way->holder);
	assert_string_equal(snapshot_process(found->snapshot, holder->process)->name, "nginx");
	remembered_done(&remembered);
	ask_intervals(fed, "port = 81", 0, 0, 0, &remembered);
	assert_int_equal(remembered.events.n, 0);
	remembered_done(&remembered);
}

static void test_a_restart_keeps_what_still_stands_and_ends_the_rest(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed), connection = a_connection(fed, "198.51.100.7:40000");
	hand(fed, EVENT_STARTED, NONE);
	hand(fed, EVENT_OPENED, listener);
	hand(fed, EVENT_ESTABLISHED, connection);
	uint64_t opened = now_ns(fed);
	later(fed, 2 * SECOND);
	uint64_t stopped = now_ns(fed);
	stop_recorder(fed);
	later(fed, 60 * SECOND);
	uint64_t between = now_ns(fed) - 30 * SECOND;
	must_start(fed);
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);

	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_int_equal(remembered.intervals.n, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct interval *interval = interval_at(&remembered, i);
		bool is_door = snapshot_socket(remembered.snapshot, interval->socket)->state ==
			       STATE_LISTEN;
		assert_int_equal(interval->opened_ns, opened);
		assert_true(interval->opened_exact);
		assert_int_equal(interval->closed_ns, is_door ? 0 : stopped);
		assert_int_equal(interval->closed_exact, false);
	}
	assert_int_equal(remembered.gaps.n, 1);
	const struct gap *gap = vector_at(&remembered.gaps, 0);
	assert_int_equal(gap->from_ns, stopped);
	assert_string_equal(gap->why, "the recorder was stopped");
	remembered_done(&remembered);
	struct snapshot *snapshot = listing_at(fed, between, NULL);
	assert_false(snapshot->is_complete);
	snapshot_free(snapshot);
}

static void test_another_boot_ends_all_and_its_uptimes_are_its_own(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed);
	hand(fed, EVENT_STARTED, NONE);
	hand(fed, EVENT_OPENED, listener);
	later(fed, 100 * SECOND);
	uint64_t then = now_ns(fed), first_boot = then;
	stop_recorder(fed);
	fed->boot = BOOT_TWO;
	fed->ahead += fed->uptime + 30 * SECOND - 5 * SECOND;
	fed->uptime = 5 * SECOND;
	must_start(fed);
	made_at(fed->snapshot, listener)->cookie = 7;
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, 10 * SECOND);

	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_int_equal(remembered.intervals.n, 2);
	assert_int_equal(interval_at(&remembered, 0)->closed_ns, 0);
	assert_int_equal(interval_at(&remembered, 1)->closed_ns, first_boot);
	assert_false(interval_at(&remembered, 1)->closed_exact);
	assert_int_equal(remembered.gaps.n, 1);
	remembered_done(&remembered);
	struct snapshot *snapshot = listing_at(fed, then - SECOND, NULL);
	assert_int_equal(snapshot->sockets.n, 1);
	assert_true(snapshot->is_complete);
	assert_string_equal(snapshot->boot_id, BOOT_ONE);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, then + 10 * SECOND, NULL);
	assert_false(snapshot->is_complete);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, now_ns(fed), NULL);
	assert_int_equal(snapshot->sockets.n, 1);
	assert_true(snapshot->is_complete);
	assert_string_equal(snapshot->boot_id, BOOT_TWO);
	snapshot_free(snapshot);
}

static void test_a_clock_that_was_set_back_is_told_and_lengths_stay_true(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	uint32_t connection = a_connection(fed, "198.51.100.7:40000");
	later(fed, SECOND);
	hand(fed, EVENT_ESTABLISHED, connection);
	uint64_t opened = now_ns(fed);
	later(fed, 10 * SECOND);
	fed->ahead -= 3600 * SECOND;
	later(fed, 10 * SECOND);
	hand(fed, EVENT_ENDED, connection);
	uint64_t closed = now_ns(fed);
	later(fed, SECOND);
	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_int_equal(remembered.intervals.n, 1);
	assert_int_equal(interval_at(&remembered, 0)->opened_ns, opened);
	assert_int_equal(interval_at(&remembered, 0)->closed_ns, closed);
	assert_int_equal(interval_at(&remembered, 0)->duration_ns, 20 * SECOND);
	assert_int_equal(remembered.jumps.n, 1);
	assert_int_equal(((struct clock_jump *)vector_at(&remembered.jumps, 0))->by_ns,
			 -(int64_t)(3600 * SECOND));
	remembered_done(&remembered);
}

static void test_only_one_records_and_the_other_names_it(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	struct fed other = *fed;
	struct error err = {.code = 0};
	char pid[32];
	assert_int_equal(start_recorder(&other, &err), -EBUSY);
	snprintf(pid, sizeof(pid), "pid %d", getpid());
	assert_non_null(strstr(err.what, pid));
}

static void test_a_broken_file_is_set_aside_and_a_newer_one_left_alone(void **state)
{
	struct fed *fed = *state;
	FILE *file = fopen(fed->path, "w");
	for (int i = 0; i < 10000; i++)
		fputs("no history at all", file);
	fclose(file);
	must_start(fed);
	struct recorder_state told;
	fed->history->state(fed->recorder, &told);
	assert_int_equal(access(told.set_aside, F_OK), 0);
	stop_recorder(fed);

	struct error err = {.code = 0};
	file = fopen(fed->path, "r+");
	fseek(file, 60, SEEK_SET);
	fwrite("\0\0\0\143", 4, 1, file); /* version 99 */
	fclose(file);
	assert_int_equal(start_recorder(fed, &err), -ENOTSUP);
	struct archive *archive;
	assert_int_equal(fed->history->open(fed->path, &archive, &err), -ENOTSUP);
}

static void test_first_seen_lists_each_port_and_executable_once(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed);
	hand(fed, EVENT_STARTED, NONE);
	uint64_t first = now_ns(fed);
	hand(fed, EVENT_OPENED, listener);
	later(fed, SECOND);
	hand(fed, EVENT_CLOSED, listener);
	later(fed, SECOND);
	made_at(fed->snapshot, listener)->cookie = 500;
	hand(fed, EVENT_OPENED, listener);
	uint32_t other = made_socket(fed->snapshot, PROTO_UDP, STATE_UNCONN, "0.0.0.0:53", NULL);
	made_hold(fed->snapshot, other, made_process(fed->snapshot, 12, 1, "dnsmasq", NULL), 3);
	hand(fed, EVENT_OPENED, other);
	later(fed, SECOND);
	stop_recorder(fed);
	must_start(fed);
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);

	struct remembered remembered;
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	const struct recall recall = {.now_ns = now_ns(fed)};
	remembered_init(&remembered);
	assert_int_equal(fed->history->first_seen(archive, &recall, &remembered, &err), 0);
	assert_int_equal(remembered.firsts.n, 2);
	const struct first_seen *seen = vector_at(&remembered.firsts, 0);
	assert_int_equal(seen->time_ns, first);
	assert_true(seen->is_exact);
	assert_int_equal(snapshot_socket(remembered.snapshot, seen->socket)->local_port, 80);
	remembered_done(&remembered);
	fed->history->close(archive);
}

static void test_idle_lists_listeners_that_took_nothing_for_so_long(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t used = a_listener(fed), connection = a_connection(fed, "198.51.100.7:40000"),
		 idle = made_socket(fed->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:23", NULL);
	hand(fed, EVENT_STANDING, used);
	hand(fed, EVENT_STANDING, idle);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, 900 * SECOND);
	hand(fed, EVENT_ESTABLISHED, connection);
	later(fed, SECOND);
	hand(fed, EVENT_ENDED, connection);
	later(fed, 50 * SECOND);
	struct remembered remembered;
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	const struct recall recall = {.now_ns = now_ns(fed)};
	remembered_init(&remembered);
	assert_int_equal(fed->history->idle(archive, &recall, 100 * SECOND, &remembered, &err), 0);
	assert_int_equal(remembered.idle.n, 1);
	const struct idle_door *door = vector_at(&remembered.idle, 0);
	assert_int_equal(door->used_ns, 0);
	assert_int_equal(snapshot_socket(remembered.snapshot,
					 interval_at(&remembered, door->interval)->socket)
				 ->local_port,
			 23);
	remembered_done(&remembered);
	fed->history->close(archive);
}

struct counting_sink {
	struct event_sink sink;
	unsigned n[EVENT_MAX];
	uint64_t last;
};

static int count_event(struct event_sink *sink, const struct event *event)
{
	struct counting_sink *counting = (struct counting_sink *)sink;
	assert_true(event->uptime_ns >= counting->last);
	counting->last = event->uptime_ns;
	counting->n[event->kind]++;
	return 0;
}

static void test_replay_tells_what_happened_in_order(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed), connection = a_connection(fed, "198.51.100.7:40000");
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);
	uint64_t since = now_ns(fed);
	later(fed, SECOND);
	hand(fed, EVENT_ESTABLISHED, connection);
	later(fed, SECOND);
	hand(fed, EVENT_ENDED, connection);
	later(fed, SECOND);
	hand(fed, EVENT_CLOSED, listener);
	later(fed, SECOND);
	struct counting_sink sink = {.sink = {.event = count_event}};
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	const struct recall recall = {.since_ns = since, .now_ns = now_ns(fed)};
	assert_int_equal(fed->history->replay(archive, &recall, UINT64_MAX, &sink.sink, &err), 0);
	assert_int_equal(sink.n[EVENT_ESTABLISHED], 1);
	assert_int_equal(sink.n[EVENT_ENDED], 1);
	assert_int_equal(sink.n[EVENT_CLOSED], 1);
	assert_int_equal(sink.n[EVENT_OPENED], 0);
	fed->history->close(archive);
}

static void test_a_status_counts(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	uint32_t listener = a_listener(fed), connection = a_connection(fed, "198.51.100.7:40000");
	hand(fed, EVENT_STANDING, listener);
	hand(fed, EVENT_STARTED, NONE);
	hand(fed, EVENT_ESTABLISHED, connection);
	later(fed, SECOND);
	hand(fed, EVENT_ENDED, connection);
	later(fed, 10 * SECOND);
	struct history_status status;
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	assert_int_equal(fed->history->status(archive, &status, &err), 0);
	assert_int_equal(status.n_intervals, 1);
	assert_int_equal(status.n_open, 1);
	assert_int_equal(status.recorder, getpid());
	assert_int_equal(status.lag_ns, 0);
	assert_true(status.oldest_ns < status.newest_ns);
	fed->history->close(archive);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_an_interval_has_both_ends_and_who_held_it),
		TEST(test_a_listing_as_of_then_has_what_was_open_then),
		TEST(test_what_stood_before_the_record_is_listed_and_not_exact),
		TEST(test_the_newest_come_first_and_no_more_than_the_limit),
		TEST(test_a_refused_bind_is_told_with_who_stood_in_the_way),
		TEST(test_a_restart_keeps_what_still_stands_and_ends_the_rest),
		TEST(test_another_boot_ends_all_and_its_uptimes_are_its_own),
		TEST(test_a_clock_that_was_set_back_is_told_and_lengths_stay_true),
		TEST(test_only_one_records_and_the_other_names_it),
		TEST(test_a_broken_file_is_set_aside_and_a_newer_one_left_alone),
		TEST(test_first_seen_lists_each_port_and_executable_once),
		TEST(test_idle_lists_listeners_that_took_nothing_for_so_long),
		TEST(test_replay_tells_what_happened_in_order),
		TEST(test_a_status_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
