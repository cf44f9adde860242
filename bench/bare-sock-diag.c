/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What any listing of TCP sockets costs at least: one dump of both families in all states, read
 * into one buffer and thrown away. Prints how many sockets there were. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (1 << 20)
#define STATES_ALL 0x1fffu

static int ask(int fd)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req body;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = TCPDIAG_GETSOCK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.idiag_family = AF_UNSPEC, .idiag_states = STATES_ALL},
	};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	return sendto(fd, &request, sizeof(request), 0, (struct sockaddr *)&kernel,
		      sizeof(kernel)) < 0
		       ? -errno
		       : 0;
}

/* The messages of one read; *@ret_done: the last of the dump was among them. */
static unsigned long count(const char *at, size_t n, int *ret_done)
{
	unsigned long sockets = 0;
	struct nlmsghdr header;
	while (n >= sizeof(header)) {
		memcpy(&header, at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > n)
			break;
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
			*ret_done = 1;
			break;
		}
		sockets++;
		size_t step = NLMSG_ALIGN(header.nlmsg_len);
		at += step < n ? step : n;
		n -= step < n ? step : n;
	}
	return sockets;
}

int main(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), done = 0;
	char *buffer = malloc(BUFFER_SIZE);
	unsigned long sockets = 0;
	if (fd < 0 || !buffer || ask(fd) < 0) {
		perror("bare-sock-diag");
		return 1;
	}
	while (!done) {
		ssize_t n = recv(fd, buffer, BUFFER_SIZE, 0);
		if (n <= 0) {
			perror("bare-sock-diag");
			return 1;
		}
		sockets += count(buffer, (size_t)n, &done);
	}
	printf("%lu\n", sockets);
	free(buffer);
	return 0;
}
