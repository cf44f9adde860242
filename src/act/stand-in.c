/* The quiet stand-in. A child makes it, since it goes into a namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "act/stand-in.h"
#include "source/address.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define BACKLOG_USUAL 128
#define LOOPBACK_INDEX 1 /* the one interface of a new namespace */

static const int protocols[PROTO_MAX] = {
	[PROTO_TCP] = IPPROTO_TCP, [PROTO_UDP] = IPPROTO_UDP,	[PROTO_UDPLITE] = IPPROTO_UDPLITE,
	[PROTO_RAW] = IPPROTO_RAW, [PROTO_SCTP] = IPPROTO_SCTP,
};

void looks_of_target(const struct identity *target, struct looks *ret)
{
	bool is_stream = target->proto == PROTO_TCP || target->proto == PROTO_SCTP;
	*ret = (struct looks){
		.domain = target->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		.type = is_stream ? SOCK_STREAM : SOCK_DGRAM,
		.protocol = target->flags & SOCKET_MPTCP ? IPPROTO_MPTCP : protocols[target->proto],
		.is_listening = target->state == STATE_LISTEN,
		.is_v6only = target->flags & SOCKET_V6ONLY,
		.has_reuseport = target->flags & SOCKET_REUSEPORT,
		.backlog = BACKLOG_USUAL,
	};
	ret->address_length = address_fill(&target->local, target->family == FAMILY_IPV4,
					   target->local_port, 0, &ret->address);
}

static int option(int fd, int level, int name, int missing)
{
	int value = missing;
	socklen_t length = sizeof(value);
	return getsockopt(fd, level, name, &value, &length) < 0 ? missing : value;
}

/* A listener's tcp_info has its backlog where others have what was acknowledged selectively. */
static int backlog_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? (int)info.tcpi_sacked
									  : BACKLOG_USUAL;
}

void looks_of_socket(int fd, struct looks *ret)
{
	struct looks looks = *ret;
	socklen_t length = sizeof(looks.receive_timeout);
	looks.address_length = sizeof(looks.address);
	if (getsockname(fd, (struct sockaddr *)&looks.address, &looks.address_length) < 0)
		return;
	looks.domain = option(fd, SOL_SOCKET, SO_DOMAIN, looks.domain);
	looks.type = option(fd, SOL_SOCKET, SO_TYPE, looks.type);
	looks.protocol = option(fd, SOL_SOCKET, SO_PROTOCOL, looks.protocol);
	looks.is_listening = option(fd, SOL_SOCKET, SO_ACCEPTCONN, looks.is_listening);
	looks.is_v6only = option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) > 0;
	looks.has_reuseaddr = option(fd, SOL_SOCKET, SO_REUSEADDR, 0) > 0;
	looks.has_reuseport = option(fd, SOL_SOCKET, SO_REUSEPORT, 0) > 0;
	looks.is_nonblocking = fcntl(fd, F_GETFL) & O_NONBLOCK;
	looks.backlog = looks.is_listening ? backlog_of(fd) : 0;
	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &looks.receive_timeout, &length);
	*ret = looks;
}

/* ---- passing it on ---- */

int descriptor_send(int through, int fd)
{
	char byte = 0;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(through, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int descriptor_receive(int through)
{
	int32_t answer = 0, fd = -1;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &answer, .iov_len = sizeof(answer)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t n;
	while ((n = recvmsg(through, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	if (message.msg_controllen < CMSG_LEN(sizeof(int)) ||
	    control.header.cmsg_type != SCM_RIGHTS)
		return answer < 0 ? answer : -EBADMSG;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* ---- the child ---- */

/* As root of the host, or as nobody at all where that is allowed (user_namespaces(7)). */
static int leave_network(void)
{
	return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0
											: -errno;
}

/* A port below 1024 wants CAP_NET_BIND_SERVICE in the namespace, or that it has no such ports. */
static void open_low_ports(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, "0", 1);
	(void)n; /* where it cannot be, bind says so */
	closep(&fd);
}

/* Where the address is of a link that this namespace does not have, it stands on its loopback;
 * where it cannot stand at all, any address will do: what matters is that there is a socket. */
static int bind_like(int fd, const struct looks *looks)
{
	struct sockaddr_storage address = looks->address;
	if (bind(fd, (struct sockaddr *)&address, looks->address_length) == 0)
		return 0;
	if (address.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, &address, sizeof(in6));
		in6.sin6_scope_id = LOOPBACK_INDEX;
		if (bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0)
			return 0;
		in6.sin6_addr = in6addr_any;
		in6.sin6_scope_id = 0;
		memcpy(&address, &in6, sizeof(in6));
	} else {
		struct sockaddr_in in;
		memcpy(&in, &address, sizeof(in));
		in.sin_addr.s_addr = htonl(INADDR_ANY);
		memcpy(&address, &in, sizeof(in));
	}
	return bind(fd, (struct sockaddr *)&address, looks->address_length) < 0 ? -errno : 0;
}

static int make(const struct looks *looks)
{
	static const int on = 1;
	int v6only = looks->is_v6only;
	cleanup(closep) int fd = socket(looks->domain, looks->type | SOCK_CLOEXEC, looks->protocol);
	if (fd < 0 && looks->protocol == IPPROTO_MPTCP)
		fd = socket(looks->domain, looks->type | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	if (looks->domain == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	}
	if (looks->has_reuseaddr)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (looks->has_reuseport)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &looks->receive_timeout,
		   sizeof(looks->receive_timeout));
	int r = bind_like(fd, looks);
	if (r < 0)
		return r;
	if (looks->is_listening && listen(fd, looks->backlog) < 0)
		return -errno;
	if (looks->is_nonblocking)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return TAKE_FD(fd);
}

_Noreturn static void run_child(int through, const struct looks *looks)
{
	int r = leave_network();
	if (r == 0) {
		open_low_ports();
		r = make(looks);
	}
	int32_t answer = r;
	if (r >= 0)
		descriptor_send(through, r);
	else if (write(through, &answer, sizeof(answer)) < 0)
		_exit(1);
	_exit(0);
}

int stand_in_make(const struct looks *looks, struct error *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, -errno, "make a stand-in");
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		run_child(pair[1], looks);
	}
	int r = child < 0 ? -errno : 0;
	close(pair[1]);
	r = r < 0 ? r : descriptor_receive(pair[0]);
	close(pair[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? error_set(err, r, "make a stand-in") : r;
}
