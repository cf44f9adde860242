/* One descriptor of one process asked directly: duplicated by pidfd_getfd(2), asked, closed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/descriptor.h"
#include "source/netns.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int duplicate(int32_t pid, int32_t fd)
{
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return copy < 0 ? -errno : copy;
}

static int option_int(int fd, int level, int name, int missing)
{
	int value = missing;
	socklen_t length = sizeof(value);
	return getsockopt(fd, level, name, &value, &length) < 0 ? missing : value;
}

static int proto_of(int number, uint8_t *ret, uint8_t *flags)
{
	switch (number) {
	case IPPROTO_MPTCP:
		*flags |= SOCKET_MPTCP;
		*ret = PROTO_TCP;
		return 0;
	case IPPROTO_TCP:
		*ret = PROTO_TCP;
		return 0;
	case IPPROTO_UDP:
		*ret = PROTO_UDP;
		return 0;
	case IPPROTO_UDPLITE:
		*ret = PROTO_UDPLITE;
		return 0;
	case IPPROTO_SCTP:
		*ret = PROTO_SCTP;
		return 0;
	}
	return -ENOENT;
}

static void end_of(const struct sockaddr_storage *from, struct ip *ip, uint16_t *port)
{
	if (from->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof(in));
		*ip = ip_from_v4((const uint8_t *)&in.sin_addr);
		*port = ntohs(in.sin_port);
	} else if (from->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, from, sizeof(in6));
		*ip = ip_from_v6(in6.sin6_addr.s6_addr);
		*port = ntohs(in6.sin6_port);
	}
}

static void ends_of(int fd, struct socket *socket)
{
	struct sockaddr_storage name = {0};
	socklen_t length = sizeof(name);
	if (getsockname(fd, (struct sockaddr *)&name, &length) == 0)
		end_of(&name, &socket->local, &socket->local_port);
	if (socket->family == FAMILY_IPV4)
		socket->peer = ip_from_v4((const uint8_t[4]){0});
	length = sizeof(name);
	if (getpeername(fd, (struct sockaddr *)&name, &length) == 0)
		end_of(&name, &socket->peer, &socket->peer_port);
}

/* tcpi_segs_out and tcpi_segs_in stand there in the kernel's struct (linux/tcp.h, since 4.2), which
 * glibc's ends before. */
#define SEGMENTS_AT 136

/* The state of one that neither listens nor is connected: bound, unless it was a connection, which
 * gives a port that it did not ask for back as it ends, though getsockname() still tells it. One
 * that keeps its port stands in a dump, and is not asked. */
static uint8_t state_at_rest(const char *info, socklen_t n)
{
	uint32_t segments[2] = {0};
	if (n >= SEGMENTS_AT + sizeof(segments))
		memcpy(segments, info + SEGMENTS_AT, sizeof(segments));
	return segments[0] || segments[1] ? STATE_GONE : STATE_BOUND;
}

/* A listener's tcp_info has its backlog where others have unacknowledged segments (tcp_get_info).
 */
static void state_of(int fd, struct socket *socket)
{
	struct tcp_info info = {0};
	char bytes[256] = "";
	socklen_t length = sizeof(bytes);
	int queued = 0;
	bool is_told = socket->proto == PROTO_TCP &&
		       getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes, &length) == 0;
	memcpy(&info, bytes, sizeof(info));
	if (!is_told) {
		socket->state = socket->peer_port ? STATE_ESTABLISHED : STATE_UNCONN;
	} else if (info.tcpi_state == STATE_LISTEN) {
		socket->state = STATE_LISTEN;
		socket->recv_queue = info.tcpi_unacked;
		socket->send_queue = info.tcpi_sacked;
		return;
	} else {
		socket->state = info.tcpi_state == STATE_UNCONN ? state_at_rest(bytes, length)
								: info.tcpi_state;
	}
	socket->recv_queue = ioctl(fd, SIOCINQ, &queued) == 0 ? (uint32_t)queued : 0;
	socket->send_queue = ioctl(fd, SIOCOUTQ, &queued) == 0 ? (uint32_t)queued : 0;
}

static bool netns_cookie(int fd, uint64_t *ret)
{
	socklen_t length = sizeof(*ret);
	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &length) == 0;
}

/* A kernel before 5.14 tells no cookie: then all is taken for our own. */
static void know_here(struct descriptor_here *here)
{
	if (here->is_known)
		return;
	cleanup(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*here = (struct descriptor_here){.is_known = true, .inode = netns_own_inode()};
	here->has_cookie = fd >= 0 && netns_cookie(fd, &here->cookie);
}

/* Whose namespace may not be told by its inode has a cookie (Linux 5.14) all the same: our own's,
 * or another. */
static uint64_t netns_of(int fd, struct descriptor_here *here)
{
	struct stat status;
	uint64_t its;
	cleanup(closep) int netns = ioctl(fd, SIOCGSKNS);
	if (netns >= 0 && fstat(netns, &status) == 0)
		return status.st_ino;
	know_here(here);
	return here->has_cookie && netns_cookie(fd, &its) && its != here->cookie ? NETNS_UNKNOWN
										 : here->inode;
}

int descriptor_ask(const struct host *host, struct descriptor_here *here, int32_t pid, int32_t fd,
		   uint32_t inode, struct found_socket *ret)
{
	if (!host->is_live)
		return -ENOTSUP;
	if (pid == getpid())
		return -ENOENT;

	cleanup(closep) int copy = duplicate(pid, fd);
	if (copy < 0)
		return copy;

	struct stat status;
	if (fstat(copy, &status) < 0 || status.st_ino != inode)
		return -ESTALE;

	int domain = option_int(copy, SOL_SOCKET, SO_DOMAIN, -1);
	if (domain != AF_INET && domain != AF_INET6)
		return -ENOENT;

	*ret = (struct found_socket){.has_file = FILE_THERE};
	struct socket *socket = &ret->socket;
	socket->family = domain == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
	socket->inode = inode;
	socket->uid = status.st_uid;
	socket->flags = SOCKET_QUEUES_KNOWN | SOCKET_UID_KNOWN;

	int number = option_int(copy, SOL_SOCKET, SO_PROTOCOL, -1);
	bool is_raw = option_int(copy, SOL_SOCKET, SO_TYPE, -1) == SOCK_RAW;
	if (!is_raw && proto_of(number, &socket->proto, &socket->flags) < 0)
		return -ENOENT;

	ends_of(copy, socket);
	if (is_raw) {
		socket->proto = PROTO_RAW;
		socket->local_port = (uint16_t)number;
	}
	if (!socket->local_port)
		return -ENOENT;
	state_of(copy, socket);
	if (socket->state == STATE_GONE)
		return -ENOENT;

	if (domain == AF_INET6) {
		int v6only = option_int(copy, IPPROTO_IPV6, IPV6_V6ONLY, -1);
		socket->flags |= v6only >= 0 ? SOCKET_V6ONLY_KNOWN : 0;
		socket->flags |= v6only > 0 ? SOCKET_V6ONLY : 0;
	}
	int interface = option_int(copy, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
	socket->interface = interface > 0 ? (uint32_t)interface : 0;
	socklen_t length = sizeof(socket->cookie);
	if (getsockopt(copy, SOL_SOCKET, SO_COOKIE, &socket->cookie, &length) < 0)
		socket->cookie = 0;
	ret->netns_inode = netns_of(copy, here);
	return 0;
}
