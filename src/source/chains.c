/* Which kinds of chains nftables has. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "source/chains.h"

static bool is_text(const struct nlattr *attribute, const char *text)
{
	return attribute && mnl_attr_get_payload_len(attribute) == strlen(text) + 1 &&
	       memcmp(mnl_attr_get_payload(attribute), text, strlen(text) + 1) == 0;
}

static void take_chain(const struct nlmsghdr *header, const char *own_table, struct chains *ret)
{
	const struct nlattr *attribute, *table = NULL, *type = NULL;
	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct nfgenmsg))
		return;
	mnl_attr_for_each(attribute, header, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == NFTA_CHAIN_TABLE)
			table = attribute;
		else if (mnl_attr_get_type(attribute) == NFTA_CHAIN_TYPE)
			type = attribute;
	}
	ret->has_nat |= is_text(type, "nat");
	ret->has_own |= is_text(table, own_table);
}

int chains_parse(const void *bytes, size_t n, const char *own_table, struct chains *ret)
{
	if (n > INT32_MAX)
		return -EBADMSG;
	int left = (int)n;
	for (const struct nlmsghdr *at = bytes; mnl_nlmsg_ok(at, left);
	     at = mnl_nlmsg_next(at, &left)) {
		struct nlmsgerr error = {0};
		if (at->nlmsg_type == NLMSG_DONE)
			return 0;
		if (at->nlmsg_type == NLMSG_ERROR) {
			if (mnl_nlmsg_get_payload_len(at) < sizeof(error))
				return -EBADMSG;
			memcpy(&error, mnl_nlmsg_get_payload(at), sizeof(error));
			return error.error;
		}
		if (at->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
			take_chain(at, own_table, ret);
	}
	return 1;
}

int chains_read(const struct found_netns *netns, const char *own_table, struct chains *ret)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg generic;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.generic = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	char buffer[32768] __attribute__((aligned(8)));
	cleanup(closep) int fd = netns_socket(netns, NETLINK_NETFILTER);
	*ret = (struct chains){.has_nat = false};
	if (fd < 0)
		return fd;
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		int r = n <= 0 ? n < 0 ? -errno : -EIO
			       : chains_parse(buffer, (size_t)n, own_table, ret);
		if (r <= 0)
			return r;
	}
}
