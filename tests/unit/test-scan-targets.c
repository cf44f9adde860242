/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a scan is for: what people type, and what nobody should send to. */
#include <errno.h>

#include "check.h"
#include "scan/targets.h"

static struct interface_address own[2];
static struct netns place(void)
{
	const uint8_t lan[4] = {10, 9, 0, 1}, lo[4] = {127, 0, 0, 1};
	own[0] = (struct interface_address){.ip = ip_from_v4(lan), .prefix = 24, .is_v4 = true};
	own[1] = (struct interface_address){.ip = ip_from_v4(lo), .prefix = 8, .is_v4 = true};
	return (struct netns){.addresses = own, .n_addresses = 2};
}

static int add(const char *text, uint32_t *ret_n, uint32_t *ret_foreign)
{
	struct targets targets;
	struct arena arena;
	struct error err = {0};
	struct netns here = place();
	arena_init(&arena);
	targets_init(&targets);
	int r = targets_add(&targets, text, &here, &arena, &err);
	*ret_n = targets.list.n;
	*ret_foreign = targets.n_foreign;
	assert_true(r >= 0 || (err.what[0] && err.hint[0])); /* what, why, and how to mend it */
	targets_done(&targets);
	arena_done(&arena);
	return r;
}

static void test_what_many_hosts_would_get_is_refused(void **state)
{
	(void)state;
	static const char *const refused[] = {"255.255.255.255",
					      "224.0.0.1",
					      "0.0.0.0",
					      "::",
					      "ff02::1",
					      "10.9.0.255",
					      "224.0.0.0/30",
					      "10.9.0.255/32",
					      "fe80::1",
					      "10.0.0.0/33",
					      "10.0.0.0/8",
					      "10.x/24",
					      "fd00::/64",
					      "10.1",
					      "1.2.3",
					      "0x7f000001",
					      "2130706433",
					      "",
					      " ",
					      "10.9.0.1%none"};
	uint32_t n, foreign;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(add(refused[i], &n, &foreign), -EINVAL);
}

static void test_a_network_is_its_hosts(void **state)
{
	(void)state;
	uint32_t n, foreign;
	assert_int_equal(add("10.9.0.0/24", &n, &foreign), 0);
	assert_int_equal(n, 254);
	assert_int_equal(foreign, 253); /* one is ours */
	assert_int_equal(add("192.0.2.7/31", &n, &foreign), 0);
	assert_int_equal(n, 2);
	assert_int_equal(add("127.0.0.1", &n, &foreign), 0);
	assert_int_equal(foreign, 0);
	assert_int_equal(add("2001:db8::/120", &n, &foreign), 0);
	assert_int_equal(n, 256);
	assert_int_equal(add("::ffff:127.0.0.1", &n, &foreign), 0);
	assert_int_equal(foreign, 0);
	assert_int_equal(add("::ffff:10.9.0.0/120", &n, &foreign), 0);
	assert_int_equal(n, 254);
	assert_int_equal(add("[2001:db8::1]", &n, &foreign), 0);
	assert_int_equal(n, 1);
}

static void test_what_is_excluded_is_out(void **state)
{
	(void)state;
	struct targets targets;
	struct arena arena;
	struct error err = {0};
	struct netns here = place();
	arena_init(&arena);
	targets_init(&targets);
	assert_int_equal(targets_add(&targets, "10.9.0.0/24", &here, &arena, &err), 0);
	assert_int_equal(targets_exclude(&targets, "10.9.0.1,10.9.0.128/25", &arena, &err), 0);
	assert_int_equal(targets.list.n, 126);
	assert_int_equal(targets.n_foreign, 126);
	assert_int_equal(targets_exclude(&targets, "10.9.0.0/40", &arena, &err), -EINVAL);
	targets_done(&targets);
	arena_done(&arena);
}

static void check_ports(const char *text, uint32_t n, uint16_t first, uint16_t last)
{
	struct vector ports;
	struct error err = {0};
	vector_init(&ports, sizeof(uint16_t));
	assert_int_equal(ports_parse(text, &ports, &err), n ? 0 : -EINVAL);
	assert_int_equal(ports.n, n);
	if (n) {
		assert_int_equal(*(uint16_t *)vector_at(&ports, 0), first);
		assert_int_equal(*(uint16_t *)vector_at(&ports, n - 1), last);
	}
	vector_done(&ports);
}

static void test_ports_are_sorted_and_each_once(void **state)
{
	(void)state;
	check_ports("-", 65535, 1, 65535);
	check_ports("443,22,80-90,85", 13, 22, 443);
	check_ports("ssh,https", 2, 22, 443);
	check_ports("60000-", 5536, 60000, 65535);
	check_ports("-10", 10, 1, 10);
	static const char *const wrong[] = {"0", "70000", "9-3", "nosuchservice", "", "1-2-3"};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_ports(wrong[i], 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_many_hosts_would_get_is_refused),
		cmocka_unit_test(test_a_network_is_its_hosts),
		cmocka_unit_test(test_what_is_excluded_is_out),
		cmocka_unit_test(test_ports_are_sorted_and_each_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
