/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the sockets from one snapshot to the next. */
#include "made.h"

#include "model/difference.h"

static struct snapshot *make(void)
{
	struct snapshot *s = made_new();
	s->uptime_ns = 5000000000u;
	return s;
}

static struct difference find(struct snapshot *older, struct snapshot *newer)
{
	struct difference difference;
	newer->uptime_ns = older->uptime_ns + 2000000000u;
	assert_int_equal(snapshot_seal(older), 0);
	assert_int_equal(snapshot_seal(newer), 0);
	assert_int_equal(difference_find(older, newer, &difference), 0);
	return difference;
}

static void end(struct difference *difference, struct snapshot *older, struct snapshot *newer)
{
	difference_done(difference);
	snapshot_free(older);
	snapshot_free(newer);
}

static uint32_t tcp(struct snapshot *s, enum state state, const char *local, const char *peer,
		    uint64_t cookie)
{
	uint32_t index = made_socket(s, PROTO_TCP, state, local, peer);
	made_at(s, index)->cookie = cookie;
	made_at(s, index)->inode = 1000 + (uint32_t)cookie;
	return index;
}

static void assert_became(const struct difference *d, uint32_t newer, enum change change,
			  uint32_t older)
{
	assert_int_equal(d->change[newer], change);
	assert_int_equal(d->older_of[newer], older);
}

static void test_same_new_and_gone_in_any_order(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	tcp(older, STATE_LISTEN, "0.0.0.0:80", NULL, 1);
	tcp(older, STATE_LISTEN, "0.0.0.0:81", NULL, 2);
	tcp(older, STATE_LISTEN, "0.0.0.0:82", NULL, 3);
	tcp(newer, STATE_LISTEN, "0.0.0.0:82", NULL, 3);
	tcp(newer, STATE_LISTEN, "0.0.0.0:83", NULL, 4);
	tcp(newer, STATE_LISTEN, "0.0.0.0:80", NULL, 1);
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NONE, 2);
	assert_became(&d, 1, CHANGE_NEW, NONE);
	assert_became(&d, 2, CHANGE_NONE, 0);
	assert_int_equal(d.n_new, 1);
	assert_int_equal(d.n_changed, 0);
	assert_int_equal(d.n_gone, 1);
	assert_int_equal(d.gone[0], 1);
	assert_true(d.seconds > 1.99 && d.seconds < 2.01);
	end(&d, older, newer);
}

/* The same number bound anew is another socket, even where its ends are the same. */
static void test_a_port_opened_again_is_new(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	tcp(older, STATE_LISTEN, "0.0.0.0:80", NULL, 1);
	tcp(newer, STATE_LISTEN, "0.0.0.0:80", NULL, 2);
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NEW, NONE);
	assert_int_equal(d.n_gone, 1);
	end(&d, older, newer);
}

static void test_a_cookie_that_one_source_does_not_know(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	tcp(older, STATE_LISTEN, "0.0.0.0:80", NULL, 7);
	tcp(newer, STATE_LISTEN, "0.0.0.0:80", NULL, 7);
	made_at(newer, 0)->cookie = 0;
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NONE, 0);
	end(&d, older, newer);
}

/* TIME_WAIT has neither the inode nor the cookie of the connection that it was. */
static void test_a_connection_goes_on_as_time_wait(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	const char *local = "203.0.113.9:80", *peer = "198.51.100.1:4000";
	tcp(older, STATE_ESTABLISHED, local, peer, 1);
	uint32_t waits = tcp(newer, STATE_TIME_WAIT, local, peer, 2);
	made_at(newer, waits)->inode = 0;
	struct difference d = find(older, newer);
	assert_became(&d, waits, CHANGE_CHANGED, 0);
	assert_int_equal(d.n_gone, 0);
	end(&d, older, newer);
}

