/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reserved ports as /proc/sys has them; the loopback interface that every host has. */
#include "check.h"

#include "source/interfaces.h"

static void expect_ranges(const char *text, const struct port_range *wanted, uint32_t n_wanted)
{
	struct arena arena;
	const struct port_range *ranges;
	uint32_t n;
	arena_init(&arena);
	assert_int_equal(interfaces_parse_reserved(text, &arena, &ranges, &n), 0);
	assert_int_equal(n, n_wanted);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(ranges[i].first, wanted[i].first);
		assert_int_equal(ranges[i].last, wanted[i].last);
	}
	arena_done(&arena);
}

static void test_reserved_ports_are_numbers_and_ranges(void **state)
{
	(void)state;
	expect_ranges("\n", NULL, 0);
	expect_ranges("8080\n", (struct port_range[]){{8080, 8080}}, 1);
	expect_ranges("1,5-7,65535\n", (struct port_range[]){{1, 1}, {5, 7}, {65535, 65535}}, 3);
}

static void test_what_is_no_range_is_passed_over(void **state)
{
	(void)state;
	expect_ranges("7-5,9\n", (struct port_range[]){{9, 9}}, 1);
	expect_ranges("70000,9\n", (struct port_range[]){{9, 9}}, 1);
	expect_ranges("5,x\n", (struct port_range[]){{5, 5}}, 1);
	expect_ranges("5-", NULL, 0);
}

static void test_our_own_namespace_has_a_loopback(void **state)
{
	(void)state;
	struct host host;
	struct arena arena;
	struct error err = {0};
	struct netns netns = {.inode = 1};
	struct found_netns own = {.fd = -1, .is_self = true};
	arena_init(&arena);
	assert_int_equal(host_open(NULL, &host, &err), 0);
	assert_int_equal(interfaces_read(&host, &own, &arena, &netns, &err), 0);
	assert_string_equal(netns_interface_name(&netns, 1), "lo");
	assert_true(netns.interfaces[0].is_loopback);
	assert_true(netns.ephemeral.first && netns.ephemeral.first <= netns.ephemeral.last);
	bool has_loopback = false;
	for (uint32_t i = 0; i < netns.n_addresses; i++)
		has_loopback |= ip_reach(&netns.addresses[i].ip) == REACH_LOOPBACK &&
				netns.addresses[i].interface == 1;
	assert_true(has_loopback || !netns.interfaces[0].is_up);
	host_close(&host);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved_ports_are_numbers_and_ranges),
		cmocka_unit_test(test_what_is_no_range_is_passed_over),
		cmocka_unit_test(test_our_own_namespace_has_a_loopback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
