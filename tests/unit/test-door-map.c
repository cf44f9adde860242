/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 65,536 doors at a glance. */
#include "made.h"

#include "model/door-map.h"

static struct door_map map;

static void make(struct snapshot *s, const char *filter)
{
	struct filter *parsed = NULL;
	assert_int_equal(filter_parse(filter, NULL, &parsed, NULL), 0);
	assert_int_equal(snapshot_seal(s), 0);
	door_map_make(s, parsed, NULL, &map);
	filter_free(parsed);
}

static void assert_door(enum door_proto proto, uint16_t port, enum door_state state,
			enum door_reach reach)
{
	assert_int_equal(door_state(map.doors[proto][port]), state);
	assert_int_equal(door_reach(map.doors[proto][port]), reach);
}

static void test_an_open_door_stands_before_its_connections(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80", "1.2.3.4:5");
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL);
	made_socket(s, PROTO_TCP, STATE_TIME_WAIT, "203.0.113.9:80", "1.2.3.4:6");
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:40000", "1.2.3.4:443");
	made_socket(s, PROTO_TCP, STATE_TIME_WAIT, "203.0.113.9:40001", "1.2.3.4:443");
	made_socket(s, PROTO_TCP, STATE_BOUND, "127.0.0.1:90", NULL);
	made_socket(s, PROTO_UDP, STATE_UNCONN, "0.0.0.0:53", NULL);
	made_socket(s, PROTO_RAW, STATE_UNCONN, "0.0.0.0:6", NULL);
	make(s, NULL);
	assert_door(DOOR_TCP, 80, DOOR_OPEN, DOOR_REACH_LOOPBACK);
	assert_door(DOOR_TCP, 40000, DOOR_CONNECTED, DOOR_REACH_PUBLIC);
	assert_door(DOOR_TCP, 40001, DOOR_LEAVING, DOOR_REACH_PUBLIC);
	assert_door(DOOR_TCP, 90, DOOR_BOUND, DOOR_REACH_LOOPBACK);
	assert_door(DOOR_UDP, 53, DOOR_OPEN, DOOR_REACH_ANY);
	assert_door(DOOR_TCP, 53, DOOR_CLOSED, DOOR_REACH_NONE);
	assert_door(DOOR_TCP, 6, DOOR_CLOSED,
		    DOOR_REACH_NONE); /* the number of a raw one is none */
	snapshot_free(s);
}

static void test_the_widest_reach_is_shown(unused_argument void **state)
{
	static const char *const addresses[] = {"224.0.0.1:1", "127.0.0.1:1", "10.0.0.1:1",
						"203.0.113.9:1", "0.0.0.0:1"};
	static const enum door_reach wanted[] = {DOOR_REACH_GROUP, DOOR_REACH_GROUP,
						 DOOR_REACH_PRIVATE, DOOR_REACH_PUBLIC,
						 DOOR_REACH_ANY};
	for (unsigned n = 1; n <= ARRAY_SIZE(addresses); n++) {
		struct snapshot *s = made_new();
		for (unsigned i = n; i-- > 0;) /* whichever comes first */
			made_socket(s, PROTO_UDP, STATE_UNCONN, addresses[i], NULL);
		make(s, NULL);
		assert_door(DOOR_UDP, 1, DOOR_OPEN, wanted[n - 1]);
		snapshot_free(s);
	}
}

static void test_the_ephemeral_range_is_marked(unused_argument void **state)
{
	struct snapshot *s = made_new();
	make(s, NULL);
	assert_false(map.doors[DOOR_TCP][32767] & DOOR_EPHEMERAL);
	assert_true(map.doors[DOOR_TCP][32768] & DOOR_EPHEMERAL);
	assert_true(map.doors[DOOR_UDP][60999] & DOOR_EPHEMERAL);
	assert_false(map.doors[DOOR_UDP][61000] & DOOR_EPHEMERAL);
	snapshot_free(s);
}

static void test_a_filter_closes_doors(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:81", NULL);
	make(s, "port = 81");
	assert_door(DOOR_TCP, 80, DOOR_CLOSED, DOOR_REACH_NONE);
	assert_door(DOOR_TCP, 81, DOOR_OPEN, DOOR_REACH_ANY);
	snapshot_free(s);
}

static void test_what_came_and_went_is_marked(unused_argument void **state)
{
	struct snapshot *older = made_new(), *newer = made_new();
	struct difference difference;
	uint32_t kept = made_socket(older, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_socket(older, PROTO_TCP, STATE_LISTEN, "0.0.0.0:81", NULL);
	snapshot_add_socket(newer, made_at(older, kept));
	made_at(newer, made_socket(newer, PROTO_TCP, STATE_LISTEN, "0.0.0.0:82", NULL))->cookie = 9;
	assert_int_equal(snapshot_seal(older), 0);
	assert_int_equal(snapshot_seal(newer), 0);
	assert_int_equal(difference_find(older, newer, &difference), 0);
	door_map_make(newer, NULL, &difference, &map);
	assert_false(map.doors[DOOR_TCP][80] & DOOR_CHANGED);
	assert_true(map.doors[DOOR_TCP][81] & DOOR_CHANGED);
	assert_door(DOOR_TCP, 81, DOOR_CLOSED, DOOR_REACH_NONE);
	assert_true(map.doors[DOOR_TCP][82] & DOOR_CHANGED);
	assert_door(DOOR_TCP, 82, DOOR_OPEN, DOOR_REACH_ANY);
	difference_done(&difference);
	snapshot_free(older);
	snapshot_free(newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_open_door_stands_before_its_connections),
		cmocka_unit_test(test_the_widest_reach_is_shown),
		cmocka_unit_test(test_the_ephemeral_range_is_marked),
		cmocka_unit_test(test_a_filter_closes_doors),
		cmocka_unit_test(test_what_came_and_went_is_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