/* ... but a new connection of the same ends after it is new. */
static void test_ends_used_again_are_a_new_connection(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	const char *local = "203.0.113.9:80", *peer = "198.51.100.1:4000";
	uint32_t waits = tcp(older, STATE_TIME_WAIT, local, peer, 1);
	made_at(older, waits)->inode = 0;
	tcp(newer, STATE_ESTABLISHED, local, peer, 2);
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NEW, NONE);
	assert_int_equal(d.n_gone, 1);
	end(&d, older, newer);
}

static void test_one_that_is_accepted_gets_its_inode(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	const char *local = "203.0.113.9:80", *peer = "198.51.100.1:4000";
	tcp(older, STATE_ESTABLISHED, local, peer, 1);
	made_at(older, 0)->inode = 0;
	tcp(newer, STATE_ESTABLISHED, local, peer, 1);
	made_hold(newer, 0, made_process(newer, 100, 1, "nginx", NULL), 4);
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_CHANGED, 0);
	end(&d, older, newer);
}

static void test_another_namespace_is_another_socket(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	*(struct netns *)vector_add(&newer->netns) = (struct netns){.inode = MADE_NETNS + 1};
	tcp(older, STATE_LISTEN, "0.0.0.0:80", NULL, 0);
	tcp(newer, STATE_LISTEN, "0.0.0.0:80", NULL, 0);
	made_at(newer, 0)->netns = 1;
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NEW, NONE);
	end(&d, older, newer);
}

static void test_holders_are_compared_without_their_order(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	for (uint64_t i = 1; i <= 2; i++) {
		tcp(older, STATE_LISTEN, "0.0.0.0:80", NULL, i);
		tcp(newer, STATE_LISTEN, "0.0.0.0:80", NULL, i);
	}
	uint32_t a = made_process(older, 10, 1, "a", NULL),
		 b = made_process(older, 11, 1, "b", NULL),
		 y = made_process(newer, 11, 1, "b", NULL),
		 x = made_process(newer, 10, 1, "a", NULL);
	made_hold(older, 0, a, 3);
	made_hold(older, 0, b, 3);
	made_hold(newer, 0, y, 3);
	made_hold(newer, 0, x, 3);
	made_hold(older, 1, a, 4);
	made_hold(newer, 1, y, 4);
	struct difference d = find(older, newer);
	assert_became(&d, 0, CHANGE_NONE, 0);
	assert_became(&d, 1, CHANGE_CHANGED, 1);
	end(&d, older, newer);
}

static void give_info(struct snapshot *s, uint32_t socket, uint64_t acked, uint64_t received)
{
	*(struct tcp_info_part *)vector_add(&s->tcp_infos) =
		(struct tcp_info_part){.bytes_acked = acked, .bytes_received = received};
	made_at(s, socket)->tcp_info = s->tcp_infos.n - 1;
}

static void test_rates_are_of_the_time_between(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	struct rate rate;
	for (uint64_t i = 1; i <= 2; i++) {
		tcp(older, STATE_ESTABLISHED, "203.0.113.9:80", i == 1 ? "1.2.3.4:5" : "1.2.3.4:6",
		    i);
		tcp(newer, STATE_ESTABLISHED, "203.0.113.9:80", i == 1 ? "1.2.3.4:5" : "1.2.3.4:6",
		    i);
	}
	tcp(newer, STATE_ESTABLISHED, "203.0.113.9:80", "1.2.3.4:7", 3);
	give_info(older, 0, 1000, 500);
	give_info(newer, 0, 5000, 1500);
	give_info(older, 1, 10, 10); /* the newer does not tell */
	struct difference d = find(older, newer);
	assert_true(difference_rate(&d, 0, &rate));
	assert_int_equal(rate.out, 2000);
	assert_int_equal(rate.in, 500);
	assert_false(difference_rate(&d, 1, &rate));
	assert_false(difference_rate(&d, 2, &rate));
	assert_int_equal(difference_keep_rates(&d, d.seconds, newer), 0);
	assert_int_equal(flows_get(newer->flows, 0).out, 2000);
	assert_true(flows_get(newer->flows, 1).out == RATE_UNKNOWN);
	end(&d, older, newer);
}

