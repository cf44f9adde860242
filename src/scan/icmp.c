/* What an ICMP error means for a door. */
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <sys/socket.h>

#include "scan/icmp.h"
#include "scan/pending.h"

enum door_state icmp_state(bool is_v4, uint8_t proto, uint8_t type, uint8_t code)
{
	if (is_v4) {
		if (type != ICMP_DEST_UNREACH || code == ICMP_FRAG_NEEDED)
			return DOOR_UNKNOWN;
		return code == ICMP_PORT_UNREACH && proto == PROTO_UDP ? DOOR_CLOSED
								       : DOOR_FILTERED;
	}
	if (type != ICMPV6_DEST_UNREACH)
		return DOOR_UNKNOWN;
	return code == ICMPV6_PORT_UNREACH && proto == PROTO_UDP ? DOOR_CLOSED : DOOR_FILTERED;
}

void icmp_want(int fd, bool is_v4)
{
	const int yes = 1;
	if (is_v4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(yes));
}

static bool read_error(const struct cmsghdr *header, bool is_v4, uint8_t proto, struct answer *ret)
{
	struct sock_extended_err error;
	if (header->cmsg_len < CMSG_LEN(sizeof(error)))
		return false;
	memcpy(&error, CMSG_DATA(header), sizeof(error));
	if (error.ee_origin != (is_v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6))
		return false;
	*ret = (struct answer){.state = icmp_state(is_v4, proto, error.ee_type, error.ee_code),
			       .reason = BECAUSE_ICMP,
			       .icmp_type = error.ee_type,
			       .icmp_code = error.ee_code};
	return ret->state != DOOR_UNKNOWN;
}

void icmp_read(struct msghdr *message, bool is_v4, uint8_t proto, struct answer *ret)
{
	*ret = (struct answer){0};
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header))
		if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
		    (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
			read_error(header, is_v4, proto, ret);
}

bool icmp_queue(int fd, bool is_v4, uint8_t proto, struct answer *ret, union any_address *to)
{
	char control[ICMP_CONTROL] __attribute__((aligned(8))), byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_name = to,
				 .msg_namelen = sizeof(*to),
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	icmp_read(&message, is_v4, proto, ret);
	return true;
}
