/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packed socket is read as it was added, and a stream of them says what a snapshot says. */
#include "made.h"

#include "base/out.h"
#include "model/stream.h"
#include "view/json.h"

#define MANY 4000

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static struct ip random_ip(bool is_v4)
{
	uint8_t bytes[16] = {0};
	if (random_below(8) == 0)
		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_below(256);
	else if (random_below(3))
		bytes[is_v4 ? 3 : 15] = (uint8_t)(1 + random_below(3)), bytes[0] = is_v4 ? 127 : 0;
	return is_v4 ? ip_from_v4(bytes) : ip_from_v6(bytes);
}

/* Few numbers and addresses, so that much of it meets. */
static struct socket random_socket(uint32_t number)
{
	static const uint8_t states[] = {STATE_ESTABLISHED, STATE_LISTEN,   STATE_UNCONN,
					 STATE_TIME_WAIT,   STATE_SYN_RECV, STATE_SYN_SENT};
	uint8_t state = states[random_below(6)];
	bool has_peer = state != STATE_LISTEN && state != STATE_UNCONN;
	bool is_v4 = random_below(2);
	struct socket socket = {
		.cookie = random_below(9) ? number + 1 : (uint64_t)random_below(1u << 31) << 33,
		.local = random_ip(is_v4 || random_below(4) == 0),
		.local_port = (uint16_t)(80 + random_below(20)),
		.inode = state == STATE_TIME_WAIT ? 0 : 1000 + number,
		.uid = random_below(4),
		.interface = random_below(9) ? 0 : 2,
		.recv_queue = random_below(3) ? 0 : random_below(1u << 31),
		.send_queue = random_below(3) ? 128 : 0,
		.netns = random_below(3),
		.holder = NONE,
		.tcp_info = NONE,
		.proto = (uint8_t)(state == STATE_UNCONN ? random_below(4) : PROTO_TCP),
		.family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6,
		.state = state,
		.flags = (uint8_t)(SOCKET_UID_KNOWN | SOCKET_QUEUES_KNOWN |
				   (random_below(4) ? 0 : SOCKET_V6ONLY)),
		.held_by = random_below(9) || !has_peer ? HELD_UNASKED : HELD_KERNEL,
	};
	socket.peer = has_peer ? random_ip(is_v4)
		      : is_v4  ? ip_from_v4((uint8_t[4]){0})
			       : (struct ip){0};
	socket.peer_port = has_peer ? (uint16_t)(80 + random_below(20)) : 0;
	return socket;
}

static uint8_t held_by(const struct socket *socket, bool is_held)
{
	return is_held				? HELD_PROCESS
	       : socket->held_by == HELD_KERNEL ? HELD_KERNEL
	       : socket->inode			? HELD_UNSEEN
						: HELD_NOBODY;
}

static void check_equal(const struct packed_one *one, struct socket expected)
{
	assert_int_equal(one->socket.held_by, held_by(&expected, one->is_held));
	expected.held_by = one->socket.held_by;
	assert_memory_equal(&one->socket, &expected, sizeof(expected));
}

static void every_socket_is_read_as_it_was_added(unused_argument void **state)
{
	static struct socket sockets[MANY];
	struct packed *packed = packed_new();
	struct packed_one one = {.packed = packed};
	random_state = 1;
	for (uint32_t i = 0; i < MANY; i++) {
		sockets[i] = random_socket(i);
		assert_int_equal(packed_add(packed, &sockets[i], NULL), i);
		if (i % 3)
			assert_int_equal(packed_hold(packed, i, i / 40, (int32_t)(i % 40)), 0);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_true(packed_next(&one));
		check_equal(&one, sockets[i]);
		assert_int_equal(one.process, i % 3 ? i / 40 : NONE);
		if (i % 3)
			assert_int_equal(one.fd, i % 40);
	}
	assert_false(packed_next(&one));
	for (uint32_t i = 0; i < MANY; i += 7) {
		packed_get(packed, i, &one);
		assert_int_equal(one.record, i);
		check_equal(&one, sockets[i]);
	}
	packed_free(packed);
}

