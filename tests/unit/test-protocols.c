/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/protocols: what is counted, what is not, what is no such file. */
#include "check.h"

#include "source/protocols.h"

static void parse(const char *text, struct protocols *ret)
{
	protocols_parse(text, strlen(text), ret);
}

static const char head[] = "protocol  size sockets  memory press maxhdr  slab module     cl co\n";

static void counts_both_families(void **state)
{
	struct protocols got;
	char text[512];
	(void)state;
	snprintf(text, sizeof(text),
		 "%sMPTCPv6   2064      1   54    no       0   yes  kernel\n"
		 "MPTCP     1936      2   54    no       0   yes  kernel\n"
		 "UDPv6     1344      4    0   NI       0   yes  kernel\n"
		 "UDP       1152      3    0   NI       0   yes  kernel\n"
		 "TCPv6     2432     10   54    no     320   yes  kernel\n"
		 "TCP       2240 500000   54    no     320   yes  kernel\n"
		 "PINGv6    1200      9   -1   NI       0   yes  kernel\n",
		 head);
	parse(text, &got);
	assert_true(got.is_known);
	assert_int_equal(got.n_mptcp, 3);
	assert_int_equal(got.n[PROTO_UDP], 7);
	assert_int_equal(got.n[PROTO_TCP], 500010);
	assert_int_equal(got.n[PROTO_RAW], 0);
	assert_int_equal(got.n[PROTO_SCTP], 0);
}

static void what_does_not_count_may_be_there(void **state)
{
	struct protocols got;
	char text[256];
	(void)state;
	snprintf(text, sizeof(text), "%sRAW       1024     -1   -1   NI\nUDP\nSCTP 12", head);
	parse(text, &got);
	assert_true(got.is_known);
	assert_int_not_equal(got.n[PROTO_RAW], 0);
	assert_int_not_equal(got.n[PROTO_SCTP], 0);
}

static void another_file_says_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "protocol ",
					    "sockets: used 12\nTCP: inuse 1\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct protocols got;
		parse(texts[i], &got);
		assert_false(got.is_known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_both_families),
		cmocka_unit_test(what_does_not_count_may_be_there),
		cmocka_unit_test(another_file_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
