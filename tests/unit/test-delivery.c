/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To whom a packet goes by the kernel's rules, from a snapshot alone. */
#include "check.h"

#include "model/delivery.h"

static struct ip ip(const char *text)
{
	struct ip ret;
	bool is_v4;
	assert_int_equal(ip_parse(text, strlen(text), &ret, &is_v4), 0);
	return ret;
}

/* A socket at port 80 of namespace 0. */
static uint32_t add(struct snapshot *snapshot, enum proto proto, enum family family,
		    enum state state, const char *local, const char *peer, uint16_t peer_port,
		    uint8_t flags)
{
	static uint32_t inode = 100;
	struct socket socket = {
		.local = ip(local),
		.peer = ip(peer			   ? peer
			   : family == FAMILY_IPV4 ? "0.0.0.0"
						   : "::"),
		.local_port = 80,
		.peer_port = peer_port,
		.inode = inode++,
		.holder = NONE,
		.tcp_info = NONE,
		.proto = (uint8_t)proto,
		.family = (uint8_t)family,
		.state = (uint8_t)state,
		.flags = flags,
	};
	return snapshot_add_socket(snapshot, &socket);
}

static uint32_t listener(struct snapshot *snapshot, const char *local)
{
	enum family family = strchr(local, ':') ? FAMILY_IPV6 : FAMILY_IPV4;
	return add(snapshot, PROTO_TCP, family, STATE_LISTEN, local, NULL, 0, SOCKET_V6ONLY_KNOWN);
}

static void init(struct delivery *delivery, const char *to, const char *from, uint16_t from_port)
{
	delivery_init(delivery);
	delivery->proto = PROTO_TCP;
	delivery->to = ip(to);
	delivery->is_v4 = !strchr(to, ':');
	delivery->to_port = 80;
	delivery->netns = 0;
	delivery->has_from = from != NULL;
	if (from)
		delivery->from = ip(from);
	delivery->from_port = from_port;
}

static struct snapshot *snapshot_here(void)
{
	struct snapshot *snapshot = snapshot_new();
	assert_non_null(snapshot);
	struct netns *netns = vector_add(&snapshot->netns);
	assert_non_null(netns);
	*netns = (struct netns){.inode = 1, .is_self = true};
	return snapshot;
}

static uint32_t chosen(struct snapshot *snapshot, const char *to, const char *from,
		       uint16_t from_port)
{
	struct delivery delivery;
	init(&delivery, to, from, from_port);
	assert_int_equal(delivery_work_out(snapshot, &delivery), 0);
	uint32_t ret = delivery.chosen;
	for (uint32_t i = 0; i < delivery.candidates.n; i++) {
		const struct candidate *candidate = vector_at(&delivery.candidates, i);
		assert_non_null(candidate->reason);
		assert_int_equal(candidate->is_chosen, candidate->socket == ret);
	}
	delivery_done(&delivery);
	return ret;
}

static void test_one_address_comes_before_any(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	/* any is the newer one: that decides nothing between them */
	uint32_t one = listener(snapshot, "127.0.0.1"), any = listener(snapshot, "0.0.0.0");
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), one);
	assert_int_equal(chosen(snapshot, "127.0.0.2", NULL, 0), any);
	snapshot_free(snapshot);
}

static void test_a_connection_comes_before_its_listener(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	uint32_t one = listener(snapshot, "127.0.0.1");
	uint32_t connection = add(snapshot, PROTO_TCP, FAMILY_IPV4, STATE_ESTABLISHED, "127.0.0.1",
				  "127.0.0.1", 4000, 0);
	assert_int_equal(chosen(snapshot, "127.0.0.1", "127.0.0.1", 4000), connection);
	assert_int_equal(chosen(snapshot, "127.0.0.1", "127.0.0.1", 4001), one);
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), one);
	snapshot_free(snapshot);
}

