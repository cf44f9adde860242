/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the BPF programs read into sockets and holders. */
#include "check.h"

#include <errno.h>
#include <netinet/in.h>

#include "bpf/record.h"
#include "source/bpf/record.h"

struct seen {
	struct sink sink;
	struct found_socket socket;
	struct tcp_info_part info; /* of the last that had one */
	bool has_info;
	int32_t pid, fd;
	uint64_t netns;
	unsigned n_sockets, n_held, n_netns;
	int says;
};

static int see_socket(struct sink *sink, const struct found_socket *found)
{
	struct seen *seen = (struct seen *)sink;
	seen->socket = *found;
	seen->n_sockets++;
	return seen->says;
}

static int see_held(struct sink *sink, const struct found_socket *found, int32_t pid, int32_t fd)
{
	struct seen *seen = (struct seen *)sink;
	seen->socket = *found;
	seen->pid = pid;
	seen->fd = fd;
	if (found->info) {
		seen->info = *found->info;
		seen->has_info = true;
	}
	seen->n_held++;
	return seen->says;
}

static int see_netns(struct sink *sink, uint64_t inode, int32_t pid, int32_t fd)
{
	struct seen *seen = (struct seen *)sink;
	seen->netns = inode;
	seen->pid = pid;
	seen->fd = fd;
	seen->n_netns++;
	return seen->says;
}

static struct seen nothing_seen(void)
{
	return (struct seen){.sink = {.socket = see_socket, .held = see_held, .netns = see_netns}};
}

static struct bpf_record listener(void)
{
	return (struct bpf_record){
		.cookie = 77,
		.local = {0, 0, htonl(0xffff), htonl(0x7f000001)},
		.peer = {0, 0, htonl(0xffff), 0},
		.inode = 4711,
		.netns = 4026531833u,
		.uid = 33,
		.interface = 2,
		.recv_queue = 3,
		.send_queue = 128,
		.pid = 812,
		.fd = 6,
		.local_port = 80,
		.protocol = IPPROTO_TCP,
		.kind = BPF_RECORD_SOCKET,
		.family = AF_INET,
		.state = STATE_LISTEN,
		.flags = BPF_RECORD_QUEUES | BPF_RECORD_REUSEPORT,
	};
}

static void test_a_held_socket_comes_with_its_holder(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	struct bpf_record record = listener();
	assert_int_equal(record_parse(&record, sizeof(record), &seen.sink, NULL), sizeof(record));
	assert_int_equal(seen.n_held, 1);
	assert_int_equal(seen.pid, 812);
	assert_int_equal(seen.fd, 6);

	const struct socket *socket = &seen.socket.socket;
	assert_int_equal(seen.socket.netns_inode, 4026531833u);
	assert_int_equal(seen.socket.has_file, FILE_THERE);
	assert_int_equal(socket->cookie, 77);
	assert_int_equal(socket->inode, 4711);
	assert_int_equal(socket->uid, 33);
	assert_int_equal(socket->interface, 2);
	assert_int_equal(socket->recv_queue, 3);
	assert_int_equal(socket->send_queue, 128);
	assert_int_equal(socket->local_port, 80);
	assert_int_equal(socket->proto, PROTO_TCP);
	assert_int_equal(socket->family, FAMILY_IPV4);
	assert_int_equal(socket->state, STATE_LISTEN);
	assert_int_equal(socket->flags, SOCKET_QUEUES_KNOWN | SOCKET_REUSEPORT | SOCKET_UID_KNOWN);
	assert_true(ip_is_mapped(&socket->local));
	assert_memory_equal((const char *)&socket->local + 12, "\x7f\0\0\1", 4);
}

static void test_a_mapped_address_stays_on_its_ipv6_socket(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	struct bpf_record record = listener();
	record.family = AF_INET6;
	assert_int_equal(record_parse(&record, sizeof(record), &seen.sink, NULL), sizeof(record));
	assert_int_equal(seen.socket.socket.family, FAMILY_IPV6);
	assert_true(ip_is_mapped(&seen.socket.socket.local));
	assert_true(seen.socket.socket.flags & SOCKET_V6ONLY_KNOWN);
	assert_false(seen.socket.socket.flags & SOCKET_V6ONLY);
}

static void test_mptcp_is_tcp_and_marked(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	struct bpf_record record = listener();
	record.protocol = BPF_PROTOCOL_MPTCP;
	record.flags |= BPF_RECORD_MPTCP;
	assert_int_equal(record_parse(&record, sizeof(record), &seen.sink, NULL), sizeof(record));
	assert_int_equal(seen.socket.socket.proto, PROTO_TCP);
	assert_true(seen.socket.socket.flags & SOCKET_MPTCP);
}

static void test_the_kernels_own_is_told_from_nobodys(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	struct bpf_record record = listener();
	record.pid = 0;
	record.fd = -1;
	record.kind = BPF_RECORD_KERNEL;
	assert_int_equal(record_parse(&record, sizeof(record), &seen.sink, NULL), sizeof(record));
	assert_int_equal(seen.socket.has_file, FILE_KERNEL);
	record.kind = BPF_RECORD_NOBODY;
	record.state = STATE_TIME_WAIT;
	record.inode = 0;
	assert_int_equal(record_parse(&record, sizeof(record), &seen.sink, NULL), sizeof(record));
	assert_int_equal(seen.socket.has_file, FILE_NOBODY);
	assert_int_equal(seen.n_sockets, 2);
	assert_int_equal(seen.n_held, 0);
}

