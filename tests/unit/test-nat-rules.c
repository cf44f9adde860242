/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that lead a port elsewhere, found in listings of nft and of the kernel. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "check.h"

#include "nft/parse-interface.h"
#include "nft/parse-nat.h"
#include "source/chains.h"

static struct nat_wanted wanted(bool is_udp, uint16_t port, const char *address)
{
	struct nat_wanted wanted = {.is_udp = is_udp, .port = port};
	assert_int_equal(ip_parse(address, strlen(address), &wanted.address, &wanted.is_v4), 0);
	return wanted;
}

#define LISTING                                                                             \
	"table ip nat { # handle 3\n"                                                       \
	"\tchain DOCKER { # handle 5\n"                                                     \
	"\t\tiifname \"docker0\" counter return # handle 6\n"                               \
	"\t\ttcp dport 22 counter accept # handle 7\n"                                      \
	"\t\tiifname != \"docker0\" tcp dport 8080 counter dnat to 172.17.0.2:80 # "        \
	"handle 8\n"                                                                        \
	"\t\tip daddr 192.0.2.1 udp dport { 53, 5300-5310 } redirect to :5353 # handle 9\n" \
	"\t}\n"                                                                             \
	"}\n"                                                                               \
	"table ip6 six { # handle 4\n"                                                      \
	"\tchain c { # handle 1\n"                                                          \
	"\t\tmeta l4proto { tcp, udp } th dport 9090 dnat to [fd00::2]:90 # handle 2\n"     \
	"\t}\n"                                                                             \
	"}\n"

static void test_a_rule_is_found_by_port_protocol_and_address(unused_argument void **state)
{
	static const struct {
		bool is_udp;
		uint16_t port;
		const char *address;
		uint64_t handle; /* 0: none */
	} cases[] = {
		{false, 8080, "0.0.0.0", 8}, {false, 8080, "::", 8},
		{false, 8080, "::1", 0},     {true, 8080, "0.0.0.0", 0},
		{false, 22, "0.0.0.0", 0},   {true, 5305, "0.0.0.0", 9},
		{true, 53, "192.0.2.1", 9},  {true, 53, "127.0.0.1", 0},
		{true, 5311, "0.0.0.0", 0},  {false, 9090, "::1", 2},
		{true, 9090, "::", 2},	     {false, 9090, "0.0.0.0", 0},
		{false, 80, "0.0.0.0", 0},   {false, 808, "0.0.0.0", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nat_wanted asked = wanted(cases[i].is_udp, cases[i].port, cases[i].address);
		struct nft_rule rule;
		bool is_there = nft_parse_nat(LISTING, &asked, &rule);
		assert_int_equal(is_there, cases[i].handle != 0);
		if (is_there)
			assert_int_equal(rule.handle, cases[i].handle);
	}
}

static void test_a_rule_is_told_as_it_reads(unused_argument void **state)
{
	struct nat_wanted asked = wanted(false, 8080, "0.0.0.0");
	struct nft_rule rule;
	assert_true(nft_parse_nat(LISTING, &asked, &rule));
	assert_string_equal(rule.family, "ip");
	assert_string_equal(rule.table, "nat");
	assert_string_equal(rule.chain, "DOCKER");
	assert_string_equal(rule.text,
			    "iifname != \"docker0\" tcp dport 8080 counter dnat to 172.17.0.2:80");
}

/* Cut anywhere it ends, and finds nothing that is not there. */
static void test_a_listing_may_be_cut_anywhere(unused_argument void **state)
{
	char text[sizeof(LISTING)];
	struct nat_wanted asked = wanted(true, 9090, "::");
	struct nft_rule rule;
	for (size_t n = 0; n < sizeof(LISTING); n++) {
		memcpy(text, LISTING, n);
		text[n] = '\0';
		if (nft_parse_nat(text, &asked, &rule))
			assert_non_null(strstr(text, "9090"));
	}
	static const char *const odd[] = {
		"table",
		"table ",
		"table ip",
		"chain ",
		"dnat ",
		"tcp dport",
		"tcp dport {",
		"redirect tcp dport { 9090",
		"dnat to tcp dport map",
		"redirect th dport 99999",
		"table ip x {\nredirect tcp dport { , , }\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		assert_false(nft_parse_nat(odd[i], &asked, &rule));
}

#define INTERFACES                                                   \
	"table inet filter { # handle 1\n"                           \
	"\tchain input { # handle 2\n"                               \
	"\t\ttype filter hook input priority 0; policy drop;\n"      \
	"\t\tiif \"lo\" accept # handle 3\n"                         \
	"\t\tiifname != \"lo\" ct state invalid drop # handle 4\n"   \
	"\t\tiifname \"eth0\" tcp dport 22 accept # handle 5\n"      \
	"\t\tmeta iifname { \"lo\", \"eth1\" } accept # handle 6\n"  \
	"\t\ttcp dport 25 oifname != \"eth*\" drop # handle 7\n"     \
	"\t\tiifname \"lo\" oifname \"lo2\" accept # handle 8\n"     \
	"\t\tiifname @inside accept # handle 9\n"                    \
	"\t\ttcp dport 80 accept comment \"notiif x\" # handle 10\n" \
	"\t}\n"                                                      \
	"}\n"                                                        \
	"table netdev early { # handle 2\n"                          \
	"\tchain in { # handle 1\n"                                  \
	"\t\ttype filter hook ingress device \"eth0\" priority 0;\n" \
	"\t}\n"                                                      \
	"}\n"

struct told {
	uint32_t n;
	uint64_t handles[16];
	struct nft_rule last;
};

static void keep(void *data, const struct nft_rule *rule)
{
	struct told *told = data;
	told->handles[told->n++ % ARRAY_SIZE(told->handles)] = rule->handle;
	told->last = *rule;
}

static void test_rules_that_name_an_interface(unused_argument void **state)
{
	static const uint64_t handles[] = {5, 6, 7, 8, 9, 0};
	struct told told = {.n = 0};
	assert_int_equal(nft_parse_interface(INTERFACES, keep, &told), ARRAY_SIZE(handles));
	assert_int_equal(told.n, ARRAY_SIZE(handles));
	assert_memory_equal(told.handles, handles, sizeof(handles));
	assert_string_equal(told.last.table, "early");
	assert_non_null(strstr(told.last.text, "device \"eth0\""));
	char text[sizeof(INTERFACES)];
	for (size_t n = 0; n < sizeof(INTERFACES); n++) {
		memcpy(text, INTERFACES, n);
		text[n] = '\0';
		told.n = 0;
		nft_parse_interface(text, keep, &told);
	}
}

static void add_chain(char *bytes, size_t *n, const char *table, const char *type)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes + *n);
	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
	mnl_nlmsg_put_extra_header(header, sizeof(struct nfgenmsg));
	mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, table);
	if (type)
		mnl_attr_put_strz(header, NFTA_CHAIN_TYPE, type);
	*n += MNL_ALIGN(header->nlmsg_len);
}

