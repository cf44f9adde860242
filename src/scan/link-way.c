/* Route and neighbour, asked of the kernel. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "scan/link-way.h"
#include "source/netns.h"

#define MESSAGE_MAX 512
#define ANSWER_MAX 8192
#define SURE (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)
#define LIKELY (SURE | NUD_STALE | NUD_DELAY | NUD_PROBE)

/* An address as netlink has it. */
struct bytes {
	const uint8_t *at;
	uint16_t n;
};

static struct bytes bytes_of(const struct ip *ip, bool is_v4)
{
	return is_v4 ? (struct bytes){ip->bytes + 12, 4} : (struct bytes){ip->bytes, 16};
}

/* The kernel's answer of @type, at least @size bytes behind its header; NULL with errno. */
static const struct nlmsghdr *ask(int fd, const struct nlmsghdr *message, uint16_t type,
				  size_t size, char answer[ANSWER_MAX])
{
	struct nlmsgerr error = {.error = -EPROTO};
	ssize_t n = -1;
	if (send(fd, message, message->nlmsg_len, 0) >= 0)
		n = recv(fd, answer, ANSWER_MAX, 0);
	const struct nlmsghdr *first = (const struct nlmsghdr *)answer;
	if (n < 0)
		return NULL;
	if (mnl_nlmsg_ok(first, (int)n) && first->nlmsg_type == type &&
	    mnl_nlmsg_get_payload_len(first) >= size)
		return first;
	if (mnl_nlmsg_ok(first, (int)n) && first->nlmsg_type == NLMSG_ERROR &&
	    mnl_nlmsg_get_payload_len(first) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(first), sizeof(error));
	errno = error.error < 0 ? -error.error : EPROTO;
	return NULL;
}

static struct nlmsghdr *begin(char buffer[MESSAGE_MAX], uint16_t type)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST;
	return message;
}

/* IPsec's policies take packets that no frame may go past. */
static int ask_policies(void)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	char answer[ANSWER_MAX] __attribute__((aligned(8)));
	const struct found_netns here = {.fd = -1};
	struct xfrmu_spdinfo counts = {0};
	cleanup(closep) int fd = netns_socket(&here, NETLINK_XFRM);
	if (fd < 0)
		return fd == -EPROTONOSUPPORT ? 0 : fd; /* this kernel has none */
	struct nlmsghdr *message = begin(buffer, XFRM_MSG_GETSPDINFO);
	*(uint32_t *)mnl_nlmsg_put_extra_header(message, sizeof(uint32_t)) = 0;
	const struct nlmsghdr *got =
		ask(fd, message, XFRM_MSG_NEWSPDINFO, sizeof(uint32_t), answer);
	if (!got)
		return -EPERM;
	const struct nlattr *attribute;
	mnl_attr_for_each(attribute, got, sizeof(uint32_t))
	{
		if (mnl_attr_get_type(attribute) == XFRMA_SPD_INFO &&
		    mnl_attr_get_payload_len(attribute) >= sizeof(counts))
			memcpy(&counts, mnl_attr_get_payload(attribute), sizeof(counts));
	}
	return counts.outcnt ? -EPERM : 0;
}

int link_way_open(void)
{
	const struct found_netns here = {.fd = -1};
	int r = ask_policies();
	return r < 0 ? r : netns_socket(&here, NETLINK_ROUTE);
}

/* What of a route a frame needs. */
struct route {
	int interface;
	struct ip next; /* the gateway, or the target itself */
};

static int read_route(const struct nlmsghdr *got, bool is_v4, struct route *ret)
{
	const struct nlattr *attribute;
	struct rtmsg header;
	memcpy(&header, mnl_nlmsg_get_payload(got), sizeof(header));
	if (header.rtm_type != RTN_UNICAST && header.rtm_type != RTN_LOCAL)
		return -EHOSTUNREACH;
	mnl_attr_for_each(attribute, got, sizeof(header))
	{
		const uint8_t *payload = mnl_attr_get_payload(attribute);
		size_t n = mnl_attr_get_payload_len(attribute);
		switch (mnl_attr_get_type(attribute)) {
		case RTA_OIF:
			if (n == sizeof(ret->interface))
				memcpy(&ret->interface, payload, n);
			break;
		case RTA_GATEWAY:
			if (n != (is_v4 ? 4 : 16))
				return -EHOSTUNREACH;
			ret->next = is_v4 ? ip_from_v4(payload) : ip_from_v6(payload);
			break;
		case RTA_VIA:	/* a gateway of the other family */
		case RTA_ENCAP: /* more than a frame */
		case RTA_ENCAP_TYPE:
			return -EHOSTUNREACH;
		default:
			break;
		}
	}
	return ret->interface > 0 ? 0 : -EHOSTUNREACH;
}

