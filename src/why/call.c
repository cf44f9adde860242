/* A system call of another process that failed: what it was about. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/numbers.h"
#include "why/call.h"
#include "why/endpoint.h"

static const struct {
	uint32_t architecture;
	uint32_t number;
	enum call call;
} calls[] = {
	{AUDIT_ARCH_X86_64, 41, CALL_SOCKET},	  {AUDIT_ARCH_X86_64, 49, CALL_BIND},
	{AUDIT_ARCH_X86_64, 50, CALL_LISTEN},	  {AUDIT_ARCH_X86_64, 42, CALL_CONNECT},
	{AUDIT_ARCH_X86_64, 55, CALL_GETSOCKOPT}, {AUDIT_ARCH_AARCH64, 198, CALL_SOCKET},
	{AUDIT_ARCH_AARCH64, 200, CALL_BIND},	  {AUDIT_ARCH_AARCH64, 201, CALL_LISTEN},
	{AUDIT_ARCH_AARCH64, 203, CALL_CONNECT},  {AUDIT_ARCH_AARCH64, 209, CALL_GETSOCKOPT},
	{AUDIT_ARCH_I386, 359, CALL_SOCKET},	  {AUDIT_ARCH_I386, 361, CALL_BIND},
	{AUDIT_ARCH_I386, 363, CALL_LISTEN},	  {AUDIT_ARCH_I386, 362, CALL_CONNECT},
	{AUDIT_ARCH_I386, 365, CALL_GETSOCKOPT},  {AUDIT_ARCH_ARM, 281, CALL_SOCKET},
	{AUDIT_ARCH_ARM, 282, CALL_BIND},	  {AUDIT_ARCH_ARM, 284, CALL_LISTEN},
	{AUDIT_ARCH_ARM, 283, CALL_CONNECT},	  {AUDIT_ARCH_ARM, 295, CALL_GETSOCKOPT},
};

enum call call_of(uint32_t architecture, uint64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].architecture == architecture && calls[i].number == number)
			return calls[i].call;
	return CALL_OTHER;
}

bool call_has_failed(enum call call, int64_t error)
{
	if (error >= 0 ||
	    error < -511) /* -512 and beyond: to be started again (include/linux/errno.h) */
		return false;
	switch (call) {
	case CALL_SOCKET:
		return error == -EMFILE || error == -ENFILE;
	case CALL_BIND:
	case CALL_LISTEN:
		return error != -EBADF && error != -ENOTSOCK;
	case CALL_CONNECT:
		return error != -EINPROGRESS && error != -EALREADY && error != -EINTR &&
		       error != -EISCONN && error != -EAGAIN && error != -EBADF &&
		       error != -ENOTSOCK;
	default:
		return false;
	}
}

