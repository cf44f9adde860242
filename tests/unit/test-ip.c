/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses: how they are read and written, and how far they reach. */
#include "check.h"

#include "base/format.h"
#include "model/ip.h"
#include "model/netns.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;
	bool is_v4;
	assert_int_equal(ip_parse(text, strlen(text), &ip, &is_v4), 0);
	return ip;
}

static void test_every_address_reaches_as_its_rfc_says(unused_argument void **state)
{
	static const struct {
		const char *text;
		enum reach reach;
	} cases[] = {
		{"0.0.0.0", REACH_ANY},
		{"::", REACH_ANY},
		{"::ffff:0.0.0.0", REACH_ANY},
		{"127.0.0.1", REACH_LOOPBACK},
		{"127.255.255.254", REACH_LOOPBACK},
		{"::1", REACH_LOOPBACK},
		{"::ffff:127.0.0.1", REACH_LOOPBACK},
		{"10.0.0.1", REACH_PRIVATE},
		{"172.15.255.255", REACH_PUBLIC},
		{"172.16.0.0", REACH_PRIVATE},
		{"172.31.255.255", REACH_PRIVATE},
		{"172.32.0.0", REACH_PUBLIC},
		{"192.168.1.1", REACH_PRIVATE},
		{"192.169.0.1", REACH_PUBLIC},
		{"fd00::1", REACH_PRIVATE},
		{"fc00::1", REACH_PRIVATE},
		{"100.63.255.255", REACH_PUBLIC},
		{"100.64.0.0", REACH_SHARED},
		{"100.127.255.255", REACH_SHARED},
		{"100.128.0.0", REACH_PUBLIC},
		{"169.254.1.1", REACH_LINK_LOCAL},
		{"fe80::1", REACH_LINK_LOCAL},
		{"febf::1", REACH_LINK_LOCAL},
		{"224.0.0.251", REACH_MULTICAST},
		{"239.255.255.250", REACH_MULTICAST},
		{"ff02::fb", REACH_MULTICAST},
		{"255.255.255.255", REACH_BROADCAST},
		{"8.8.8.8", REACH_PUBLIC},
		{"2001:db8::1", REACH_PUBLIC},
		{"::2", REACH_PUBLIC},
		{"::ffff:10.1.2.3", REACH_PRIVATE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip ip = ip_of(cases[i].text);
		assert_string_equal(reach_words[ip_reach(&ip)], reach_words[cases[i].reach]);
	}
}

static void test_what_is_written_is_read_again(unused_argument void **state)
{
	static const char *const texts[] = {"0.0.0.0",
					    "255.255.255.255",
					    "10.20.30.40",
					    "::",
					    "::1",
					    "2001:db8::1",
					    "1::",
					    "1:0:2::3",
					    "fe80::1:2",
					    "1:2:3:4:5:6:7:8",
					    "::ffff:1.2.3.4",
					    "1:2:3:4:5:6:7:0",
					    "ff02::1:ff00:0"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ip ip;
		bool is_v4;
		char text[FORMAT_IP_MAX + 1];
		assert_int_equal(ip_parse(texts[i], strlen(texts[i]), &ip, &is_v4), 0);
		text[ip_format(text, &ip, is_v4)] = '\0';
		assert_string_equal(text, texts[i]);
	}
}

static void test_a_mapped_address_is_ipv4_where_that_is_asked(unused_argument void **state)
{
	struct ip ip = ip_of("::ffff:1.2.3.4"), same = ip_of("1.2.3.4");
	char text[FORMAT_IP_MAX + 1];
	assert_true(ip_is_mapped(&ip));
	assert_true(ip_equal(&ip, &same));
	text[ip_format(text, &ip, true)] = '\0';
	assert_string_equal(text, "1.2.3.4");
}

static void test_what_is_no_address_is_refused(unused_argument void **state)
{
	static const char *const texts[] = {"",		  "1.2.3",   "1.2.3.4.5", "256.1.1.1",
					    "1.2.3.4 ",	  "::1::",   "[::1]",	  "localhost",
					    "fe80::1%lo", "12345::", "1.2.3.4/8"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ip ip;
		bool is_v4;
		assert_true(ip_parse(texts[i], strlen(texts[i]), &ip, &is_v4) < 0);
	}
}

static void test_only_the_given_length_is_read(unused_argument void **state)
{
	struct ip ip, wanted = ip_of("1.2.3.4");
	bool is_v4;
	assert_int_equal(ip_parse("1.2.3.4:80", 7, &ip, &is_v4), 0);
	assert_true(is_v4 && ip_equal(&ip, &wanted));
}

static void test_a_prefix_holds_what_shares_its_bits(unused_argument void **state)
{
	struct ip ip = ip_of("10.1.2.3"), net = ip_of("10.0.0.0"), other = ip_of("10.1.2.128");
	assert_true(ip_in_prefix(&ip, &net, 96 + 8));
	assert_false(ip_in_prefix(&ip, &net, 96 + 16));
	assert_true(ip_in_prefix(&ip, &other, 96 + 24));
	assert_false(ip_in_prefix(&ip, &other, 96 + 25));
	assert_true(ip_in_prefix(&ip, &ip, 128));
	assert_true(ip_in_prefix(&ip, &net, 0));
	assert_false(ip_in_prefix(&ip, &ip, 129));
}

static void test_any_reaches_as_far_as_the_widest_interface_that_is_up(unused_argument void **state)
{
	const struct interface interfaces[] = {
		{1, "lo", true, true}, {2, "eth0", true, false}, {3, "wan0", false, false}};
	const struct interface_address addresses[] = {
		{ip_of("127.0.0.1"), 1, 8, true},
		{ip_of("192.168.1.2"), 2, 24, true},
		{ip_of("fe80::2"), 2, 64, false},
		{ip_of("203.0.113.1"), 3, 24, true},
	};
	struct netns netns = {.interfaces = interfaces,
			      .n_interfaces = 3,
			      .addresses = addresses,
			      .n_addresses = 4};
	assert_int_equal(netns_widest_reach(&netns, true, false), REACH_PRIVATE);
	assert_int_equal(netns_widest_reach(&netns, false, true), REACH_LINK_LOCAL);
	assert_int_equal(netns_widest_reach(&netns, true, true), REACH_PRIVATE);
	netns.n_addresses = 1;
	assert_int_equal(netns_widest_reach(&netns, true, true), REACH_LOOPBACK);
	assert_string_equal(netns_interface_name(&netns, 2), "eth0");
	assert_null(netns_interface_name(&netns, 9));
}

static void test_ports_lie_in_the_ranges_of_their_namespace(unused_argument void **state)
{
	const struct port_range reserved[] = {{8080, 8080}, {9000, 9010}};
	struct netns netns = {.ephemeral = {32768, 60999}, .reserved = reserved, .n_reserved = 2};
	assert_true(netns_port_is_ephemeral(&netns, 32768));
	assert_true(netns_port_is_ephemeral(&netns, 60999));
	assert_false(netns_port_is_ephemeral(&netns, 61000));
	assert_true(netns_port_is_reserved(&netns, 9010));
	assert_false(netns_port_is_reserved(&netns, 9011));
	netns.ephemeral = (struct port_range){0, 0}; /* unknown */
	assert_false(netns_port_is_ephemeral(&netns, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_address_reaches_as_its_rfc_says),
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_a_mapped_address_is_ipv4_where_that_is_asked),
		cmocka_unit_test(test_what_is_no_address_is_refused),
		cmocka_unit_test(test_only_the_given_length_is_read),
		cmocka_unit_test(test_a_prefix_holds_what_shares_its_bits),
		cmocka_unit_test(test_any_reaches_as_far_as_the_widest_interface_that_is_up),
		cmocka_unit_test(test_ports_lie_in_the_ranges_of_their_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