static void test_ipv4_comes_before_dual_stack_and_v6only_takes_none(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	uint32_t dual = listener(snapshot, "::");
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), dual);
	uint32_t v4 = listener(snapshot, "0.0.0.0");
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), v4);
	assert_int_equal(chosen(snapshot, "::1", NULL, 0), dual);
	snapshot_free(snapshot);

	snapshot = snapshot_here();
	add(snapshot, PROTO_TCP, FAMILY_IPV6, STATE_LISTEN, "::", NULL, 0,
	    SOCKET_V6ONLY | SOCKET_V6ONLY_KNOWN);
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), NONE);
	snapshot_free(snapshot);
}

static void test_what_is_bound_but_does_not_listen_gets_nothing(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	add(snapshot, PROTO_TCP, FAMILY_IPV4, STATE_BOUND, "127.0.0.1", NULL, 0, 0);
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), NONE);
	snapshot_free(snapshot);
}

static void test_another_protocol_is_another_door(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	add(snapshot, PROTO_UDP, FAMILY_IPV4, STATE_UNCONN, "127.0.0.1", NULL, 0, 0);
	assert_int_equal(chosen(snapshot, "127.0.0.1", NULL, 0), NONE);
	snapshot_free(snapshot);
}

static void test_what_is_not_for_this_host_reaches_nobody(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	((struct netns *)vector_at(&snapshot->netns, 0))->is_detailed = true;
	listener(snapshot, "0.0.0.0");
	struct delivery delivery;
	init(&delivery, "203.0.113.9", NULL, 0);
	assert_int_equal(delivery_work_out(snapshot, &delivery), 0);
	assert_int_equal(delivery.chosen, NONE);
	assert_false(delivery.is_local);
	assert_non_null(strstr(delivery.note, "not an address of this host"));
	delivery_done(&delivery);
	snapshot_free(snapshot);
}

static void test_the_kernels_choice_stays_and_is_explained(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	uint32_t first = listener(snapshot, "127.0.0.1"), second = listener(snapshot, "127.0.0.1");
	struct delivery delivery;
	init(&delivery, "127.0.0.1", "127.0.0.1", 4000);
	delivery.is_by_kernel = true;
	delivery.chosen = first;
	assert_int_equal(delivery_work_out(snapshot, &delivery), 0);
	assert_int_equal(delivery.chosen, first);
	assert_false(delivery.is_steered);
	const struct candidate *all = delivery.candidates.data;
	assert_int_equal(delivery.candidates.n, 2);
	assert_true(all[0].is_reuseport && all[1].is_reuseport);
	assert_non_null(strstr(all[0].reason, "hash"));
	assert_int_equal(all[1].socket, second);
	delivery_done(&delivery);
	snapshot_free(snapshot);
}

static void test_a_choice_against_the_rules_was_steered(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_here();
	uint32_t any = listener(snapshot, "0.0.0.0");
	listener(snapshot, "127.0.0.1");
	struct delivery delivery;
	init(&delivery, "127.0.0.1", "127.0.0.1", 4000);
	delivery.is_by_kernel = true;
	delivery.chosen = any;
	assert_int_equal(delivery_work_out(snapshot, &delivery), 0);
	assert_true(delivery.is_steered);
	const struct candidate *all = delivery.candidates.data;
	assert_non_null(strstr(all[0].reason, "sk_lookup"));
	delivery_done(&delivery);
	snapshot_free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_address_comes_before_any),
		cmocka_unit_test(test_a_connection_comes_before_its_listener),
		cmocka_unit_test(test_ipv4_comes_before_dual_stack_and_v6only_takes_none),
		cmocka_unit_test(test_what_is_bound_but_does_not_listen_gets_nothing),
		cmocka_unit_test(test_another_protocol_is_another_door),
		cmocka_unit_test(test_what_is_not_for_this_host_reaches_nobody),
		cmocka_unit_test(test_the_kernels_choice_stays_and_is_explained),
		cmocka_unit_test(test_a_choice_against_the_rules_was_steered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
