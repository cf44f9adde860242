/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel asked about one TCP socket, by sock_diag(7). */
#include "diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static void put_end(__be16 *port, __be32 *address, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *in4 = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;

	if (from->ss_family == AF_INET) {
		*port = in4->sin_port;
		memcpy(address, &in4->sin_addr, sizeof(in4->sin_addr));
	} else if (from->ss_family == AF_INET6) {
		*port = in6->sin6_port;
		memcpy(address, &in6->sin6_addr, sizeof(in6->sin6_addr));
	}
}

/* The state, or negative errno. */
static int ask(const struct made *made, uint16_t type, uint16_t flags)
{
	char answer[4096] = "";
	struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | flags},
		.body = {.sdiag_family = (uint8_t)made->local.ss_family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = ~0U,
			 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};

	put_end(&request.body.id.idiag_sport, request.body.id.idiag_src, &made->local);
	put_end(&request.body.id.idiag_dport, request.body.id.idiag_dst, &made->peer);
	int fd = socket_new(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (send(fd, &request, sizeof(request), 0) < 0)
		fail("ask sock_diag");
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	close(fd);

	struct nlmsghdr header;
	if (n < (ssize_t)sizeof(header))
		return -EIO;
	memcpy(&header, answer, sizeof(header));
	if (header.nlmsg_type == NLMSG_ERROR) {
		struct nlmsgerr error;
		memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
		return error.error;
	}
	struct inet_diag_msg message;
	memcpy(&message, answer + NLMSG_HDRLEN, sizeof(message));
	return message.idiag_state;
}

int diag_state(const struct made *made)
{
	int r = ask(made, SOCK_DIAG_BY_FAMILY, 0);

	return r < 0 ? 0 : r;
}

void diag_destroy(const struct made *made)
{
	int r = ask(made, SOCK_DESTROY, NLM_F_ACK);

	errno = -r;
	if (r < 0)
		fail("destroy the socket");
}
