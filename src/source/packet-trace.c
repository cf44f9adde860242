/* Which rules of nftables a packet of ours meets: linux/netfilter/nf_tables.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "source/packet-trace.h"

#define TABLE_PREFIX "doorward-trace-"
#define CHAINS 2
#define PRIORITY (-400) /* before connection tracking, NAT and everybody's filters */
#define BATCH_SIZE 8192
#define HITS_MAX 4096

struct packet_trace {
	int own, group; /* the table's owner; the trace's listener */
	char table[32];
};

/* A batch under construction: messages of which each is answered. */
struct batch {
	char bytes[BATCH_SIZE] __attribute__((aligned(8)));
	size_t n;
	uint32_t sequence;
};

static struct nlmsghdr *add_message(struct batch *batch, uint16_t type, uint16_t flags,
				    uint8_t family, uint16_t resource)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(batch->bytes + batch->n);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++batch->sequence;
	struct nfgenmsg *generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	*generic = (struct nfgenmsg){
		.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
	return header;
}

static void end_message(struct batch *batch, const struct nlmsghdr *header)
{
	batch->n += MNL_ALIGN(header->nlmsg_len);
}

static void add_bound(struct batch *batch, uint16_t type)
{
	end_message(batch, add_message(batch, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static struct nlmsghdr *add_object(struct batch *batch, uint16_t type)
{
	return add_message(batch, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_CREATE | NLM_F_ACK,
			   NFPROTO_INET, 0);
}

static void add_table(struct batch *batch, const char *table)
{
	struct nlmsghdr *header = add_object(batch, NFT_MSG_NEWTABLE);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, table);
	mnl_attr_put_u32(header, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	end_message(batch, header);
}

static const struct {
	const char *name;
	uint32_t hook;
} chains[CHAINS] = {{"came", NF_INET_PRE_ROUTING}, {"left", NF_INET_LOCAL_OUT}};

static void add_chain(struct batch *batch, const char *table, unsigned index)
{
	struct nlmsghdr *header = add_object(batch, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(header, NFTA_CHAIN_NAME, chains[index].name);
	struct nlattr *hook = mnl_attr_nest_start(header, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(header, NFTA_HOOK_HOOKNUM, htonl(chains[index].hook));
	mnl_attr_put_u32(header, NFTA_HOOK_PRIORITY, htonl((uint32_t)PRIORITY));
	mnl_attr_nest_end(header, hook);
	mnl_attr_put_strz(header, NFTA_CHAIN_TYPE, "filter");
	end_message(batch, header);
}

/* ---- expressions of a rule ---- */

struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *header, const char *name)
{
	struct expression expression;
	expression.element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
	mnl_attr_put_strz(header, NFTA_EXPR_NAME, name);
	expression.data = mnl_attr_nest_start(header, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct nlmsghdr *header, struct expression expression)
{
	mnl_attr_nest_end(header, expression.data);
	mnl_attr_nest_end(header, expression.element);
}

static void put_number(struct nlmsghdr *header, uint16_t type, uint32_t number)
{
	mnl_attr_put_u32(header, type, htonl(number));
}

static void put_data(struct nlmsghdr *header, uint16_t type, const void *bytes, size_t n)
{
	struct nlattr *data = mnl_attr_nest_start(header, type);
	mnl_attr_put(header, NFTA_DATA_VALUE, n, bytes);
	mnl_attr_nest_end(header, data);
}

static void add_meta_load(struct nlmsghdr *header, uint32_t key)
{
	struct expression expression = begin_expression(header, "meta");
	put_number(header, NFTA_META_KEY, key);
	put_number(header, NFTA_META_DREG, NFT_REG_1);
	end_expression(header, expression);
}

static void add_payload_load(struct nlmsghdr *header, uint32_t offset)
{
	struct expression expression = begin_expression(header, "payload");
	put_number(header, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(header, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	put_number(header, NFTA_PAYLOAD_OFFSET, offset);
	put_number(header, NFTA_PAYLOAD_LEN, 2);
	end_expression(header, expression);
}

static void add_compare(struct nlmsghdr *header, const void *bytes, size_t n)
{
	struct expression expression = begin_expression(header, "cmp");
	put_number(header, NFTA_CMP_SREG, NFT_REG_1);
	put_number(header, NFTA_CMP_OP, NFT_CMP_EQ);
	put_data(header, NFTA_CMP_DATA, bytes, n);
	end_expression(header, expression);
}

static void add_mark(struct nlmsghdr *header)
{
	static const uint8_t one = 1;
	struct expression expression = begin_expression(header, "immediate");
	put_number(header, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_data(header, NFTA_IMMEDIATE_DATA, &one, sizeof(one));
	end_expression(header, expression);
	expression = begin_expression(header, "meta");
	put_number(header, NFTA_META_KEY, NFT_META_NFTRACE);
	put_number(header, NFTA_META_SREG, NFT_REG_1);
	end_expression(header, expression);
}

/* meta l4proto PROTO, the port at @offset of its header is @port: meta nftrace set 1 */
static void add_rule(struct batch *batch, const char *table, unsigned chain, uint8_t protocol,
		     uint32_t offset, uint16_t port)
{
	uint16_t wire = htons(port);
	struct nlmsghdr *header = add_object(batch, NFT_MSG_NEWRULE);
	header->nlmsg_flags |= NLM_F_APPEND;
	mnl_attr_put_strz(header, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(header, NFTA_RULE_CHAIN, chains[chain].name);
	struct nlattr *list = mnl_attr_nest_start(header, NFTA_RULE_EXPRESSIONS);
	add_meta_load(header, NFT_META_L4PROTO);
	add_compare(header, &protocol, sizeof(protocol));
	add_payload_load(header, offset);
	add_compare(header, &wire, sizeof(wire));
	add_mark(header);
	mnl_attr_nest_end(header, list);
	end_message(batch, header);
}

/* ---- the exchange ---- */

/* Reads an answer for each message; the first error of any. */
static int await_answers(int fd, uint32_t wanted)
{
	char buffer[8192] __attribute__((aligned(8)));
	struct timeval limit = {.tv_sec = 2};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (wanted) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		int left = (int)n;
		for (const struct nlmsghdr *at = (const struct nlmsghdr *)buffer;
		     mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
			struct nlmsgerr error;
			if (at->nlmsg_type != NLMSG_ERROR ||
			    mnl_nlmsg_get_payload_len(at) < sizeof(error))
				continue;
			memcpy(&error, mnl_nlmsg_get_payload(at), sizeof(error));
			if (error.error)
				return error.error;
			wanted -= wanted > 0;
		}
	}
	return 0;
}

static int make_table(const struct packet_trace *trace, uint8_t protocol, uint16_t port)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	if (!batch)
		return -ENOMEM;
	add_bound(batch, NFNL_MSG_BATCH_BEGIN);
	add_table(batch, trace->table);
	for (unsigned chain = 0; chain < CHAINS; chain++) {
		add_chain(batch, trace->table, chain);
		add_rule(batch, trace->table, chain, protocol, 0, port);
		add_rule(batch, trace->table, chain, protocol, 2, port);
	}
	add_bound(batch, NFNL_MSG_BATCH_END);
	int r = sendto(trace->own, batch->bytes, batch->n, 0, (struct sockaddr *)&kernel,
		       sizeof(kernel)) < 0
			? -errno
			: await_answers(trace->own, 1 + 3 * CHAINS);
	free(batch);
	return r;
}

static int join_group(int fd)
{
	int group = NFNLGRP_NFTRACE;
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	/* without a number of its own it would be taken for the sender, who gets none */
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return -errno;
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static void free_trace(struct packet_trace *trace)
{
	closep(&trace->own); /* and with it the table goes */
	closep(&trace->group);
	free(trace);
}

int packet_trace_start(const struct found_netns *place, enum proto proto, uint16_t port,
		       struct packet_trace **ret)
{
	struct packet_trace *trace = calloc(1, sizeof(*trace));
	if (!trace)
		return -ENOMEM;
	snprintf(trace->table, sizeof(trace->table), TABLE_PREFIX "%d", (int)getpid());
	trace->own = netns_socket(place, NETLINK_NETFILTER);
	trace->group = netns_socket(place, NETLINK_NETFILTER);
	int r = trace->own < 0 ? trace->own : trace->group < 0 ? trace->group : 0;
	if (r >= 0)
		r = join_group(trace->group);
	if (r >= 0)
		r = make_table(trace, proto == PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP, port);
	if (r < 0)
		free_trace(trace);
	else
		*ret = trace;
	return r;
}

/* ---- what was met ---- */

struct attributes {
	const struct nlattr *of[NFTA_TRACE_MAX + 1];
};

static uint32_t number_of(const struct nlattr *attribute)
{
	return attribute && mnl_attr_get_payload_len(attribute) >= 4
		       ? ntohl(mnl_attr_get_u32(attribute))
		       : UINT32_MAX;
}

static void copy_text(const struct nlattr *attribute, char *to, size_t size)
{
	to[0] = '\0';
	if (attribute)
		snprintf(to, size, "%.*s", (int)mnl_attr_get_payload_len(attribute),
			 mnl_attr_get_str(attribute));
}

static uint32_t verdict_of(const struct nlattr *verdict)
{
	const struct nlattr *inner;
	if (!verdict)
		return UINT32_MAX;
	mnl_attr_for_each_nested(inner, verdict)
	{
		if (mnl_attr_get_type(inner) == NFTA_VERDICT_CODE)
			return number_of(inner);
	}
	return UINT32_MAX;
}

static void fill(const struct attributes *attributes, struct packet_hit *ret)
{
	const struct nlattr *const *of = attributes->of;
	uint32_t verdict = ret->kind == HIT_POLICY ? number_of(of[NFTA_TRACE_POLICY])
						   : verdict_of(of[NFTA_TRACE_VERDICT]);
	copy_text(of[NFTA_TRACE_TABLE], ret->table, sizeof(ret->table));
	copy_text(of[NFTA_TRACE_CHAIN], ret->chain, sizeof(ret->chain));
	if (of[NFTA_TRACE_RULE_HANDLE] && mnl_attr_get_payload_len(of[NFTA_TRACE_RULE_HANDLE]) >= 8)
		ret->handle = be64toh(mnl_attr_get_u64(of[NFTA_TRACE_RULE_HANDLE]));
	ret->is_dropped = verdict == NF_DROP;
	ret->is_accepted = verdict == NF_ACCEPT;
}

bool packet_trace_parse(const void *message, size_t n, struct packet_hit *ret)
{
	const struct nlmsghdr *header = message;
	struct attributes attributes = {{NULL}};
	const struct nlattr *attribute;
	struct nfgenmsg generic;
	if (n > INT32_MAX || !mnl_nlmsg_ok(header, (int)n) ||
	    header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(generic))
		return false;
	memcpy(&generic, mnl_nlmsg_get_payload(header), sizeof(generic));
	mnl_attr_for_each(attribute, header, sizeof(generic))
	{
		if (mnl_attr_get_type(attribute) <= NFTA_TRACE_MAX)
			attributes.of[mnl_attr_get_type(attribute)] = attribute;
	}
	*ret = (struct packet_hit){.family = generic.nfgen_family};
	switch (number_of(attributes.of[NFTA_TRACE_TYPE])) {
	case NFT_TRACETYPE_RULE:
		ret->kind = HIT_RULE;
		break;
	case NFT_TRACETYPE_POLICY:
		ret->kind = HIT_POLICY;
		break;
	case NFT_TRACETYPE_RETURN:
		ret->kind = HIT_RETURN;
		break;
	default:
		return false;
	}
	fill(&attributes, ret);
	return strncmp(ret->table, TABLE_PREFIX, sizeof(TABLE_PREFIX) - 1) != 0;
}

static int read_hits(int fd, struct vector *ret)
{
	char buffer[32768] __attribute__((aligned(8)));
	while (ret->n < HITS_MAX) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		int left = (int)n;
		for (const struct nlmsghdr *at = (const struct nlmsghdr *)buffer;
		     mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
			struct packet_hit hit;
			if (!packet_trace_parse(at, (size_t)left, &hit))
				continue;
			struct packet_hit *added = vector_add(ret);
			if (!added)
				return -ENOMEM;
			*added = hit;
		}
	}
	return 0;
}

int packet_trace_stop(struct packet_trace *trace, struct vector *ret)
{
	int r = read_hits(trace->group, ret);
	free_trace(trace);
	return r;
}

const char *packet_family_word(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "?";
	}
}
