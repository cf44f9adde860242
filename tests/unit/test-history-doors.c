/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed at the doors, recalled. */
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

static void test_changes_tell_new_gone_public_and_other_holders(void **state)
{
	struct fed *fed = *state;
	struct snapshot *snapshot = fed->snapshot;
	must_start(fed);
	uint32_t process = made_process(snapshot, 10, 1, "nginx", NULL),
		 other = made_process(snapshot, 20, 1, "ncat", NULL),
		 gone = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:21", NULL),
		 local = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "127.0.0.1:5432", NULL),
		 public = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:5432", NULL),
		 held = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 stolen = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 fresh = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:4444", NULL),
		 same = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:22", NULL);
	const uint32_t first[] = {gone, local, held, same}, then[] = {public, stolen, fresh};
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		made_hold(snapshot, first[i], process, 3);
		hand(fed, EVENT_STANDING, first[i]);
	}
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);
	uint64_t since = now_ns(fed);
	later(fed, SECOND);
	hand(fed, EVENT_CLOSED, gone);
	hand(fed, EVENT_CLOSED, local);
	hand(fed, EVENT_CLOSED, held);
	for (size_t i = 0; i < ARRAY_SIZE(then); i++) {
		made_hold(snapshot, then[i], other, 3);
		later(fed, SECOND);
		hand(fed, EVENT_OPENED, then[i]);
	}
	later(fed, SECOND);

	struct remembered remembered;
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	const struct recall recall = {.since_ns = since, .now_ns = now_ns(fed)};
	remembered_init(&remembered);
	assert_int_equal(fed->history->changes(archive, &recall, &remembered, &err), 0);
	const struct {
		uint8_t kind;
		uint16_t port;
	} wanted[] = {{DOOR_GONE, 21}, {DOOR_PUBLIC, 5432}, {DOOR_HOLDER, 80}, {DOOR_NEW, 4444}};
	unsigned found = 0;
	for (uint32_t i = 0; i < remembered.changes.n; i++) {
		const struct door_change *change = vector_at(&remembered.changes, i);
		const struct interval *interval = interval_at(&remembered, change->interval);
		uint16_t port = snapshot_socket(remembered.snapshot, interval->socket)->local_port;
		for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
			if (wanted[k].kind == change->kind && wanted[k].port == port)
				found |= 1u << k;
	}
	assert_int_equal(found, 15);
	/* and that the door at 127.0.0.1:5432 is gone */
	assert_int_equal(remembered.changes.n, 5);
	remembered_done(&remembered);
	fed->history->close(archive);
}

/* What opened a port often in between is told once, and as of when it was first. */
static void test_changes_tell_of_a_thousand_openings_the_first(void **state)
{
	struct fed *fed = *state;
	struct snapshot *snapshot = fed->snapshot;
	must_start(fed);
	uint32_t often = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 last = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_hold(snapshot, often, made_process(snapshot, 10, 1, "nginx", NULL), 3);
	made_hold(snapshot, last, made_process(snapshot, 20, 1, "ncat", NULL), 3);
	hand(fed, EVENT_STARTED, NONE);
	later(fed, SECOND);
	uint64_t since = now_ns(fed);
	later(fed, SECOND);
	uint64_t first = now_ns(fed);
	for (unsigned i = 0; i < 1000; i++) {
		made_at(snapshot, often)->cookie = 1000 + i;
		hand(fed, EVENT_OPENED, often);
		later(fed, SECOND);
		hand(fed, EVENT_CLOSED, often);
	}
	uint64_t then = now_ns(fed);
	hand(fed, EVENT_OPENED, last);
	later(fed, SECOND);

	struct remembered remembered;
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	const struct recall recall = {.since_ns = since, .now_ns = now_ns(fed)};
	remembered_init(&remembered);
	assert_int_equal(fed->history->changes(archive, &recall, &remembered, &err), 0);
	assert_int_equal(remembered.changes.n, 2);
	const struct door_change *is_new = vector_at(&remembered.changes, 0),
				 *other = vector_at(&remembered.changes, 1);
	assert_int_equal(is_new->kind, DOOR_NEW);
	assert_int_equal(is_new->time_ns, first);
	assert_int_equal(other->kind, DOOR_HOLDER);
	assert_int_equal(other->time_ns, then);
	remembered_done(&remembered);
	fed->history->close(archive);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_changes_tell_new_gone_public_and_other_holders),
		TEST(test_changes_tell_of_a_thousand_openings_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
