/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets as scenes make them. */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"

#define TCP_BOUND_INACTIVE 13

struct address address_of(const char *text, uint16_t port)
{
	struct address ret = {.size = sizeof(struct sockaddr_in)};
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	char bare[INET6_ADDRSTRLEN + IFNAMSIZ + 1] = "";

	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1) {
		memcpy(&ret.storage, &in4, sizeof(in4));
		return ret;
	}
	strncpy(bare, text, sizeof(bare) - 1);
	char *scope = strchr(bare, '%');
	if (scope) {
		*scope = '\0';
		in6.sin6_scope_id = if_nametoindex(scope + 1);
	}
	errno = EINVAL;
	if (inet_pton(AF_INET6, bare, &in6.sin6_addr) != 1)
		fail("address %s", text);
	memcpy(&ret.storage, &in6, sizeof(in6));
	ret.size = sizeof(in6);
	return ret;
}

struct address socket_local(int fd)
{
	struct address ret = {.size = sizeof(ret.storage)};

	if (getsockname(fd, (struct sockaddr *)&ret.storage, &ret.size) < 0)
		fail("ask for the local address");
	return ret;
}

uint16_t socket_port(int fd)
{
	struct address local = socket_local(fd);

	return ntohs(local.storage.ss_family == AF_INET
			     ? ((struct sockaddr_in *)&local.storage)->sin_port
			     : ((struct sockaddr_in6 *)&local.storage)->sin6_port);
}

const char *socket_proto_word(int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	default:
		return "raw";
	}
}

int socket_new(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fail("make a socket (family %d, type %d, protocol %d)", family, type, protocol);
	return fd;
}

void socket_set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		fail("set option %d of level %d", option, level);
}

void socket_bind(int fd, struct address address)
{
	if (bind(fd, (struct sockaddr *)&address.storage, address.size) < 0)
		fail("bind");
}

int socket_listen(const char *text, uint16_t port, int backlog)
{
	struct address address = address_of(text, port);
	int fd = socket_new(address.storage.ss_family, SOCK_STREAM, 0);

	socket_bind(fd, address);
	if (listen(fd, backlog) < 0)
		fail("listen");
	return fd;
}

int socket_connect(struct address to)
{
	int fd = socket_new(to.storage.ss_family, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to.storage, to.size) < 0)
		fail("connect");
	return fd;
}

int socket_accept(int fd)
{
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (got < 0)
		fail("accept");
	return got;
}

void socket_reset_on_close(int fd)
{
	struct linger linger = {.l_onoff = 1};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		fail("set SO_LINGER");
}

void socket_deafen(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &drop};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		fail("attach a filter");
}

int socket_state(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		fail("ask for the state");
	return info.tcpi_state;
}

const char *state_word(int state)
{
	static const char *const words[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED",
		[TCP_SYN_SENT] = "SYN_SENT",
		[TCP_SYN_RECV] = "SYN_RECV",
		[TCP_FIN_WAIT1] = "FIN_WAIT1",
		[TCP_FIN_WAIT2] = "FIN_WAIT2",
		[TCP_TIME_WAIT] = "TIME_WAIT",
		[TCP_CLOSE] = "BOUND",
		[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_LAST_ACK] = "LAST_ACK",
		[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",
	};

	if (state == TCP_BOUND_INACTIVE)
		return "BOUND";
	return state > 0 && state < (int)(sizeof(words) / sizeof(words[0])) ? words[state] : "";
}

void pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void socket_await(int fd, int state)
{
	for (int i = 0; i < 5000; i++) {
		if (socket_state(fd) == state)
			return;
		pause_shortly();
	}
	errno = ETIMEDOUT;
	fail("wait for %s (it is %s)", state_word(state), state_word(socket_state(fd)));
}

static int type_of(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return type;
}

static void say_to_stream(int fd, const char *text, size_t size)
{
	struct timeval limit = {.tv_sec = 5};
	char rest[64];
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (got < 0)
		return;
	setsockopt(got, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	socket_reset_on_close(got);
	if (send(got, text, size, MSG_NOSIGNAL) > 0)
		while (recv(got, rest, sizeof(rest), 0) > 0)
			; /* the client closes first, having read the whole answer */
	close(got);
}

void socket_answer(int fd)
{
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	char text[16], drop[64];
	int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (type_of(fd) == SOCK_STREAM) {
		say_to_stream(fd, text, (size_t)size);
		return;
	}
	if (recvfrom(fd, drop, sizeof(drop), MSG_DONTWAIT, (struct sockaddr *)&from, &from_size) >=
	    0)
		sendto(fd, text, (size_t)size, MSG_NOSIGNAL, (struct sockaddr *)&from, from_size);
}

void made_look(struct made *ret, const char *role, int fd)
{
	struct stat st = {0};
	socklen_t size = sizeof(ret->local);

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->role, sizeof(ret->role), "%s", role);
	if (fstat(fd, &st) < 0 || getsockname(fd, (struct sockaddr *)&ret->local, &size) < 0)
		fail("look at the %s", role);
	size = sizeof(ret->peer);
	if (getpeername(fd, (struct sockaddr *)&ret->peer, &size) < 0)
		ret->peer.ss_family = 0;
	size = sizeof(ret->protocol);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &ret->protocol, &size);
	if (!getenv("SCENE_NO_COOKIES")) { /* a socket has none before somebody asks: some tests
					      want it so */
		size = sizeof(ret->cookie);
		getsockopt(fd, SOL_SOCKET, SO_COOKIE, &ret->cookie, &size);
	}
	ret->inode = (uint32_t)st.st_ino;
	ret->uid = st.st_uid;
	ret->netns = netns_inode();
	ret->fd = fd;
	ret->pid = getpid();
	if (ret->protocol == IPPROTO_TCP || ret->protocol == IPPROTO_MPTCP)
		snprintf(ret->state, sizeof(ret->state), "%s", state_word(socket_state(fd)));
}
