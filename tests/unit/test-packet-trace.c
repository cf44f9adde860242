/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of a traced packet, and the words of its enums. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/btf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "check.h"

#include "source/btf-enum.h"
#include "source/packet-trace.h"

static char buffer[1024] __attribute__((aligned(8)));

static struct nlmsghdr *begin(uint32_t type)
{
	memset(buffer, 0, sizeof(buffer));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE;
	struct nfgenmsg *generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->nfgen_family = NFPROTO_INET;
	mnl_attr_put_u32(header, NFTA_TRACE_TYPE, htonl(type));
	return header;
}

static void test_a_rule_that_drops_is_read(unused_argument void **state)
{
	struct packet_hit hit;
	struct nlmsghdr *header = begin(NFT_TRACETYPE_RULE);
	mnl_attr_put_strz(header, NFTA_TRACE_TABLE, "filter");
	mnl_attr_put_strz(header, NFTA_TRACE_CHAIN, "input");
	mnl_attr_put_u64(header, NFTA_TRACE_RULE_HANDLE, htobe64(7));
	struct nlattr *verdict = mnl_attr_nest_start(header, NFTA_TRACE_VERDICT);
	mnl_attr_put_u32(header, NFTA_VERDICT_CODE, htonl(NF_DROP));
	mnl_attr_nest_end(header, verdict);
	assert_true(packet_trace_parse(header, header->nlmsg_len, &hit));
	assert_string_equal(hit.table, "filter");
	assert_string_equal(hit.chain, "input");
	assert_int_equal(hit.handle, 7);
	assert_int_equal(hit.kind, HIT_RULE);
	assert_true(hit.is_dropped);
	assert_false(hit.is_accepted);
	assert_string_equal(packet_family_word(hit.family), "inet");

	for (size_t n = 0; n < header->nlmsg_len; n++)
		assert_false(packet_trace_parse(header, n, &hit));
}

static void test_a_policy_is_read_and_our_own_table_is_not(unused_argument void **state)
{
	struct packet_hit hit;
	struct nlmsghdr *header = begin(NFT_TRACETYPE_POLICY);
	mnl_attr_put_u32(header, NFTA_TRACE_POLICY, htonl(NF_ACCEPT));
	mnl_attr_put_strz(header, NFTA_TRACE_TABLE, "x");
	assert_true(packet_trace_parse(header, header->nlmsg_len, &hit));
	assert_int_equal(hit.kind, HIT_POLICY);
	assert_true(hit.is_accepted);
	assert_int_equal(hit.handle, 0);

	header = begin(NFT_TRACETYPE_RULE);
	mnl_attr_put_strz(header, NFTA_TRACE_TABLE, "doorward-trace-1");
	assert_false(packet_trace_parse(header, header->nlmsg_len, &hit));
	header = begin(99);
	assert_false(packet_trace_parse(header, header->nlmsg_len, &hit));
}

/* int, enum other { A = 5 }, enum wanted { NO = 1, YES = 5 } */
static size_t lay_out(char *to)
{
	static const char strings[] = "\0other\0A\0wanted\0NO\0YES";
	static const uint32_t types[] = {
		0, BTF_KIND_INT << 24,	    4, 32,	     /* int */
		1, BTF_KIND_ENUM << 24 | 1, 4, 7,  5,	     /* other */
		9, BTF_KIND_ENUM << 24 | 2, 4, 16, 1, 19, 5, /* wanted */
	};
	struct btf_header header = {.magic = BTF_MAGIC,
				    .version = 1,
				    .hdr_len = sizeof(header),
				    .type_len = sizeof(types),
				    .str_off = sizeof(types),
				    .str_len = sizeof(strings)};
	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), types, sizeof(types));
	memcpy(to + sizeof(header) + sizeof(types), strings, sizeof(strings));
	return sizeof(header) + sizeof(types) + sizeof(strings);
}

static void test_the_word_of_an_enum_is_found(unused_argument void **state)
{
	char word[16];
	size_t n = lay_out(buffer);
	assert_true(btf_enum_word(buffer, n, "wanted", 5, word, sizeof(word)));
	assert_string_equal(word, "YES");
	assert_true(btf_enum_word(buffer, n, "other", 5, word, sizeof(word)));
	assert_string_equal(word, "A");
	assert_false(btf_enum_word(buffer, n, "wanted", 2, word, sizeof(word)));
	assert_false(btf_enum_word(buffer, n, "absent", 5, word, sizeof(word)));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(btf_enum_word(buffer, cut, "wanted", 5, word, sizeof(word)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rule_that_drops_is_read),
		cmocka_unit_test(test_a_policy_is_read_and_our_own_table_is_not),
		cmocka_unit_test(test_the_word_of_an_enum_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