static void test_rings_and_namespaces_are_no_sockets(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	cleanup(vector_done) struct vector rings;
	vector_init(&rings, sizeof(struct found_ring));
	struct bpf_record records[] = {
		{.kind = BPF_RECORD_RING, .pid = 5, .fd = 9},
		{.kind = BPF_RECORD_NETNS, .pid = 6, .fd = 3, .inode = 4026532000u},
	};
	assert_int_equal(record_parse(records, sizeof(records), &seen.sink, &rings),
			 sizeof(records));
	assert_int_equal(rings.n, 1);
	assert_int_equal(((struct found_ring *)vector_at(&rings, 0))->fd, 9);
	assert_int_equal(seen.n_netns, 1);
	assert_int_equal(seen.netns, 4026532000u);
	assert_int_equal(seen.n_sockets + seen.n_held, 0);
}

static void test_a_record_that_came_in_part_waits_for_its_rest(void **state)
{
	(void)state;
	struct bpf_record records[2] = {listener(), listener()};
	for (size_t n = 0; n <= sizeof(records); n++) {
		struct seen seen = nothing_seen();
		size_t whole = n / sizeof(records[0]);
		assert_int_equal(record_parse(records, n, &seen.sink, NULL),
				 whole * sizeof(records[0]));
		assert_int_equal(seen.n_held, whole);
	}
}

/* One with bytes behind it is longer than one without. */
static void test_bytes_belong_to_the_record_before_them(void **state)
{
	(void)state;
	struct bpf_record record = listener();
	const struct bpf_bytes bytes = {.acked = 1u << 31, .received = UINT64_C(1) << 40};
	char all[3 * sizeof(record) + sizeof(bytes)], *at = all;
	record.pid = 1;
	memcpy(at, &record, sizeof(record));
	at += sizeof(record);
	record.flags |= BPF_RECORD_BYTES;
	record.pid = 2;
	memcpy(at, &record, sizeof(record));
	memcpy(at + sizeof(record), &bytes, sizeof(bytes));
	at += sizeof(record) + sizeof(bytes);
	record.flags &= (__u8)~BPF_RECORD_BYTES;
	record.pid = 3;
	memcpy(at, &record, sizeof(record));
	for (size_t n = 0; n <= sizeof(all); n++) {
		struct seen seen = nothing_seen();
		size_t whole = n < sizeof(record)			? 0
			       : n < 2 * sizeof(record) + sizeof(bytes) ? 1
			       : n < sizeof(all)			? 2
									: 3;
		assert_int_equal(record_parse(all, n, &seen.sink, NULL),
				 whole * sizeof(record) + (whole > 1 ? sizeof(bytes) : 0));
		assert_int_equal(seen.n_held, whole);
		assert_int_equal(seen.has_info, whole >= 2);
		if (whole >= 2) {
			assert_int_equal(seen.info.bytes_acked, bytes.acked);
			assert_int_equal(seen.info.bytes_received, bytes.received);
		}
	}
}

static void test_what_cannot_be_a_record_ends_the_pass(void **state)
{
	(void)state;
	struct bpf_record wrong[9];
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		wrong[i] = listener();
	wrong[0].kind = 0;
	wrong[1].kind = 99;
	wrong[2].family = AF_UNIX;
	wrong[3].protocol = IPPROTO_ICMP;
	wrong[4].state = 0;
	wrong[5].state = STATE_MAX;
	wrong[6].pid = 0;
	wrong[7].fd = -1;
	wrong[8].pid = -4;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct seen seen = nothing_seen();
		assert_int_equal(record_parse(&wrong[i], sizeof(wrong[i]), &seen.sink, NULL),
				 -EBADMSG);
		assert_int_equal(seen.n_held + seen.n_sockets, 0);
	}
}

static void test_what_the_sink_says_ends_the_pass(void **state)
{
	(void)state;
	struct seen seen = nothing_seen();
	struct bpf_record records[2] = {listener(), listener()};
	seen.says = -ENOMEM;
	assert_int_equal(record_parse(records, sizeof(records), &seen.sink, NULL), -ENOMEM);
	assert_int_equal(seen.n_held, 1);
}

static void test_bounds_become_what_the_programs_test(void **state)
{
	(void)state;
	struct query query = {.bounds = BOUNDS_ALL};
	query.bounds.protos = 1u << PROTO_UDP;
	query.bounds.states = 1u << STATE_UNCONN;
	query.bounds.port_first = 53;
	query.bounds.port_last = 54;
	struct bpf_wanted wanted = record_wanted(&query);
	assert_int_equal(wanted.states, 1u << STATE_UNCONN);
	assert_int_equal(wanted.port_first, 53);
	assert_int_equal(wanted.port_last, 54);
	assert_int_equal(wanted.netns, 0);
	assert_false(wanted.tcp);
	assert_true(wanted.others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_held_socket_comes_with_its_holder),
		cmocka_unit_test(test_a_mapped_address_stays_on_its_ipv6_socket),
		cmocka_unit_test(test_mptcp_is_tcp_and_marked),
		cmocka_unit_test(test_the_kernels_own_is_told_from_nobodys),
		cmocka_unit_test(test_rings_and_namespaces_are_no_sockets),
		cmocka_unit_test(test_a_record_that_came_in_part_waits_for_its_rest),
		cmocka_unit_test(test_bytes_belong_to_the_record_before_them),
		cmocka_unit_test(test_what_cannot_be_a_record_ends_the_pass),
		cmocka_unit_test(test_what_the_sink_says_ends_the_pass),
		cmocka_unit_test(test_bounds_become_what_the_programs_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
