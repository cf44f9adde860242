/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc/net as kernels write them. */
#include "check.h"

#include "source/proc-net.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define TAIL " 00:00000000 00000000  1000        0 77 2 0000000000000000 0\n"

struct kept {
	struct sink sink;
	struct found_socket found[8];
	unsigned n;
};

static int keep(struct sink *sink, const struct found_socket *found)
{
	struct kept *kept = (struct kept *)sink;
	assert_true(kept->n < ARRAY_SIZE(kept->found));
	kept->found[kept->n++] = *found;
	return 0;
}

static struct kept parse(const char *text, enum proto proto, enum family family, uint32_t states)
{
	struct kept kept = {.sink = {.socket = keep}};
	struct query query = {.bounds = BOUNDS_ALL};
	query.bounds.states = states;
	assert_int_equal(proc_net_parse(text, strlen(text), proto, family, &query, &kept.sink), 0);
	return kept;
}

static void test_a_line_is_a_socket(void **state)
{
	(void)state;
	struct kept kept = parse(HEAD "   1: 0100007F:1F90 00000000:0000 07 00000002:00000001" TAIL,
				 PROTO_UDPLITE, FAMILY_IPV4, STATES_ALL);
	assert_int_equal(kept.n, 1);
	const struct socket *socket = &kept.found[0].socket;
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct ip ip = ip_from_v4(loopback);
	assert_true(ip_equal(&socket->local, &ip));
	assert_int_equal(socket->local_port, 8080);
	assert_int_equal(socket->state, STATE_UNCONN);
	assert_int_equal(socket->send_queue, 2);
	assert_int_equal(socket->recv_queue, 1);
	assert_int_equal(socket->uid, 1000);
	assert_int_equal(socket->inode, 77);
}

static void test_an_ipv6_address_is_four_words(void **state)
{
	(void)state;
	struct kept kept = parse("1: B80D0120000000000000000001000000:0035 "
				 "00000000000000000000000000000000:0000 07 00000000:00000000" TAIL,
				 PROTO_UDP, FAMILY_IPV6, STATES_ALL);
	struct ip ip;
	bool is_v4;
	assert_int_equal(kept.n, 1);
	assert_int_equal(ip_parse("2001:db8::1", 11, &ip, &is_v4), 0);
	assert_true(ip_equal(&kept.found[0].socket.local, &ip));
	assert_int_equal(kept.found[0].socket.local_port, 53);
}

static void test_a_raw_socket_has_its_protocol_for_a_port(void **state)
{
	(void)state;
	struct kept kept = parse(" 1: 00000000:0001 00000000:0000 07 00000000:00000000" TAIL,
				 PROTO_RAW, FAMILY_IPV4, STATES_ALL);
	assert_int_equal(kept.n, 1);
	assert_int_equal(kept.found[0].socket.local_port, 1);
	assert_int_equal(kept.found[0].socket.peer_port, 0);
}

static void test_states_that_are_not_wanted_are_not_given(void **state)
{
	(void)state;
	static const char text[] = "1: 0100007F:0016 00000000:0000 0A 00000000:00000000" TAIL
				   "2: 0100007F:0016 0100007F:9C40 01 00000000:00000000" TAIL
				   "3: 0100007F:0016 0100007F:9C41 0C 00000000:00000000" TAIL;
	struct kept kept = parse(text, PROTO_TCP, FAMILY_IPV4, STATES_ALL);
	assert_int_equal(kept.n, 3);
	assert_int_equal(kept.found[2].socket.state, STATE_SYN_RECV);
	kept = parse(text, PROTO_TCP, FAMILY_IPV4, STATES_OPEN);
	assert_int_equal(kept.n, 1);
	assert_int_equal(kept.found[0].socket.state, STATE_LISTEN);
}

static void test_what_is_no_line_is_passed_over(void **state)
{
	(void)state;
	static const char good[] = " 1: 0100007F:1F90 00000000:0000 07 00000000:00000000" TAIL;
	assert_int_equal(parse(good, PROTO_UDP, FAMILY_IPV4, STATES_ALL).n, 1);
	for (size_t n = 0; n < strlen(good) - 26; n++) {
		char cut[sizeof(good)];
		memcpy(cut, good, n);
		cut[n] = '\0';
		assert_int_equal(parse(cut, PROTO_UDP, FAMILY_IPV4, STATES_ALL).n, 0);
	}
	static const char *const bad[] = {
		"1: 0100007F:11F90 00000000:0000 07 00000000:00000000" TAIL,
		"1: 0100007:1F90 00000000:0000 07 00000000:00000000" TAIL,
		"1: 0100007F:1F90 00000000:0000 00 00000000:00000000" TAIL,
		"1: 0100007F:1F90 00000000:0000 0D 00000000:00000000" TAIL,
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], PROTO_UDP, FAMILY_IPV4, STATES_ALL).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_is_a_socket),
		cmocka_unit_test(test_an_ipv6_address_is_four_words),
		cmocka_unit_test(test_a_raw_socket_has_its_protocol_for_a_port),
		cmocka_unit_test(test_states_that_are_not_wanted_are_not_given),
		cmocka_unit_test(test_what_is_no_line_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
