/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stranger found against the table of sockets. */
#include "check.h"
#include "scan/compare.h"

static const uint8_t here[4] = {10, 9, 0, 1};
static const uint16_t ports[] = {22, 53, 80, 443};

struct made {
	struct snapshot *snapshot;
	struct scan scan;
	struct answer answers[ARRAY_SIZE(ports)];
	struct interface_address address;
};

static void make(struct made *made, uint8_t proto)
{
	made->snapshot = snapshot_new();
	assert_non_null(made->snapshot);
	made->address =
		(struct interface_address){.ip = ip_from_v4(here), .prefix = 24, .is_v4 = true};
	struct netns *netns = vector_add(&made->snapshot->netns);
	*netns = (struct netns){.inode = 7, .addresses = &made->address, .n_addresses = 1};
	memset(made->answers, 0, sizeof(made->answers));
	scan_init(&made->scan);
	made->scan.is_explicit = true;
	struct scan_result *result = vector_add(&made->scan.results);
	*result = (struct scan_result){
		.target = {.ip = ip_from_v4(here), .is_v4 = true, .is_own = true},
		.from = "this host",
		.netns = NONE,
		.inode = 7,
		.n_sweeps = 1,
		.sweeps = {{.proto = proto,
			    .n_ports = ARRAY_SIZE(ports),
			    .ports = ports,
			    .answers = made->answers}}};
}

static void done(struct made *made)
{
	scan_done(&made->scan);
	snapshot_free(made->snapshot);
}

static void add(struct made *made, struct socket socket, uint16_t port)
{
	socket.local_port = port;
	socket.holder = socket.tcp_info = NONE;
	if (!socket.state)
		socket.state = socket.proto == PROTO_UDP ? STATE_UNCONN : STATE_LISTEN;
	assert_int_not_equal(snapshot_add_socket(made->snapshot, &socket), NONE);
}

static const struct scan_door *compared(struct made *made, uint16_t port)
{
	assert_int_equal(scan_list(&made->scan), 0);
	assert_int_equal(compare_answers(made->snapshot, &made->scan), 0);
	return scan_result_door(scan_result(&made->scan, 0),
				scan_result(&made->scan, 0)->sweeps[0].proto, port);
}

static const struct answer is_open = {.state = DOOR_OPEN, .reason = BECAUSE_SYN_ACK};
static const struct answer is_silent = {.state = DOOR_FILTERED, .reason = BECAUSE_TIME_OUT};

static void test_an_open_door_of_the_table_is_expected(void **state)
{
	(void)state;
	static const struct socket fits[] = {
		{.proto = PROTO_TCP, .family = FAMILY_IPV4, .local = {{[10] = 0xff, 0xff}}},
		{.proto = PROTO_TCP,
		 .family = FAMILY_IPV4,
		 .local = {{[10] = 0xff, 0xff, 10, 9, 0, 1}}},
		{.proto = PROTO_TCP, .family = FAMILY_IPV6, .flags = SOCKET_V6ONLY_KNOWN}};
	for (size_t i = 0; i < ARRAY_SIZE(fits); i++) {
		struct made made;
		make(&made, PROTO_TCP);
		add(&made, fits[i], 80);
		made.answers[2] = is_open;
		const struct scan_door *door = compared(&made, 80);
		assert_int_equal(door->verdict, VERDICT_EXPECTED);
		assert_int_equal(door->socket, 0);
		done(&made);
	}
}

static void test_what_does_not_fit_is_not_in_the_table(void **state)
{
	(void)state;
	static const struct socket others[] = {
		{.proto = PROTO_UDP, .family = FAMILY_IPV4, .local = {{[10] = 0xff, 0xff}}},
		{.proto = PROTO_TCP,
		 .family = FAMILY_IPV4,
		 .local = {{[10] = 0xff, 0xff, 127, 0, 0, 1}}},
		{.proto = PROTO_TCP,
		 .family = FAMILY_IPV6,
		 .flags = SOCKET_V6ONLY | SOCKET_V6ONLY_KNOWN},
		{.proto = PROTO_TCP,
		 .family = FAMILY_IPV4,
		 .local = {{[10] = 0xff, 0xff}},
		 .netns = 3},
		{.proto = PROTO_TCP,
		 .family = FAMILY_IPV4,
		 .local = {{[10] = 0xff, 0xff}},
		 .state = STATE_BOUND}};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct made made;
		make(&made, PROTO_TCP);
		add(&made, others[i], 80);
		made.answers[2] = is_open;
		const struct scan_door *door = compared(&made, 80);
		assert_int_equal(door->verdict, VERDICT_NOT_IN_TABLE);
		assert_int_equal(door->socket, NONE);
		done(&made);
	}
}

