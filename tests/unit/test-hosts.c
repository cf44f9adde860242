/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/hosts, /etc/gai.conf and what `localhost` reaches first. */
#include "check.h"

#include "source/hosts.h"

static struct hosts parse(struct arena *arena, const char *text)
{
	struct hosts hosts;
	arena_init(arena);
	assert_int_equal(hosts_parse(text, strlen(text), arena, &hosts), 0);
	return hosts;
}

static void test_the_first_name_of_a_line_is_the_name(void **state)
{
	(void)state;
	struct arena arena;
	struct hosts hosts =
		parse(&arena, "# nobody\n127.0.0.1\tlocalhost\n10.0.0.7  db.example db # x\n"
			      "nonsense here\n10.0.0.8\n::1 localhost ip6-localhost");
	struct ip ip = ip_from_v4((const uint8_t[4]){10, 0, 0, 7});
	assert_string_equal(hosts_name(&hosts, &ip), "db.example");
	ip = ip_from_v4((const uint8_t[4]){10, 0, 0, 8});
	assert_null(hosts_name(&hosts, &ip));
	assert_true(hosts.localhost_v4 && hosts.localhost_v6);
	arena_done(&arena);
}

static void expect_order(const char *hosts_text, const char *gai, const char *first, unsigned n)
{
	struct arena arena;
	struct ip order[2], wanted;
	bool is_v4;
	struct hosts hosts = parse(&arena, hosts_text);
	hosts.is_v4_first = gai_puts_v4_first(gai, strlen(gai));
	assert_int_equal(hosts_localhost(&hosts, NULL, order), n);
	assert_int_equal(ip_parse(first, strlen(first), &wanted, &is_v4), 0);
	assert_true(ip_equal(&order[0], &wanted));
	arena_done(&arena);
}

static void test_localhost_is_ipv6_first_where_it_has_both(void **state)
{
	(void)state;
	expect_order("127.0.0.1 localhost\n::1 localhost\n", "", "::1", 2);
	expect_order("", "", "::1", 2);
	expect_order("127.0.0.1 localhost\n", "", "127.0.0.1", 1);
}

static void test_gai_conf_turns_the_order(void **state)
{
	(void)state;
	const char *both = "127.0.0.1 localhost\n::1 localhost\n";
	expect_order(both, "precedence ::ffff:0:0/96  100\n", "127.0.0.1", 2);
	expect_order(both, "#precedence ::ffff:0:0/96  100\n", "::1", 2);
	expect_order(both, "precedence ::ffff:0:0/96  10\n", "::1", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_name_of_a_line_is_the_name),
		cmocka_unit_test(test_localhost_is_ipv6_first_where_it_has_both),
		cmocka_unit_test(test_gai_conf_turns_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
