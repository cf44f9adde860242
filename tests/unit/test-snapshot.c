/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from a whole snapshot: other ends, roles, two owners, completeness. */
#include "made.h"

static uint32_t tcp(struct snapshot *s, enum state state, const char *local, const char *peer)
{
	return made_socket(s, PROTO_TCP, state, local, peer);
}

static void seal(struct snapshot *s)
{
	assert_int_equal(snapshot_seal(s), 0);
	assert_true(s->is_sealed);
}

static uint32_t other_netns(struct snapshot *s)
{
	*(struct netns *)vector_add(&s->netns) =
		(struct netns){.inode = MADE_NETNS + s->netns.n + 1};
	return s->netns.n - 1;
}

static void test_both_ends_of_a_connection_know_each_other(unused_argument void **state)
{
	struct snapshot *s = made_new();
	tcp(s, STATE_LISTEN, "127.0.0.1:80", NULL);
	uint32_t server = tcp(s, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000"),
		 client = tcp(s, STATE_ESTABLISHED, "127.0.0.1:40000", "127.0.0.1:80"),
		 away = tcp(s, STATE_ESTABLISHED, "203.0.113.9:40000", "8.8.8.8:80");
	seal(s);
	assert_int_equal(s->peers[server], client);
	assert_int_equal(s->peers[client], server);
	assert_int_equal(s->peers[away], NONE);
	assert_int_equal(s->peers[0], NONE);
	assert_int_equal(made_at(s, server)->role, ROLE_ACCEPTED);
	assert_int_equal(made_at(s, client)->role, ROLE_DIALLED);
	assert_int_equal(made_at(s, away)->role, ROLE_DIALLED);
	assert_int_equal(made_at(s, 0)->role, ROLE_NONE);
	snapshot_free(s);
}

static void test_a_mapped_end_meets_its_plain_one(unused_argument void **state)
{
	struct snapshot *s = made_new();
	tcp(s, STATE_LISTEN, "[::]:80", NULL);
	uint32_t server = tcp(s, STATE_ESTABLISHED, "[::ffff:127.0.0.1]:80",
			      "[::ffff:127.0.0.1]:40000"),
		 client = tcp(s, STATE_ESTABLISHED, "127.0.0.1:40000", "127.0.0.1:80");
	seal(s);
	assert_int_equal(s->peers[server], client);
	assert_int_equal(made_at(s, server)->role, ROLE_ACCEPTED);
	assert_int_equal(made_at(s, client)->role, ROLE_DIALLED);
	snapshot_free(s);
}

static void test_ends_are_joined_across_namespaces(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t inside = other_netns(s);
	uint32_t server = tcp(s, STATE_ESTABLISHED, "172.17.0.2:80", "172.17.0.1:40000"),
		 client = tcp(s, STATE_ESTABLISHED, "172.17.0.1:40000", "172.17.0.2:80"),
		 listener = tcp(s, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_at(s, server)->netns = made_at(s, listener)->netns = inside;
	seal(s);
	assert_int_equal(s->peers[server], client);
	assert_int_equal(s->peers[client], server);
	assert_int_equal(made_at(s, server)->role, ROLE_ACCEPTED);
	snapshot_free(s);
}

/* Two hosts' worth of the same addresses: only what is beyond doubt is joined. */
static void test_an_end_that_stands_in_two_namespaces_is_not_guessed(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t one = other_netns(s), two = other_netns(s);
	uint32_t client = tcp(s, STATE_ESTABLISHED, "10.0.0.1:40000", "10.0.0.2:80"),
		 first = tcp(s, STATE_ESTABLISHED, "10.0.0.2:80", "10.0.0.1:40000"),
		 second = tcp(s, STATE_ESTABLISHED, "10.0.0.2:80", "10.0.0.1:40000");
	made_at(s, first)->netns = one;
	made_at(s, second)->netns = two;
	seal(s);
	assert_int_equal(s->peers[client], NONE);
	snapshot_free(s);
}

static void test_loopback_stays_in_its_namespace(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t inside = other_netns(s);
	uint32_t a = tcp(s, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000"),
		 b = tcp(s, STATE_ESTABLISHED, "127.0.0.1:40000", "127.0.0.1:80");
	made_at(s, b)->netns = inside;
	seal(s);
	assert_int_equal(s->peers[a], NONE);
	assert_int_equal(s->peers[b], NONE);
	snapshot_free(s);
}

static void test_protocols_are_not_mixed(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t a = tcp(s, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000"),
		 b = made_socket(s, PROTO_UDP, STATE_ESTABLISHED, "127.0.0.1:40000",
				 "127.0.0.1:80");
	seal(s);
	assert_int_equal(s->peers[a], NONE);
	assert_int_equal(s->peers[b], NONE);
	snapshot_free(s);
}

static void test_a_connection_whose_listener_is_gone_is_local(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t a = tcp(s, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000"),
		 b = tcp(s, STATE_ESTABLISHED, "127.0.0.1:40000", "127.0.0.1:80");
	seal(s);
	assert_int_equal(made_at(s, a)->role, ROLE_LOCAL);
	assert_int_equal(made_at(s, b)->role, ROLE_LOCAL);
	snapshot_free(s);
}

static void test_a_v6only_listener_accepted_no_ipv4(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t listener = tcp(s, STATE_LISTEN, "[::]:80", NULL),
		 four = tcp(s, STATE_ESTABLISHED, "203.0.113.9:80", "198.51.100.1:5000"),
		 six = tcp(s, STATE_ESTABLISHED, "[2001:db8::9]:80", "[2001:db8::1]:5000");
	made_at(s, listener)->flags |= SOCKET_V6ONLY;
	seal(s);
	assert_int_equal(made_at(s, four)->role, ROLE_DIALLED);
	assert_int_equal(made_at(s, six)->role, ROLE_ACCEPTED);
	snapshot_free(s);
}

static void test_a_half_open_connection_was_accepted(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t half = tcp(s, STATE_SYN_RECV, "203.0.113.9:80", "198.51.100.1:5000"),
		 syn = tcp(s, STATE_SYN_SENT, "203.0.113.9:40000", "198.51.100.1:80");
	seal(s);
	assert_int_equal(made_at(s, half)->role, ROLE_ACCEPTED);
	assert_int_equal(made_at(s, syn)->role, ROLE_DIALLED);
	snapshot_free(s);
}

static void test_a_connected_udp_socket_of_a_server_was_accepted(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_UDP, STATE_UNCONN, "0.0.0.0:443", NULL);
	uint32_t server = made_socket(s, PROTO_UDP, STATE_ESTABLISHED, "127.0.0.1:443",
				      "127.0.0.1:40000"),
		 client = made_socket(s, PROTO_UDP, STATE_ESTABLISHED, "127.0.0.1:40000",
				      "127.0.0.1:443");
	seal(s);
	assert_int_equal(made_at(s, server)->role, ROLE_ACCEPTED);
	assert_int_equal(made_at(s, client)->role, ROLE_DIALLED);
	snapshot_free(s);
}

static void test_what_was_not_asked_is_not_worked_out(unused_argument void **state)
{
	struct snapshot *s = made_new();
	s->collected = 0;
	uint32_t a = tcp(s, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000");
	seal(s);
	assert_null(s->peers);
	assert_int_equal(made_at(s, a)->role, ROLE_NONE);
	snapshot_free(s);
}

/* ---- one number, two owners ---- */

static bool has_two(struct snapshot *s, uint32_t socket)
{
	return made_at(s, socket)->flags & SOCKET_TWO_OWNERS;
}

static uint32_t listen_at(struct snapshot *s, const char *local, uint32_t process)
{
	uint32_t socket = tcp(s, STATE_LISTEN, local, NULL);
	made_hold(s, socket, process, 3);
	return socket;
}

static void test_two_programs_on_one_number_are_two_owners(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t a = made_process(s, 100, 1, "one", NULL), b = made_process(s, 200, 1, "two", NULL);
	uint32_t four = listen_at(s, "127.0.0.1:3000", a), six = listen_at(s, "[::1]:3000", b),
		 any = listen_at(s, "0.0.0.0:4000", a), exact = listen_at(s, "127.0.0.1:4000", b),
		 alone = listen_at(s, "127.0.0.1:5000", a);
	seal(s);
	assert_true(has_two(s, four) && has_two(s, six));
	assert_true(has_two(s, any) && has_two(s, exact));
	assert_false(has_two(s, alone));
	snapshot_free(s);
}

static void test_two_processes_of_one_program_are_two_owners(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t a = made_process(s, 100, 50, "python3", NULL),
		 b = made_process(s, 200, 50, "python3", NULL);
	uint32_t four = listen_at(s, "127.0.0.1:8000", a), six = listen_at(s, "[::1]:8000", b);
	seal(s);
	assert_true(has_two(s, four) && has_two(s, six));
	snapshot_free(s);
}

static void test_workers_halves_and_proxies_are_one_owner(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t master = made_process(s, 100, 1, "nginx", "nginx.service"),
		 one = made_process(s, 101, 100, "nginx", "nginx.service"),
		 two = made_process(s, 102, 100, "nginx", "nginx.service"),
		 proxy4 = made_process(s, 200, 150, "docker-proxy", "docker.service"),
		 proxy6 = made_process(s, 201, 150, "docker-proxy", "docker.service");
	uint32_t four = listen_at(s, "0.0.0.0:80", master), six = listen_at(s, "[::]:80", master),
		 group1 = listen_at(s, "0.0.0.0:90", one), group2 = listen_at(s, "0.0.0.0:90", two),
		 published4 = listen_at(s, "0.0.0.0:8080", proxy4),
		 published6 = listen_at(s, "[::]:8080", proxy6);
	made_hold(s, four, one, 3);
	made_at(s, group1)->flags |= SOCKET_REUSEPORT;
	made_at(s, group2)->flags |= SOCKET_REUSEPORT;
	seal(s);
	assert_false(has_two(s, four) || has_two(s, six));
	assert_false(has_two(s, group1) || has_two(s, group2));
	assert_false(has_two(s, published4) || has_two(s, published6));
	snapshot_free(s);
}

static void test_tcp_and_udp_and_namespaces_are_other_doors(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t inside = other_netns(s);
	uint32_t a = made_process(s, 100, 1, "one", NULL), b = made_process(s, 200, 1, "two", NULL),
		 c = made_process(s, 300, 1, "three", NULL);
	uint32_t first = listen_at(s, "127.0.0.1:53", a),
		 second = made_socket(s, PROTO_UDP, STATE_UNCONN, "127.0.0.1:53", NULL),
		 third = listen_at(s, "127.0.0.1:53", c);
	made_hold(s, second, b, 3);
	made_at(s, third)->netns = inside;
	seal(s);
	assert_false(has_two(s, first) || has_two(s, second) || has_two(s, third));
	snapshot_free(s);
}

static void test_a_large_group_is_sealed_quickly(unused_argument void **state)
{
	struct snapshot *s = made_new();
	for (int i = 0; i < 20000; i++)
		listen_at(s, "0.0.0.0:80", made_process(s, 1000 + i, 1, "one", NULL));
	seal(s);
	snapshot_free(s);
}

/* ---- the rest ---- */

static void test_holders_stand_in_the_order_in_which_they_came(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = tcp(s, STATE_LISTEN, "0.0.0.0:80", NULL);
	for (int32_t i = 0; i < 5; i++)
		made_hold(s, socket, made_process(s, 100 + i, 1, "worker", NULL), i);
	int32_t n = 0;
	for (const struct holder *holder = snapshot_holder(s, made_at(s, socket)->holder); holder;
	     holder = snapshot_holder(s, holder->next))
		assert_int_equal(snapshot_process(s, holder->process)->pid, 100 + n++);
	assert_int_equal(n, 5);
	snapshot_free(s);
}

static void test_what_is_missing_adds_up_and_makes_it_incomplete(unused_argument void **state)
{
	struct snapshot *s = made_new();
	const char *hint = "run it with sudo";
	struct missing holders = {WHAT_HOLDERS, WHY_PERMISSION, 3, hint};
	assert_int_equal(snapshot_add_missing(s, &holders), 0);
	assert_int_equal(snapshot_add_missing(s, &holders), 0);
	seal(s);
	assert_int_equal(s->missing.n, 1);
	assert_int_equal(((struct missing *)vector_at(&s->missing, 0))->count, 6);
	assert_false(s->is_complete);
	snapshot_free(s);

	s = made_new();
	seal(s);
	assert_true(s->is_complete);
	snapshot_free(s);
	snapshot_free(NULL);
}

static void test_names_alone_do_not_make_it_incomplete(unused_argument void **state)
{
	struct snapshot *s = made_new();
	struct missing names = {.what = WHAT_NAMES, .why = WHY_ERROR, .count = 1};
	assert_int_equal(snapshot_add_missing(s, &names), 0);
	seal(s);
	assert_true(s->is_complete);
	snapshot_free(s);
}

static void test_users_are_found_by_number(unused_argument void **state)
{
	struct snapshot *s = made_new();
	static const uint32_t uids[] = {1000, 0, 65534, 33};
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++)
		made_user(s, uids[i], uids[i] ? "somebody" : "root");
	seal(s);
	assert_string_equal(snapshot_user(s, 0), "root");
	assert_string_equal(snapshot_user(s, 65534), "somebody");
	assert_null(snapshot_user(s, 34));
	assert_null(snapshot_user(s, UINT32_MAX));
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_of_a_connection_know_each_other),
		cmocka_unit_test(test_a_mapped_end_meets_its_plain_one),
		cmocka_unit_test(test_ends_are_joined_across_namespaces),
		cmocka_unit_test(test_an_end_that_stands_in_two_namespaces_is_not_guessed),
		cmocka_unit_test(test_loopback_stays_in_its_namespace),
		cmocka_unit_test(test_protocols_are_not_mixed),
		cmocka_unit_test(test_a_connection_whose_listener_is_gone_is_local),
		cmocka_unit_test(test_a_v6only_listener_accepted_no_ipv4),
		cmocka_unit_test(test_a_half_open_connection_was_accepted),
		cmocka_unit_test(test_a_connected_udp_socket_of_a_server_was_accepted),
		cmocka_unit_test(test_what_was_not_asked_is_not_worked_out),
		cmocka_unit_test(test_two_programs_on_one_number_are_two_owners),
		cmocka_unit_test(test_two_processes_of_one_program_are_two_owners),
		cmocka_unit_test(test_workers_halves_and_proxies_are_one_owner),
		cmocka_unit_test(test_tcp_and_udp_and_namespaces_are_other_doors),
		cmocka_unit_test(test_a_large_group_is_sealed_quickly),
		cmocka_unit_test(test_holders_stand_in_the_order_in_which_they_came),
		cmocka_unit_test(test_what_is_missing_adds_up_and_makes_it_incomplete),
		cmocka_unit_test(test_names_alone_do_not_make_it_incomplete),
		cmocka_unit_test(test_users_are_found_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
