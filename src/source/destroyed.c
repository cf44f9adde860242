/* Sockets as the kernel destroys them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "source/destroyed.h"
#include "source/sock-diag.h"

#define BUFFER_SIZE 65536
#define QUEUE_SIZE (8 << 20)

static uint32_t groups_of(enum proto proto)
{
	return proto == PROTO_TCP ? 1u << (SKNLGRP_INET_TCP_DESTROY - 1) |
					    1u << (SKNLGRP_INET6_TCP_DESTROY - 1)
				  : 1u << (SKNLGRP_INET_UDP_DESTROY - 1) |
					    1u << (SKNLGRP_INET6_UDP_DESTROY - 1);
}

int destroyed_open(const struct found_netns *place, enum proto proto)
{
	cleanup(closep) int fd = netns_socket(place, NETLINK_SOCK_DIAG);
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups_of(proto)};
	int size = QUEUE_SIZE;
	if (fd < 0)
		return fd;
	/* what exceeds the limit needs CAP_NET_ADMIN */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int destroyed_read(int fd, enum proto proto, struct sink *sink, bool *ret_lost)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
	struct query query = {.bounds = BOUNDS_ALL};
	query.bounds.protos = 1u << proto;
	query.bounds.states = UINT32_MAX;
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			*ret_lost = true;
			continue;
		}
		if (n <= 0)
			return 0;
		bool is_done = false, is_interrupted = false;
		int error = 0;
		int r = sock_diag_parse(buffer, (size_t)n, proto, &query, sink, &is_done, &error,
					&is_interrupted);
		if (r < 0 && r != -EBADMSG)
			return r;
	}
}
