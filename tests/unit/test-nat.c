/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that NAT passes on, as nfnetlink lists them. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "source/nat.h"

#define SEQUENCE 7

static char buffer[4096] __attribute__((aligned(8)));

static void put_tuple(struct nlmsghdr *message, uint16_t kind, const char *from, uint16_t from_port,
		      const char *to, uint16_t to_port, uint8_t proto)
{
	struct nlattr *tuple = mnl_attr_nest_start(message, kind);
	struct nlattr *addresses = mnl_attr_nest_start(message, CTA_TUPLE_IP);
	mnl_attr_put_u32(message, CTA_IP_V4_SRC, inet_addr(from));
	mnl_attr_put_u32(message, CTA_IP_V4_DST, inet_addr(to));
	mnl_attr_nest_end(message, addresses);
	struct nlattr *ports = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(message, ports);
	mnl_attr_nest_end(message, tuple);
}

/* A client's connection to port 8080 that goes to port 80 of 10.0.0.2. */
static size_t put_connection(size_t at, uint32_t status, uint8_t state, uint8_t proto)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer + at);
	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	message->nlmsg_flags = NLM_F_MULTI;
	message->nlmsg_seq = SEQUENCE;
	mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	put_tuple(message, CTA_TUPLE_ORIG, "192.0.2.1", 40000, "198.51.100.1", 8080, proto);
	put_tuple(message, CTA_TUPLE_REPLY, "10.0.0.2", 80, "10.0.0.1", 41000, proto);
	mnl_attr_put_u32(message, CTA_STATUS, htonl(status));
	struct nlattr *info = mnl_attr_nest_start(message, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(message, tcp);
	mnl_attr_nest_end(message, info);
	return at + message->nlmsg_len;
}

static size_t put_done(size_t at)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer + at);
	message->nlmsg_type = NLMSG_DONE;
	message->nlmsg_flags = NLM_F_MULTI;
	message->nlmsg_seq = SEQUENCE;
	mnl_nlmsg_put_extra_header(message, sizeof(int));
	return at + message->nlmsg_len;
}

static void test_both_ends_are_told_of_each_side(unused_argument void **state)
{
	struct vector found;
	vector_init(&found, sizeof(struct nat_connection));
	size_t n = put_connection(0, IPS_DST_NAT, TCP_CONNTRACK_ESTABLISHED, IPPROTO_TCP);
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_TCP, 8000, 8080, &found), 1);
	n = put_done(0);
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_TCP, 8000, 8080, &found), 0);
	assert_int_equal(found.n, 1);
	const struct nat_connection *one = vector_at(&found, 0);
	struct ip client = ip_from_v4((const uint8_t[4]){192, 0, 2, 1}),
		  server = ip_from_v4((const uint8_t[4]){10, 0, 0, 2}),
		  peer = ip_from_v4((const uint8_t[4]){10, 0, 0, 1});
	assert_true(ip_equal(&one->client, &client));
	assert_true(ip_equal(&one->server, &server));
	assert_true(ip_equal(&one->peer, &peer));
	assert_int_equal(one->client_port, 40000);
	assert_int_equal(one->to_port, 8080);
	assert_int_equal(one->server_port, 80);
	assert_int_equal(one->peer_port, 41000);
	vector_done(&found);
}

static void test_others_are_left_out(unused_argument void **state)
{
	struct vector found;
	vector_init(&found, sizeof(struct nat_connection));
	size_t n = put_connection(0, IPS_SRC_NAT, TCP_CONNTRACK_ESTABLISHED, IPPROTO_TCP);
	n = put_connection(n, IPS_DST_NAT, TCP_CONNTRACK_TIME_WAIT, IPPROTO_TCP);
	n = put_connection(n, IPS_DST_NAT, TCP_CONNTRACK_ESTABLISHED, IPPROTO_UDP);
	n = put_done(n);
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_TCP, 8080, 8080, &found), 0);
	n = put_connection(0, IPS_DST_NAT, TCP_CONNTRACK_ESTABLISHED, IPPROTO_TCP);
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_TCP, 8081, 65535, &found), 1);
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_TCP, 0, 8079, &found), 1);
	assert_int_equal(found.n, 0);
	vector_done(&found);
}

static void test_datagrams_are_told_when_asked_for(unused_argument void **state)
{
	struct vector found;
	vector_init(&found, sizeof(struct nat_connection));
	size_t n = put_connection(0, IPS_DST_NAT, 0, IPPROTO_TCP);
	n = put_done(put_connection(n, IPS_DST_NAT, 0, IPPROTO_UDP));
	assert_int_equal(nat_parse(buffer, n, SEQUENCE, IPPROTO_UDP, 8080, 8080, &found), 0);
	assert_int_equal(found.n, 1);
	vector_done(&found);
}

static void test_what_is_cut_short_gives_nothing(unused_argument void **state)
{
	struct vector found;
	vector_init(&found, sizeof(struct nat_connection));
	size_t n = put_connection(0, IPS_DST_NAT, TCP_CONNTRACK_ESTABLISHED, IPPROTO_TCP);
	for (size_t cut = sizeof(struct nlmsghdr); cut < n; cut += 4) {
		struct nlmsghdr header;
		char copy[sizeof(buffer)] __attribute__((aligned(8)));
		memcpy(copy, buffer, cut);
		memcpy(&header, copy, sizeof(header));
		header.nlmsg_len = (uint32_t)cut;
		memcpy(copy, &header, sizeof(header));
		assert_int_equal(nat_parse(copy, cut, SEQUENCE, IPPROTO_TCP, 0, 65535, &found), 1);
	}
	assert_int_equal(found.n, 0);
	vector_done(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_are_told_of_each_side),
		cmocka_unit_test(test_others_are_left_out),
		cmocka_unit_test(test_datagrams_are_told_when_asked_for),
		cmocka_unit_test(test_what_is_cut_short_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
