/* A connect of our own, to learn what becomes of it. */
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "why/endpoint.h"
#include "why/probe.h"

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* The message behind an error: who sent it, and which (ip(7), IP_RECVERR). */
static void read_message(const struct cmsghdr *header, struct probe *ret)
{
	struct sock_extended_err error;
	if (header->cmsg_len < CMSG_LEN(sizeof(error)))
		return;
	memcpy(&error, CMSG_DATA(header), sizeof(error));
	if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6)
		return;
	ret->is_icmp = true;
	ret->icmp_type = error.ee_type;
	ret->icmp_code = error.ee_code;
	ret->error = (int)error.ee_errno;
	const unsigned char *offender = CMSG_DATA(header) + sizeof(error);
	size_t room = header->cmsg_len - CMSG_LEN(sizeof(error));
	struct sockaddr_storage address = {0};
	struct question parsed;
	memcpy(&address, offender, room < sizeof(address) ? room : sizeof(address));
	if (endpoint_parse(&address, room, &parsed)) {
		ret->has_offender = true;
		ret->offender = parsed.address;
	}
}

static void read_queue(int fd, struct probe *ret)
{
	char control[512] __attribute__((aligned(8))), byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
	     header = CMSG_NXTHDR(&message, header))
		if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
		    (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
			read_message(header, ret);
}

static void read_from(int fd, struct probe *ret)
{
	struct sockaddr_storage address = {0};
	socklen_t n = sizeof(address);
	struct question own;
	if (getsockname(fd, (struct sockaddr *)&address, &n) == 0 &&
	    endpoint_parse(&address, n, &own)) {
		ret->from = own.address;
		ret->from_port = own.port;
	}
}

/* What came of a call under way. */
static int await(int fd, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = 0, r = poll(&wait, 1, timeout_ms);
	socklen_t n = sizeof(error);
	if (r == 0)
		return ETIMEDOUT;
	return r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? errno : error;
}

/* A datagram is refused by a message, or it is not known what became of it. */
static int await_refusal(int fd, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int error = 0;
	socklen_t n = sizeof(error);
	if (send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno;
	if (poll(&wait, 1, timeout_ms) < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return errno;
	return error;
}

static int dial(int fd, const struct question *question, uint16_t from_port, int timeout_ms)
{
	struct sockaddr_storage address;
	socklen_t n;
	struct ip any = question->is_v4 ? ip_from_v4((const uint8_t[4]){0})
					: ip_from_v6((const uint8_t[16]){0});
	if (question->interface)
		set_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)question->interface);
	n = endpoint_of(question, question->has_from ? &question->from : &any, from_port, &address);
	if ((question->has_from || from_port) && bind(fd, (struct sockaddr *)&address, n) < 0)
		return errno;
	n = endpoint_address(question, &address);
	if (connect(fd, (struct sockaddr *)&address, n) < 0 && errno != EINPROGRESS)
		return errno;
	return question->proto == PROTO_TCP ? await(fd, timeout_ms) : await_refusal(fd, timeout_ms);
}

void probe_run(const struct question *question, uint16_t from_port, int timeout_ms,
	       struct probe *ret)
{
	*ret = (struct probe){.error = 0};
	cleanup(closep) int fd = endpoint_socket(question, SOCK_NONBLOCK);
	if (fd < 0) {
		ret->error = -fd;
		return;
	}
	set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
	if (!question->is_v4)
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	ret->error = dial(fd, question, from_port, timeout_ms);
	read_from(fd, ret);
	if (!ret->error)
		/* reset, not closed: nothing of it stays in TIME_WAIT */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
	else
		read_queue(fd, ret);
}