static void sockets_are_found_by_inode_or_ends(unused_argument void **state)
{
	static struct socket sockets[MANY];
	struct packed *packed = packed_new();
	uint32_t n = 0;
	random_state = 2;
	assert_int_equal(packed_find(packed, &(struct socket){.inode = 1}), NONE);
	for (uint32_t i = 0; i < MANY; i++) {
		struct socket socket = random_socket(i);
		if (packed_find(packed, &socket) != NONE)
			continue; /* the same ends, without an inode */
		sockets[n] = socket;
		assert_int_equal(packed_add(packed, &socket, NULL), n);
		n++;
	}
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(packed_find(packed, &sockets[i]), i);
	assert_int_equal(packed_find_inode(packed, 999), NONE);
	assert_int_equal(packed_find_inode(packed, 0), NONE);
	packed_free(packed);
}

static void what_is_learnt_later_is_kept(unused_argument void **state)
{
	struct packed *packed = packed_new();
	struct packed_one one;
	random_state = 3;
	for (uint32_t i = 0; i < 100; i++) {
		struct socket socket = random_socket(i);
		packed_add(packed, &socket, NULL);
	}
	for (uint32_t times = 1; times <= 2; times++)
		for (uint32_t i = 0; i < 100; i += 9) {
			packed_get(packed, i, &one);
			one.socket.flags |= SOCKET_MPTCP;
			one.socket.cookie = 77 * times;
			assert_int_equal(packed_change(packed, i, &one.socket), 0);
		}
	for (uint32_t i = 0; i < 100; i++) {
		packed_get(packed, i, &one);
		assert_int_equal(one.socket.flags & SOCKET_MPTCP, i % 9 ? 0 : SOCKET_MPTCP);
		if (i % 9 == 0)
			assert_int_equal(one.socket.cookie, 154);
	}
	packed_free(packed);
}

static void what_has_ended_is_passed_over(unused_argument void **state)
{
	struct packed *packed = packed_new();
	struct packed_one one;
	random_state = 5;
	for (uint32_t i = 0; i < 40; i++) {
		struct socket socket = random_socket(i);
		packed_add(packed, &socket, NULL);
	}
	for (uint32_t i = 0; i < 40; i += 3) { /* the first and the last too */
		packed_get(packed, i, &one);
		one.socket.state = STATE_GONE;
		assert_int_equal(packed_change(packed, i, &one.socket), 0);
	}
	one = (struct packed_one){.packed = packed};
	for (uint32_t i = 0; i < 40; i++)
		if (i % 3) {
			assert_true(packed_next(&one));
			assert_int_equal(one.record, i);
		}
	assert_false(packed_next(&one));
	packed_free(packed);
}

static void a_holder_counts_once(unused_argument void **state)
{
	struct packed *packed = packed_new();
	struct packed_one one;
	uint32_t n;
	random_state = 4;
	for (uint32_t i = 0; i < 3; i++) {
		struct socket socket = random_socket(i);
		packed_add(packed, &socket, NULL);
		assert_int_equal(packed_hold(packed, i, 1, 5), 0);
	}
	for (unsigned thread = 0; thread < 20000; thread++) /* more than wait to be ordered */
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(packed_hold(packed, i, 2 - i / 2, (int32_t)i), 0);
	assert_int_equal(packed_hold(packed, 0, 2, -1), 0); /* through a ring */
	assert_int_equal(packed_hold(packed, 0, 1, -1), 0);
	assert_int_equal(packed_hold(packed, 0, 3, -1), 0);
	packed_settle(packed);
	packed_get(packed, 0, &one);
	const struct packed_holder *more = packed_holders(&one, &n);
	assert_int_equal(one.process, 1);
	assert_int_equal(n, 2);
	assert_int_equal(more[0].process, 2);
	assert_int_equal(more[0].fd, 0);
	assert_int_equal(more[1].process, 3);
	assert_int_equal(more[1].fd, -1);
	packed_get(packed, 2, &one);
	more = packed_holders(&one, &n);
	assert_int_equal(n, 1);
	assert_int_equal(more[0].process, 1);
	assert_int_equal(more[0].fd, 2);
	packed_free(packed);
}

/* ---- a stream beside a snapshot ---- */

static struct snapshot *random_snapshot(uint32_t n_processes)
{
	struct snapshot *snapshot = made_new();
	for (uint32_t i = 1; i < 3; i++)
		*(struct netns *)vector_add(&snapshot->netns) =
			(struct netns){.inode = MADE_NETNS + i};
	for (uint32_t i = 0; i < n_processes; i++)
		made_process(snapshot, (int32_t)(100 + i), i % 5 ? (int32_t)(100 + i / 5) : 1,
			     i % 2 ? "nginx" : "sshd", i % 3 ? NULL : "a.service");
	return snapshot;
}