static void test_kinds_of_chains_are_told(unused_argument void **state)
{
	char bytes[1024] __attribute__((aligned(8))) = {0};
	struct chains chains = {.has_nat = false};
	size_t n = 0;
	add_chain(bytes, &n, "filter", "filter");
	add_chain(bytes, &n, "doorwardly", NULL);
	assert_int_equal(chains_parse(bytes, n, "doorward", &chains), 1);
	assert_false(chains.has_nat || chains.has_own);
	add_chain(bytes, &n, "nat", "nat");
	add_chain(bytes, &n, "doorward", "filter");
	for (size_t cut = 0; cut < n; cut++) {
		struct chains ignored = {.has_nat = false};
		chains_parse(bytes, cut, "doorward", &ignored);
	}
	assert_int_equal(chains_parse(bytes, n, "doorward", &chains), 1);
	assert_true(chains.has_nat && chains.has_own);

	struct nlmsghdr *error = mnl_nlmsg_put_header(bytes);
	error->nlmsg_type = NLMSG_ERROR;
	struct nlmsgerr *body = mnl_nlmsg_put_extra_header(error, sizeof(struct nlmsgerr));
	body->error = -EPERM;
	assert_int_equal(chains_parse(bytes, error->nlmsg_len, "doorward", &chains), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rule_is_found_by_port_protocol_and_address),
		cmocka_unit_test(test_a_rule_is_told_as_it_reads),
		cmocka_unit_test(test_a_listing_may_be_cut_anywhere),
		cmocka_unit_test(test_rules_that_name_an_interface),
		cmocka_unit_test(test_kinds_of_chains_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