static void test_a_listener_that_is_not_reached_says_why(void **state)
{
	(void)state;
	struct socket socket = {.proto = PROTO_TCP,
				.family = FAMILY_IPV4,
				.local = {{[10] = 0xff, 0xff}},
				.flags = SOCKET_QUEUES_KNOWN,
				.recv_queue = 2,
				.send_queue = 1};
	struct made made;
	make(&made, PROTO_TCP);
	add(&made, socket, 443);
	made.answers[3] = is_silent;
	const struct scan_door *door = compared(&made, 443);
	assert_int_equal(door->verdict, VERDICT_NOT_REACHABLE);
	assert_non_null(strstr(door->detail, "backlog"));
	done(&made);
	make(&made, PROTO_TCP);
	socket.recv_queue = 0;
	add(&made, socket, 443);
	made.answers[3] = is_silent;
	assert_non_null(strstr(compared(&made, 443)->detail, "dropped"));
	done(&made);
}

/* The kernel's own port-unreachable is no firewall's: the socket may have come since. */
static void test_a_datagram_socket_that_was_refused_may_have_just_begun(void **state)
{
	(void)state;
	struct made made;
	make(&made, PROTO_UDP);
	add(&made,
	    (struct socket){
		    .proto = PROTO_UDP, .family = FAMILY_IPV4, .local = {{[10] = 0xff, 0xff}}},
	    22);
	made.answers[0] = (struct answer){
		.state = DOOR_CLOSED, .reason = BECAUSE_ICMP, .icmp_type = 3, .icmp_code = 3};
	const struct scan_door *door = compared(&made, 22);
	assert_int_equal(door->verdict, VERDICT_NOT_REACHABLE);
	assert_non_null(strstr(door->detail, "just begun"));
	done(&made);
}

static void test_silence_of_a_bound_datagram_socket_is_expected(void **state)
{
	(void)state;
	struct made made;
	make(&made, PROTO_UDP);
	add(&made,
	    (struct socket){
		    .proto = PROTO_UDP, .family = FAMILY_IPV4, .local = {{[10] = 0xff, 0xff}}},
	    53);
	made.answers[1] = (struct answer){.state = DOOR_OPEN_FILTERED, .reason = BECAUSE_NO_ANSWER};
	const struct scan_door *door = compared(&made, 53);
	assert_int_equal(door->verdict, VERDICT_EXPECTED);
	assert_int_equal(door->answer.state, DOOR_OPEN_FILTERED); /* never open */
	done(&made);
}

static void test_what_was_not_asked_has_no_verdict(void **state)
{
	(void)state;
	struct made made;
	make(&made, PROTO_TCP);
	add(&made,
	    (struct socket){
		    .proto = PROTO_TCP, .family = FAMILY_IPV4, .local = {{[10] = 0xff, 0xff}}},
	    22);
	made.answers[0] = (struct answer){.reason = BECAUSE_BROKEN_OFF};
	assert_int_equal(compared(&made, 22)->verdict, VERDICT_NONE);
	done(&made);
}

static void test_another_service_than_the_number_says(void **state)
{
	(void)state;
	assert_true(compare_is_other_service("https", "ssh", false));
	assert_true(compare_is_other_service("https", "http", false)); /* in clear text */
	assert_false(compare_is_other_service("https", "http", true));
	assert_false(compare_is_other_service("https", "tls", true));
	assert_false(compare_is_other_service("http", "prometheus", false));
	assert_false(compare_is_other_service("domain", "dns", false));
	assert_false(compare_is_other_service("irdmi", "http", false));
	assert_false(compare_is_other_service(NULL, "http", false));
	assert_false(compare_is_other_service("ssh", "", false));
	assert_false(compare_is_other_service("docker", "docker", false));
	assert_true(compare_is_other_service("sunrpc", "ssh", false));
}

static void test_another_service_than_the_program_speaks(void **state)
{
	(void)state;
	assert_true(compare_is_other_program("sshd", "http"));
	assert_true(compare_is_other_program("squid", "ft"));
	assert_true(compare_is_other_program("redis-server", "prometheus"));
	assert_false(compare_is_other_program("sshd", "ssh"));
	assert_false(compare_is_other_program("squid", "http-proxy"));
	assert_false(compare_is_other_program("named", "http2"));
	assert_false(compare_is_other_program("etcd", "etcd"));
	assert_false(
		compare_is_other_program("redis-server", "tls")); /* inside of which it may be */
	assert_false(compare_is_other_program("redis-server", ""));
	assert_false(compare_is_other_program("python3", "ssh"));
	assert_false(compare_is_other_program(NULL, "ssh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_open_door_of_the_table_is_expected),
		cmocka_unit_test(test_what_does_not_fit_is_not_in_the_table),
		cmocka_unit_test(test_a_listener_that_is_not_reached_says_why),
		cmocka_unit_test(test_a_datagram_socket_that_was_refused_may_have_just_begun),
		cmocka_unit_test(test_silence_of_a_bound_datagram_socket_is_expected),
		cmocka_unit_test(test_what_was_not_asked_has_no_verdict),
		cmocka_unit_test(test_another_service_than_the_number_says),
		cmocka_unit_test(test_another_service_than_the_program_speaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