static void test_what_comes_soon_has_the_rates_of_before(unused_argument void **state)
{
	struct snapshot *older = make(), *newer = make();
	for (uint64_t i = 1; i <= 3; i++) {
		if (i != 3)
			tcp(older, STATE_ESTABLISHED, "203.0.113.9:80", "1.2.3.4:5", i);
		tcp(newer, STATE_ESTABLISHED, "203.0.113.9:80", "1.2.3.4:5", i);
		if (i != 3)
			give_info(older, (uint32_t)i - 1, 1000, 500);
		give_info(newer, (uint32_t)i - 1, 1000, 500);
	}
	struct difference d = find(older, newer);
	assert_int_equal(difference_keep_rates(&d, d.seconds * 2, newer), 0);
	assert_null(newer->flows); /* nor does the older know them */
	older->flows = flows_new(2);
	assert_int_equal(flows_put(older->flows, 0, &(struct rate){7, 9}), 0);
	assert_int_equal(difference_keep_rates(&d, d.seconds * 2, newer), 0);
	assert_int_equal(flows_get(newer->flows, 0).in, 7);
	assert_int_equal(flows_get(newer->flows, 0).out, 9);
	assert_true(flows_get(newer->flows, 1).in == RATE_UNKNOWN);
	assert_true(flows_get(newer->flows, 2).in == RATE_UNKNOWN);
	end(&d, older, newer);
}

/* Each of the newer has at most one of the older, and none of either is left out. */
static void test_many_in_disorder(unused_argument void **state)
{
	enum { N = 20000 };
	struct snapshot *older = make(), *newer = make();
	for (uint32_t i = 0; i < N; i++) {
		char local[32];
		snprintf(local, sizeof(local), "10.0.0.1:%u", i + 1);
		tcp(older, STATE_LISTEN, local, NULL, i + 1);
	}
	for (uint32_t i = 0; i < N; i++) {
		uint32_t from = (i * 7919u) % N; /* 7919 and N have no divisor in common */
		struct socket socket = *made_at(older, from);
		if (from % 10 == 0) /* another was opened in its place */
			socket.cookie += 10 * N, socket.inode += 10 * N;
		snapshot_add_socket(newer, &socket);
	}
	struct difference d = find(older, newer);
	assert_int_equal(d.n_new, N / 10);
	assert_int_equal(d.n_gone, N / 10);
	assert_int_equal(d.n_changed, 0);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t from = (i * 7919u) % N;
		assert_int_equal(d.older_of[i], from % 10 ? from : NONE);
	}
	end(&d, older, newer);
}

static void test_a_snapshot_goes_with_its_last_owner(unused_argument void **state)
{
	struct snapshot *s = make();
	assert_int_equal(snapshot_seal(s), 0);
	const struct snapshot *held = snapshot_hold(s);
	assert_ptr_equal(held, s);
	snapshot_free(s);
	assert_int_equal(held->netns.n, 1); /* still there: ASan sees it if not */
	snapshot_release(held);
	snapshot_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_new_and_gone_in_any_order),
		cmocka_unit_test(test_a_port_opened_again_is_new),
		cmocka_unit_test(test_a_cookie_that_one_source_does_not_know),
		cmocka_unit_test(test_a_connection_goes_on_as_time_wait),
		cmocka_unit_test(test_ends_used_again_are_a_new_connection),
		cmocka_unit_test(test_one_that_is_accepted_gets_its_inode),
		cmocka_unit_test(test_another_namespace_is_another_socket),
		cmocka_unit_test(test_holders_are_compared_without_their_order),
		cmocka_unit_test(test_rates_are_of_the_time_between),
		cmocka_unit_test(test_what_comes_soon_has_the_rates_of_before),
		cmocka_unit_test(test_many_in_disorder),
		cmocka_unit_test(test_a_snapshot_goes_with_its_last_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