static int find_route(int fd, const struct scan_target *target, const struct ip *from,
		      struct route *ret)
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	char answer[ANSWER_MAX] __attribute__((aligned(8)));
	struct bytes to = bytes_of(&target->ip, target->is_v4);
	struct bytes source = bytes_of(from, target->is_v4);
	struct nlmsghdr *message = begin(buffer, RTM_GETROUTE);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = target->is_v4 ? AF_INET : AF_INET6;
	header->rtm_dst_len = header->rtm_src_len = (uint8_t)(to.n * 8);
	mnl_attr_put(message, RTA_DST, to.n, to.at);
	mnl_attr_put(message, RTA_SRC, source.n, source.at);
	if (target->interface)
		mnl_attr_put_u32(message, RTA_OIF, target->interface);
	const struct nlmsghdr *got = ask(fd, message, RTM_NEWROUTE, sizeof(struct rtmsg), answer);
	*ret = (struct route){.next = target->ip};
	return got ? read_route(got, target->is_v4, ret) : -errno;
}

/* The interface's own address. 1: it has none and needs none, as loopback. */
static int find_own(int fd, int interface, uint8_t ret[ETH_ALEN])
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	char answer[ANSWER_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, RTM_GETLINK);
	struct ifinfomsg *wanted = mnl_nlmsg_put_extra_header(message, sizeof(*wanted)), link;
	wanted->ifi_index = interface;
	const struct nlmsghdr *got = ask(fd, message, RTM_NEWLINK, sizeof(link), answer);
	if (!got)
		return -errno;
	memcpy(&link, mnl_nlmsg_get_payload(got), sizeof(link));
	if (link.ifi_type == ARPHRD_LOOPBACK)
		return 1;
	if (link.ifi_type != ARPHRD_ETHER || link.ifi_flags & IFF_NOARP)
		return -EHOSTUNREACH;
	const struct nlattr *attribute;
	mnl_attr_for_each(attribute, got, sizeof(link))
	{
		if (mnl_attr_get_type(attribute) != IFLA_ADDRESS ||
		    mnl_attr_get_payload_len(attribute) != ETH_ALEN)
			continue;
		memcpy(ret, mnl_attr_get_payload(attribute), ETH_ALEN);
		return 0;
	}
	return -EHOSTUNREACH;
}

static int find_neighbour(int fd, const struct route *route, bool is_v4, unsigned states,
			  uint8_t ret[ETH_ALEN])
{
	char buffer[MESSAGE_MAX] __attribute__((aligned(8)));
	char answer[ANSWER_MAX] __attribute__((aligned(8)));
	struct bytes next = bytes_of(&route->next, is_v4);
	struct nlmsghdr *message = begin(buffer, RTM_GETNEIGH);
	struct ndmsg *wanted = mnl_nlmsg_put_extra_header(message, sizeof(*wanted)), its;
	wanted->ndm_family = is_v4 ? AF_INET : AF_INET6;
	wanted->ndm_ifindex = route->interface;
	mnl_attr_put(message, NDA_DST, next.n, next.at);
	const struct nlmsghdr *got = ask(fd, message, RTM_NEWNEIGH, sizeof(its), answer);
	if (!got)
		return errno == ENOENT ? -EHOSTUNREACH : -errno;
	memcpy(&its, mnl_nlmsg_get_payload(got), sizeof(its));
	if (!(its.ndm_state & states))
		return -EHOSTUNREACH;
	const struct nlattr *attribute;
	mnl_attr_for_each(attribute, got, sizeof(its))
	{
		if (mnl_attr_get_type(attribute) != NDA_LLADDR ||
		    mnl_attr_get_payload_len(attribute) != ETH_ALEN)
			continue;
		memcpy(ret, mnl_attr_get_payload(attribute), ETH_ALEN);
		return 0;
	}
	return -EHOSTUNREACH;
}

int link_way_begin(int fd, const struct scan_target *target, const struct ip *from,
		   struct link_way *ret, struct ip *ret_next)
{
	uint16_t protocol = target->is_v4 ? ETH_P_IP : ETH_P_IPV6;
	struct route route;
	*ret = (struct link_way){
		.head = {[12] = (uint8_t)(protocol >> 8), [13] = (uint8_t)protocol}};
	int r = find_route(fd, target, from, &route);
	if (r >= 0)
		r = find_own(fd, route.interface, ret->head + ETH_ALEN);
	if (r != 0)
		return r == 1 ? -EHOSTUNREACH : r;
	ret->interface = route.interface;
	*ret_next = route.next;
	return 0;
}

int link_way_find(int fd, const struct scan_target *target, const struct ip *from, bool is_heard,
		  struct link_way *ret)
{
	uint16_t protocol = target->is_v4 ? ETH_P_IP : ETH_P_IPV6;
	struct route route;
	*ret = (struct link_way){
		.head = {[12] = (uint8_t)(protocol >> 8), [13] = (uint8_t)protocol}};
	int r = find_route(fd, target, from, &route);
	if (r < 0)
		return r;
	ret->interface = route.interface;
	r = find_own(fd, route.interface, ret->head + ETH_ALEN);
	/* The kernel drops a frame on lo from an own IPv4 address, and one to another link's. */
	if (r == 1)
		return target->is_v4 || target->interface ? -EHOSTUNREACH : 0;
	if (r < 0)
		return r;
	return find_neighbour(fd, &route, target->is_v4, is_heard ? LIKELY : SURE, ret->head);
}
