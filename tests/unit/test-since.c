/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of packed sockets since a snapshot is what the difference of two snapshots says; and
 * the small stores for what went over connections. */
#include "made.h"

#include "model/difference.h"
#include "model/door-map.h"
#include "model/since-find.h"

#define MANY 3000

/* Some new, some gone, some in another state or with another holder, in turn. */
static void fill(struct snapshot *s, bool is_newer)
{
	uint32_t process = made_process(s, 100, 1, "nginx", NULL);
	for (uint32_t i = 0; i < MANY; i++) {
		char local[32], peer[32];
		if (i % 11 == (is_newer ? 3 : 4))
			continue;
		snprintf(local, sizeof(local), "10.0.0.1:%u", 1000 + i);
		snprintf(peer, sizeof(peer), "10.0.0.2:%u", 2000 + i % 7);
		enum state state = is_newer && i % 13 == 5 ? STATE_CLOSE_WAIT : STATE_ESTABLISHED;
		uint32_t index = made_socket(s, PROTO_TCP, state, local, peer);
		made_at(s, index)->cookie = made_at(s, index)->inode = i + 1;
		if (i % 2)
			made_hold(s, index, process, (int)(is_newer && i % 17 == 0 ? i + 1 : i));
		struct tcp_info_part *info = vector_add(&s->tcp_infos);
		*info = (struct tcp_info_part){.bytes_received = i * 10,
					       .bytes_acked = UINT64_C(1) << i % 60};
		if (is_newer)
			info->bytes_received += i % 5 ? 0 : 4000;
		made_at(s, index)->tcp_info = s->tcp_infos.n - 1;
	}
}

static struct packed *pack(const struct snapshot *s)
{
	struct packed *packed = packed_new();
	for (uint32_t i = 0; i < s->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(s, i);
		const struct holder *holder = snapshot_holder(s, socket->holder);
		struct byte_counts counts;
		assert_true(snapshot_counts(s, i, &counts));
		assert_int_equal(packed_add(packed, socket, &counts), i);
		if (holder)
			assert_int_equal(packed_hold(packed, i, holder->process, holder->fd), 0);
	}
	packed_settle(packed);
	return packed;
}

static void packed_sockets_are_compared_as_others_are(unused_argument void **state)
{
	struct snapshot *older = made_new(), *newer = made_new();
	struct difference difference;
	fill(older, false);
	fill(newer, true);
	for (uint32_t i = 0; i < older->sockets.n; i++) /* as the packed ones are known */
		made_at(older, i)->held_by =
			made_at(older, i)->holder == NONE ? HELD_UNSEEN : HELD_PROCESS;
	for (uint32_t i = 0; i < newer->sockets.n; i++)
		made_at(newer, i)->held_by =
			made_at(newer, i)->holder == NONE ? HELD_UNSEEN : HELD_PROCESS;
	older->uptime_ns = 1;
	newer->uptime_ns = 2000000001;
	struct packed *packed = pack(newer);
	assert_int_equal(difference_find(older, newer, &difference), 0);
	assert_int_equal(since_find(older, packed, 0, newer), 0);

	assert_true(difference.n_new && difference.n_gone && difference.n_changed);
	assert_int_equal(newer->since->n_new, difference.n_new);
	assert_int_equal(newer->since->n_changed, difference.n_changed);
	assert_int_equal(newer->since->n_gone, difference.n_gone);
	assert_memory_equal(newer->since->change, difference.change, newer->sockets.n);
	for (uint32_t i = 0; i < newer->sockets.n; i++) {
		struct rate wanted = {RATE_UNKNOWN, RATE_UNKNOWN}, is = flows_get(newer->flows, i);
		difference_rate(&difference, i, &wanted);
		assert_int_equal(is.in, wanted.in);
		assert_int_equal(is.out, wanted.out);
	}
	static struct door_map by_two, by_one;
	door_map_make(newer, NULL, &difference, &by_two);
	door_map_make(newer, NULL, &(struct difference){.change = difference.change}, &by_one);
	door_map_mark(&by_one, newer->since);
	assert_memory_equal(&by_one, &by_two, sizeof(by_one));
	difference_done(&difference);
	packed_free(packed);
	snapshot_free(older);
	snapshot_free(newer);
}

static void what_comes_soon_has_the_rates_of_before(unused_argument void **state)
{
	for (unsigned knows = 0; knows < 2; knows++) {
		struct snapshot *older = made_new(), *newer = made_new();
		struct difference difference;
		fill(older, false);
		fill(newer, true);
		older->uptime_ns = 1;
		newer->uptime_ns = 2000000001;
		older->flows = knows ? flows_new(older->sockets.n) : NULL;
		for (uint32_t i = 0; knows && i < older->sockets.n; i += 2)
			assert_int_equal(flows_put(older->flows, i, &(struct rate){i, i + 1u}), 0);
		struct packed *packed = pack(newer);
		assert_int_equal(difference_find(older, newer, &difference), 0);
		assert_int_equal(since_find(older, packed, 3, newer), 0);
		assert_int_equal(newer->flows != NULL, knows);
		for (uint32_t i = 0; i < newer->sockets.n; i++) {
			uint32_t old = difference.older_of[i];
			uint64_t wanted = knows && old != NONE && old % 2 == 0 ? old : RATE_UNKNOWN;
			assert_true(flows_get(newer->flows, i).in == wanted);
		}
		difference_done(&difference);
		packed_free(packed);
		snapshot_free(older);
		snapshot_free(newer);
	}
}

static void counts_are_read_as_they_were_added(unused_argument void **state)
{
	cleanup(counts_done) struct counts counts;
	struct byte_counts is;
	counts_init(&counts);
	assert_false(counts_get(&counts, 0, &is));
	for (uint32_t i = 0; i < MANY; i++) {
		const struct byte_counts was = {i, UINT64_MAX >> i % 64};
		assert_int_equal(counts_add(&counts, i % 3 ? &was : NULL), 0);
	}
	for (uint32_t i = MANY; i-- > 0;) {
		assert_int_equal(counts_get(&counts, i, &is), i % 3 != 0);
		if (i % 3 == 0)
			continue;
		assert_int_equal(is.acked, i);
		assert_true(is.received == UINT64_MAX >> i % 64);
	}
	assert_false(counts_get(&counts, MANY, &is));
}

static void where_nothing_flows_the_rate_is_known_to_be_none(unused_argument void **state)
{
	struct flows *flows = flows_new(200);
	assert_int_equal(flows_put(flows, 3, &(struct rate){0, 0}), 0);
	assert_int_equal(flows_put(flows, 64, &(struct rate){7, 9}), 0);
	assert_int_equal(flows_put(flows, 199, &(struct rate){1, 0}), 0);
	assert_int_equal(flows_get(flows, 3).in, 0);
	assert_int_equal(flows_get(flows, 64).out, 9);
	assert_int_equal(flows_get(flows, 199).in, 1);
	assert_true(flows_get(flows, 4).in == RATE_UNKNOWN);
	assert_true(flows_get(flows, 200).in == RATE_UNKNOWN);
	assert_true(flows_get(NULL, 0).in == RATE_UNKNOWN);
	flows_free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_sockets_are_compared_as_others_are),
		cmocka_unit_test(what_comes_soon_has_the_rates_of_before),
		cmocka_unit_test(counts_are_read_as_they_were_added),
		cmocka_unit_test(where_nothing_flows_the_rate_is_known_to_be_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
