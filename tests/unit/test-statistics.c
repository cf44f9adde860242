/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the protocols, read and printed. */
#include "check.h"

#include "source/statistics.h"
#include "view/classic.h"

static const char snmp[] = "Ip: Forwarding InReceives\nIp: 1 234\n"
			   "Tcp: MaxConn PassiveOpens ActiveOpens\nTcp: -1 7 18446744073709551615\n"
			   "Udp: InDatagrams NoPorts\nUdp: 5 6\n";
static const char snmp6[] =
	"Ip6InReceives                   \t99\nUdp6NoPorts\t3\nIcmp6OutType134 \t1\n\n";

static void expect(const struct statistics *statistics, const char *group, const char *name,
		   uint64_t wanted)
{
	uint64_t value;
	assert_true(statistics_find(statistics, group, name, &value));
	assert_int_equal(value, wanted);
}

static void test_names_and_values_stand_in_the_same_places(void **state)
{
	(void)state;
	struct statistics statistics;
	uint64_t value;
	statistics_init(&statistics);
	assert_int_equal(snmp_parse(snmp, sizeof(snmp) - 1, &statistics), 0);
	assert_int_equal(snmp6_parse(snmp6, sizeof(snmp6) - 1, &statistics), 0);
	expect(&statistics, "Ip", "InReceives", 234);
	expect(&statistics, "Tcp", "PassiveOpens", 7);
	expect(&statistics, "Tcp", "ActiveOpens", UINT64_MAX);
	expect(&statistics, "Ip6", "InReceives", 99);
	expect(&statistics, "Udp6", "NoPorts", 3);
	assert_false(statistics_find(&statistics, "Tcp", "MaxConn", &value));
	statistics_done(&statistics);
}

static void test_what_is_cut_anywhere_is_no_fault(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(snmp); n++) {
		struct statistics statistics;
		statistics_init(&statistics);
		assert_int_equal(snmp_parse(snmp, n, &statistics), 0);
		assert_int_equal(snmp6_parse(snmp6, n < sizeof(snmp6) ? n : 0, &statistics), 0);
		statistics_done(&statistics);
	}
}

static void test_only_what_the_kernel_has_is_printed(void **state)
{
	(void)state;
	struct statistics statistics;
	struct out out;
	statistics_init(&statistics);
	assert_int_equal(snmp_parse(snmp, sizeof(snmp) - 1, &statistics), 0);
	assert_int_equal(out_init(&out, -1), 0);
	netstat_print_statistics(&out, &statistics, CLASSIC_UDP);
	out_char(&out, '\0');
	assert_string_equal(out.data, "\nUDP Statistics for IPv4\n\n"
				      "  Datagrams Received    = 5\n"
				      "  No Ports              = 6\n");
	out_done(&out);
	statistics_done(&statistics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_values_stand_in_the_same_places),
		cmocka_unit_test(test_what_is_cut_anywhere_is_no_fault),
		cmocka_unit_test(test_only_what_the_kernel_has_is_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
