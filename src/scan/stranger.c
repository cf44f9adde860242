/* A neighbour for as long as a scan takes: rtnetlink(7). */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/random.h>

#include "base/attributes.h"
#include "scan/stranger.h"

#define MESSAGE_MAX 1024
#define ITS_LINK "eth0"

/* Addresses of networks that nobody else has: of RFC 2544's range, and a unique local /64
 * (RFC 4193). The host is .1, the stranger .2. */
struct pair {
	uint8_t v4[4], v6[16];
};

static int choose(struct pair *ret, char link[IFNAMSIZ])
{
	uint8_t random[8];
	if (getrandom(random, sizeof(random), 0) < 0)
		return -errno;
	*ret = (struct pair){.v4 = {198, 18 + (random[0] & 1), random[1], random[2] & 0xfc},
			     .v6 = {0xfd, random[3], random[4], random[5], random[6], random[7]}};
	snprintf(link, IFNAMSIZ, "dw%02x%02x%02x", random[1], random[2], random[3]);
	return 0;
}

static struct nlmsghdr *begin(char buffer[MESSAGE_MAX], uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->nlmsg_seq = 1;
	return message;
}

/* Sends it and takes the kernel's answer, which is of @type and has @size bytes at least; else
 * -EPROTO. */
static int exchange(int fd, const struct nlmsghdr *message, uint16_t type, void *ret, size_t size)
{
	char answer[8192] __attribute__((aligned(8)));
	if (send(fd, message, message->nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	const struct nlmsghdr *first = (const struct nlmsghdr *)answer;
	if (n < 0)
		return -errno;
	if (!mnl_nlmsg_ok(first, (int)n) || first->nlmsg_type != type ||
	    mnl_nlmsg_get_payload_len(first) < size)
		return -EPROTO;
	memcpy(ret, mnl_nlmsg_get_payload(first), size);
	return 0;
}

/* The kernel's word for what was asked of it. */
static int ask(int fd, const struct nlmsghdr *message)
{
	struct nlmsgerr error;
	int r = exchange(fd, message, NLMSG_ERROR, &error, sizeof(error));
	return r < 0 ? r : error.error;
}

static int add_pair(int fd, const char *link, int netns)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, link);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, ITS_LINK);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return ask(fd, message);
}

static int change_link(int fd, const char *link, uint16_t type)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, type, 0);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	if (type == RTM_NEWLINK)
		header->ifi_flags = header->ifi_change = IFF_UP;
	mnl_attr_put_strz(message, IFLA_IFNAME, link);
	return ask(fd, message);
}

static int index_of(int fd, const char *link, uint32_t *ret)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, RTM_GETLINK, 0);
	struct ifinfomsg header;
	message->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, link);
	int r = exchange(fd, message, RTM_NEWLINK, &header, sizeof(header));
	if (r < 0)
		return r == -EPROTO ? -ENODEV : r;
	*ret = (uint32_t)header.ifi_index;
	return 0;
}

static int add_address(int fd, uint32_t index, int family, const uint8_t *address, uint8_t last)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	uint8_t bytes[16];
	size_t n = family == AF_INET ? 4 : 16;
	memcpy(bytes, address, n);
	bytes[n - 1] = (uint8_t)(bytes[n - 1] + last);
	struct nlmsghdr *message = begin(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ifa_family = (uint8_t)family;
	header->ifa_prefixlen = family == AF_INET ? 30 : 64;
	header->ifa_index = index;
	header->ifa_flags = IFA_F_NODAD; /* nobody else is on this link */
	mnl_attr_put(message, IFA_LOCAL, n, bytes);
	mnl_attr_put(message, IFA_ADDRESS, n, bytes);
	return ask(fd, message);
}

/* All the world is behind the host. */
static int add_route(int fd, uint32_t index, int family, const uint8_t *address)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	uint8_t bytes[16];
	size_t n = family == AF_INET ? 4 : 16;
	memcpy(bytes, address, n);
	bytes[n - 1]++;
	struct nlmsghdr *message = begin(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = (uint8_t)family;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTPROT_STATIC;
	header->rtm_scope = RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_GATEWAY, n, bytes);
	mnl_attr_put_u32(message, RTA_OIF, index);
	return ask(fd, message);
}

/* One end: @last 1 is the host's, 2 the stranger's. IPv6 may be off. */
static int set_up(int fd, const char *link, const struct pair *pair, uint8_t last)
{
	uint32_t index = 0;
	int r = change_link(fd, link, RTM_NEWLINK);
	if (r >= 0)
		r = index_of(fd, link, &index);
	if (r >= 0)
		r = add_address(fd, index, AF_INET, pair->v4, last);
	if (r >= 0 && last == 2)
		r = add_route(fd, index, AF_INET, pair->v4);
	if (r >= 0 && add_address(fd, index, AF_INET6, pair->v6, last) >= 0 && last == 2)
		add_route(fd, index, AF_INET6, pair->v6);
	return r;
}

int stranger_make(struct stranger *ret, struct error *err)
{
	const struct found_netns here = {.fd = -1};
	struct pair pair;
	*ret = (struct stranger){.netns.fd = -1};
	int r = netns_new(&ret->netns);
	if (r < 0) {
		error_set(err, r, "make a network namespace for the stranger");
		error_hint(err, "it needs root");
		return r;
	}
	snprintf(ret->netns.name, sizeof(ret->netns.name), "stranger");
	cleanup(closep) int own = netns_socket(&here, NETLINK_ROUTE);
	cleanup(closep) int its = netns_socket(&ret->netns, NETLINK_ROUTE);
	r = own < 0 ? own : its < 0 ? its : choose(&pair, ret->link);
	if (r >= 0)
		r = add_pair(own, ret->link, ret->netns.fd);
	if (r >= 0)
		r = set_up(own, ret->link, &pair, 1);
	if (r >= 0)
		r = set_up(its, ITS_LINK, &pair, 2);
	return r < 0 ? error_set(err, r, "join the stranger to this host") : 0;
}

void stranger_end(const struct stranger *stranger)
{
	const struct found_netns here = {.fd = -1};
	cleanup(closep) int fd = netns_socket(&here, NETLINK_ROUTE);
	if (fd >= 0 && stranger->link[0])
		change_link(fd, stranger->link, RTM_DELLINK);
}