static bool read_memory(pid_t tid, uint64_t from, void *to, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

pid_t call_process(pid_t tid)
{
	char path[48], text[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *at = n > 0 ? strstr(text, "\nTgid:\t") : NULL;
	uint64_t pid = 0;
	if (at)
		at += 7;
	if (!at || number_scan(&at, text + n, 10, &pid) < 0)
		return tid;
	return (pid_t)pid;
}

static int copy_descriptor(pid_t pid, uint64_t fd)
{
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, (int)fd, 0);
	return copy < 0 ? -errno : copy;
}

static int option_of(int fd, int level, int name)
{
	int value = 0;
	socklen_t n = sizeof(value);
	return getsockopt(fd, level, name, &value, &n) < 0 ? 0 : value;
}

static uint8_t proto_of(int number)
{
	switch (number) {
	case IPPROTO_UDP:
		return PROTO_UDP;
	case IPPROTO_UDPLITE:
		return PROTO_UDPLITE;
	case IPPROTO_SCTP:
		return PROTO_SCTP;
	case IPPROTO_TCP:
	case 262: /* IPPROTO_MPTCP */
		return PROTO_TCP;
	default:
		return PROTO_RAW;
	}
}

/* Its options, and what it is bound to. -ENOENT: no socket with a port. */
static int read_socket(int fd, struct failure *ret)
{
	struct question *question = &ret->question;
	struct stat status;
	int domain = option_of(fd, SOL_SOCKET, SO_DOMAIN);
	if (domain != AF_INET && domain != AF_INET6)
		return -ENOENT;
	question->proto = proto_of(option_of(fd, SOL_SOCKET, SO_PROTOCOL));
	if (question->proto == PROTO_RAW)
		return -ENOENT;
	question->reuseaddr = option_of(fd, SOL_SOCKET, SO_REUSEADDR);
	question->reuseport = option_of(fd, SOL_SOCKET, SO_REUSEPORT);
	if (domain == AF_INET6)
		question->v6only = option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	question->interface = (uint32_t)option_of(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	if (fstat(fd, &status) == 0)
		ret->inode = (uint32_t)status.st_ino;
	return 0;
}

static bool read_own_end(int fd, struct question *ret)
{
	struct sockaddr_storage address = {0};
	socklen_t n = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &n) == 0 &&
	       endpoint_parse(&address, n, ret);
}

static int read_address(pid_t tid, const struct entered *entered, struct question *ret)
{
	struct sockaddr_storage address = {0};
	uint64_t n = entered->arguments[2];
	if (n > sizeof(address))
		n = sizeof(address);
	if (!n || !read_memory(tid, entered->arguments[1], &address, n) ||
	    !endpoint_parse(&address, n, ret))
		return -ENOENT;
	return 0;
}

/* The socket's own end is where a connect comes from. */
static void read_from(const struct question *own, struct question *ret)
{
	if (own->port || !ip_is_any(&own->address)) {
		ret->has_from = !ip_is_any(&own->address);
		ret->from = own->address;
	}
}

static int read_failed_socket(const struct entered *entered, struct failure *ret)
{
	uint64_t family = entered->arguments[0], type = entered->arguments[1] & 0xf;
	if (family != AF_INET && family != AF_INET6)
		return -ENOENT;
	ret->question.attempt = ATTEMPT_SOCKET;
	ret->question.is_v4 = family == AF_INET;
	ret->question.proto = type == SOCK_DGRAM ? PROTO_UDP : PROTO_TCP;
	if (ret->question.is_v4)
		ret->question.address = ip_from_v4((const uint8_t[4]){0});
	return 0;
}

int call_read(pid_t tid, const struct entered *entered, int error, struct failure *ret)
{
	static const enum attempt attempts[] = {[CALL_BIND] = ATTEMPT_BIND,
						[CALL_LISTEN] = ATTEMPT_LISTEN,
						[CALL_CONNECT] = ATTEMPT_CONNECT};
	*ret = (struct failure){.pid = call_process(tid), .error = error};
	struct question *question = &ret->question, own = {.netns = NONE};
	question->netns = NONE;
	if (entered->call == CALL_SOCKET)
		return read_failed_socket(entered, ret);
	question->attempt = attempts[entered->call];
	cleanup(closep) int fd = copy_descriptor(ret->pid, entered->arguments[0]);
	int r = fd < 0 ? fd : read_socket(fd, ret);
	if (r < 0)
		return r;
	bool has_own = read_own_end(fd, &own);
	if (entered->call == CALL_LISTEN) {
		question->address = own.address;
		question->is_v4 = own.is_v4;
		question->port = own.port;
		return has_own ? 0 : -ENOENT;
	}
	ret->is_bound = has_own && own.port != 0;
	r = read_address(tid, entered, question);
	if (r >= 0 && entered->call == CALL_CONNECT)
		read_from(&own, question);
	/* getaddrinfo(3) connects datagram sockets to learn which addresses have a route */
	if (r >= 0 && entered->call == CALL_CONNECT && question->proto == PROTO_UDP &&
	    (error == ENETUNREACH || error == EADDRNOTAVAIL || error == EACCES))
		return -ENOENT;
	return r;
}

int call_read_so_error(pid_t tid, const struct entered *entered)
{
	int error = 0;
	if (entered->arguments[1] != SOL_SOCKET || entered->arguments[2] != SO_ERROR ||
	    !read_memory(tid, entered->arguments[3], &error, sizeof(error)))
		return 0;
	return error;
}
