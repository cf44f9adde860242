/* A socket ended by the kernel, whoever holds it. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "source/destroy.h"

#define STALE_MAX 64 /* answers to what was asked before on the same socket */

static const uint8_t numbers[PROTO_MAX] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_RAW,
					   IPPROTO_SCTP};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};
_Static_assert(sizeof(struct request) == 72, "no padding between header and body");

static struct request request_for(const struct socket *socket, uint32_t sequence)
{
	/* IPv4 on an IPv6 socket is found by its IPv4 ends (net/ipv4/inet_diag.c) */
	bool is_v4 = socket->family == FAMILY_IPV4 || ip_is_mapped(&socket->local);
	size_t skip = is_v4 ? 12 : 0, n = is_v4 ? 4 : 16;
	struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DESTROY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			   .nlmsg_seq = sequence},
		.body = {.sdiag_family = is_v4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = numbers[socket->proto],
			 .idiag_states = ~0u,
			 .id = {.idiag_sport = htons(socket->local_port),
				.idiag_dport = htons(socket->peer_port),
				.idiag_if = socket->interface,
				.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	memcpy(request.body.id.idiag_src, socket->local.bytes + skip, n);
	memcpy(request.body.id.idiag_dst, socket->peer.bytes + skip, n);
	if (socket->cookie) {
		request.body.id.idiag_cookie[0] = (uint32_t)socket->cookie;
		request.body.id.idiag_cookie[1] = (uint32_t)(socket->cookie >> 32);
	}
	return request;
}

/* The errno of the answer to @sequence. */
static int read_answer(int fd, uint32_t sequence)
{
	for (unsigned i = 0; i < STALE_MAX; i++) {
		char buffer[1024];
		struct nlmsghdr header;
		int error;
		ssize_t n;
		do
			n = recv(fd, buffer, sizeof(buffer), 0);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(header) + sizeof(error))
			return -EBADMSG;
		memcpy(&header, buffer, sizeof(header));
		memcpy(&error, buffer + sizeof(header), sizeof(error));
		if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq == sequence)
			return error;
	}
	return -EBADMSG;
}

int destroy_socket(int fd, const struct socket *socket)
{
	if (socket->proto >= PROTO_MAX)
		return -EOPNOTSUPP;
	uint32_t sequence = (uint32_t)socket->cookie ^ (uint32_t)socket->peer_port << 16 ^
			    socket->local_port; /* tells the answers of one caller apart */
	struct request request = request_for(socket, sequence);
	ssize_t n;
	do
		n = send(fd, &request, sizeof(request), 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : read_answer(fd, sequence);
}