static void write_all(struct snapshot *snapshot, struct stream *stream, struct vector *lines)
{
	struct json_shape *shape = json_shape_new(NULL);
	struct out out;
	uint32_t index = 0;
	assert_int_equal(out_init(&out, -1), 0);
	for (uint32_t i = 0; stream ? stream_next(stream, &index) > 0 : i < snapshot->sockets.n;
	     i++) {
		out.n = 0;
		json_socket(&out, shape, snapshot, stream ? index : i);
		out_char(&out, '\0');
		*(char **)vector_add(lines) = strdup(out.data);
	}
	json_shape_free(shape);
	out_done(&out);
}

/* The same sockets with the same holders in both; every fifth is whole in the stream as well. */
static void fill_both(struct snapshot *snapshot, struct stream *stream, uint32_t n,
		      uint32_t n_processes)
{
	for (uint32_t i = 0; i < n; i++) {
		struct socket socket = random_socket(i);
		uint32_t n_holders = socket.inode ? random_below(4) : 0, index;
		if (packed_find(stream->packed, &socket) != NONE)
			continue;
		packed_add(stream->packed, &socket, NULL);
		index = snapshot_add_socket(snapshot, &socket);
		made_at(snapshot, index)->held_by = held_by(&socket, n_holders);
		uint32_t first = random_below(n_processes - 8);
		for (uint32_t k = 0; k < n_holders; k++) {
			uint32_t process = first + 2 * k;
			packed_hold(stream->packed, index, process, (int32_t)(k + 3));
			made_hold(snapshot, index, process, (int32_t)(k + 3));
		}
	}
	packed_settle(stream->packed);
	struct packed_one one = {.packed = stream->packed};
	while (packed_next(&one))
		if (one.record % 5 == 0)
			assert_int_equal(stream_add_whole(stream, &one), 0);
}

static void a_stream_says_what_a_snapshot_says(unused_argument void **state)
{
	static const uint32_t sizes[] = {0, 1, 2, 60, 700, 3000};
	for (unsigned i = 0; i < 3 * ARRAY_SIZE(sizes); i++) {
		struct snapshot *snapshot = random_snapshot(50);
		struct stream *stream = stream_new();
		struct vector seen, streamed;
		vector_init(&seen, sizeof(char *));
		vector_init(&streamed, sizeof(char *));
		stream->snapshot = random_snapshot(50);
		random_state = 5 + i;
		fill_both(snapshot, stream, sizes[i % ARRAY_SIZE(sizes)], 50);
		assert_int_equal(snapshot_seal(snapshot), 0);
		assert_int_equal(snapshot_seal(stream->snapshot), 0);
		assert_int_equal(stream_seal(stream), 0);
		write_all(snapshot, NULL, &seen);
		write_all(stream->snapshot, stream, &streamed);
		assert_int_equal(seen.n, streamed.n);
		for (uint32_t k = 0; k < seen.n; k++) {
			char **line = vector_at(&seen, k), **other = vector_at(&streamed, k);
			assert_string_equal(*line, *other);
			free(*line);
			free(*other);
		}
		vector_done(&seen);
		vector_done(&streamed);
		stream_free(stream);
		snapshot_free(snapshot);
	}
}

static void broken_off_it_is_incomplete(unused_argument void **state)
{
	struct stream *stream = stream_new();
	stream->snapshot = random_snapshot(9);
	packed_settle(stream->packed);
	assert_int_equal(snapshot_seal(stream->snapshot), 0);
	assert_int_equal(stream_seal(stream), 0);
	assert_true(stream->snapshot->is_complete);
	assert_int_equal(stream_break(stream), 0);
	assert_false(stream->snapshot->is_complete);
	assert_int_equal(stream->snapshot->missing.n, 1);
	stream_free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_socket_is_read_as_it_was_added),
		cmocka_unit_test(sockets_are_found_by_inode_or_ends),
		cmocka_unit_test(what_is_learnt_later_is_kept),
		cmocka_unit_test(what_has_ended_is_passed_over),
		cmocka_unit_test(a_holder_counts_once),
		cmocka_unit_test(a_stream_says_what_a_snapshot_says),
		cmocka_unit_test(broken_off_it_is_incomplete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
