/* Connections whose destination the kernel rewrites on their way. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "source/nat.h"

#define TRIES 3
#define CONNECTIONS_MAX (1u << 20)

struct tuple {
	struct ip from, to;
	uint16_t from_port, to_port; /* host order */
	uint8_t proto;
	unsigned n_known;
};

static void take_ip(const struct nlattr *attribute, struct ip *ret, struct tuple *tuple)
{
	const uint8_t *bytes = mnl_attr_get_payload(attribute);
	uint16_t n = mnl_attr_get_payload_len(attribute);
	if (n != 4 && n != 16)
		return;
	*ret = n == 4 ? ip_from_v4(bytes) : ip_from_v6(bytes);
	tuple->n_known++;
}

static void take_port(const struct nlattr *attribute, uint16_t *ret, struct tuple *tuple)
{
	if (mnl_attr_get_payload_len(attribute) != sizeof(uint16_t))
		return;
	*ret = ntohs(mnl_attr_get_u16(attribute));
	tuple->n_known++;
}

static void take_addresses(const struct nlattr *nest, struct tuple *ret)
{
	const struct nlattr *attribute;
	mnl_attr_for_each_nested(attribute, nest)
	{
		uint16_t type = mnl_attr_get_type(attribute);
		if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
			take_ip(attribute, &ret->from, ret);
		else if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
			take_ip(attribute, &ret->to, ret);
	}
}

static void take_ports(const struct nlattr *nest, struct tuple *ret)
{
	const struct nlattr *attribute;
	mnl_attr_for_each_nested(attribute, nest)
	{
		uint16_t type = mnl_attr_get_type(attribute);
		if (type == CTA_PROTO_NUM && mnl_attr_get_payload_len(attribute) >= 1)
			ret->proto = mnl_attr_get_u8(attribute);
		else if (type == CTA_PROTO_SRC_PORT)
			take_port(attribute, &ret->from_port, ret);
		else if (type == CTA_PROTO_DST_PORT)
			take_port(attribute, &ret->to_port, ret);
	}
}

/* CTA_TUPLE_ORIG { CTA_TUPLE_IP { src, dst }, CTA_TUPLE_PROTO { number, ports } } */
static void take_tuple(const struct nlattr *nest, struct tuple *ret)
{
	const struct nlattr *attribute;
	mnl_attr_for_each_nested(attribute, nest)
	{
		uint16_t type = mnl_attr_get_type(attribute);
		if (type == CTA_TUPLE_IP)
			take_addresses(attribute, ret);
		else if (type == CTA_TUPLE_PROTO)
			take_ports(attribute, ret);
	}
}

/* CTA_PROTOINFO { CTA_PROTOINFO_TCP { state } }: it has not ended, as far as the tracking knows. */
static bool is_alive(const struct nlattr *nest)
{
	const struct nlattr *tcp, *attribute;
	mnl_attr_for_each_nested(tcp, nest)
	{
		if (mnl_attr_get_type(tcp) != CTA_PROTOINFO_TCP)
			continue;
		mnl_attr_for_each_nested(attribute, tcp)
		{
			if (mnl_attr_get_type(attribute) == CTA_PROTOINFO_TCP_STATE &&
			    mnl_attr_get_payload_len(attribute) >= 1)
				return mnl_attr_get_u8(attribute) < TCP_CONNTRACK_TIME_WAIT;
		}
	}
	return false;
}

struct search {
	uint8_t proto;
	uint16_t first, last;
	struct vector *ret;
};

static int on_connection(const struct nlmsghdr *message, void *data)
{
	const struct search *search = data;
	struct tuple there = {.n_known = 0}, back = {.n_known = 0};
	uint32_t status = 0;
	bool lives = false;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return MNL_CB_OK;
	const struct nlattr *attribute;
	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		uint16_t type = mnl_attr_get_type(attribute);
		if (type == CTA_TUPLE_ORIG)
			take_tuple(attribute, &there);
		else if (type == CTA_TUPLE_REPLY)
			take_tuple(attribute, &back);
		else if (type == CTA_STATUS && mnl_attr_get_payload_len(attribute) == 4)
			status = ntohl(mnl_attr_get_u32(attribute));
		else if (type == CTA_PROTOINFO)
			lives = is_alive(attribute);
	}
	if (there.n_known != 4 || back.n_known != 4 || there.proto != search->proto ||
	    !(lives || search->proto != IPPROTO_TCP) || !(status & IPS_DST_NAT) ||
	    there.to_port < search->first || there.to_port > search->last ||
	    search->ret->n >= CONNECTIONS_MAX)
		return MNL_CB_OK;
	struct nat_connection *added = vector_add(search->ret);
	if (!added)
		return MNL_CB_ERROR;
	*added = (struct nat_connection){
		.client = there.from,
		.client_port = there.from_port,
		.to = there.to,
		.to_port = there.to_port,
		.server = back.from,
		.server_port = back.from_port,
		.peer = back.to,
		.peer_port = back.to_port,
	};
	return MNL_CB_OK;
}

int nat_parse(const void *bytes, size_t n, uint32_t sequence, uint8_t proto, uint16_t first,
	      uint16_t last, struct vector *ret)
{
	struct search search = {.proto = proto, .first = first, .last = last, .ret = ret};
	int r = mnl_cb_run(bytes, n, sequence, 0, on_connection, &search);
	return r < 0 ? -(errno ? errno : EBADMSG) : r > MNL_CB_STOP;
}

static int ask(int fd, uint32_t sequence)
{
	char buffer[64] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = sequence;
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	return send(fd, request, request->nlmsg_len, 0) < 0 ? -errno : 0;
}

static int dump(int fd, uint32_t sequence, uint8_t proto, uint16_t first, uint16_t last,
		struct vector *ret)
{
	char buffer[32768] __attribute__((aligned(8)));
	int r = ask(fd, sequence);
	if (r < 0)
		return r;
	r = 1;
	while (r > 0) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = nat_parse(buffer, (size_t)n, sequence, proto, first, last, ret);
	}
	return r;
}

int nat_read(const struct found_netns *netns, uint8_t proto, uint16_t first, uint16_t last,
	     struct vector *ret)
{
	int r = -EINTR;
	for (uint32_t i = 0; i < TRIES && r == -EINTR; i++) {
		cleanup(closep) int fd = netns_socket(netns, NETLINK_NETFILTER);
		if (fd < 0)
			return fd == -EPROTONOSUPPORT ? 0 : fd;
		ret->n = 0;
		r = dump(fd, i + 1, proto, first, last, ret);
	}
	/* a kernel without it, or that has not loaded it: nothing is tracked */
	return r == -EOPNOTSUPP || r == -EINVAL || r == -ENOENT ? 0 : r;
}
