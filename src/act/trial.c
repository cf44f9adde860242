/* Can the port be bound again? */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/trial.h"

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

struct trial_of {
	const struct identity *target;
	bool reuseaddr;
};

static socklen_t address_of(const struct identity *target, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){0};
	if (target->family == FAMILY_IPV4) {
		struct sockaddr_in in = {.sin_family = AF_INET,
					 .sin_port = htons(target->local_port)};
		memcpy(&in.sin_addr, target->local.bytes + 12, 4);
		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(target->local_port),
				   .sin6_scope_id = target->interface};
	memcpy(&in6.sin6_addr, target->local.bytes, 16);
	memcpy(ret, &in6, sizeof(in6));
	return sizeof(in6);
}

/* A socket bound to an interface takes that of others out of the way. */
static int set_options(int fd, const struct identity *target, bool reuseaddr)
{
	int one = 1, v6only = (target->flags & SOCKET_V6ONLY) != 0,
	    interface = (int)target->interface;
	if (target->family == FAMILY_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
		return -errno;
	if (interface && ip_reach(&target->local) != REACH_LINK_LOCAL &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof(interface)) < 0)
		return -errno;
	if (reuseaddr && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

static int try_inside(void *data)
{
	static const struct {
		int type, protocol;
	} kinds[PROTO_MAX] = {
		[PROTO_TCP] = {SOCK_STREAM, IPPROTO_TCP},
		[PROTO_UDP] = {SOCK_DGRAM, IPPROTO_UDP},
		[PROTO_UDPLITE] = {SOCK_DGRAM, IPPROTO_UDPLITE},
		[PROTO_SCTP] = {SOCK_STREAM, IPPROTO_SCTP},
	};
	const struct trial_of *trial = data;
	const struct identity *target = trial->target;
	struct sockaddr_storage address;
	if (!kinds[target->proto].type)
		return -ENOTSUP;
	cleanup(closep) int fd =
		socket(target->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
		       kinds[target->proto].type | SOCK_CLOEXEC, kinds[target->proto].protocol);
	if (fd < 0)
		return -errno;
	int r = set_options(fd, target, trial->reuseaddr);
	if (r < 0)
		return r;
	socklen_t length = address_of(target, &address);
	return bind(fd, (const struct sockaddr *)&address, length) < 0 ? -errno : 0;
}

int trial_bind(const struct found_netns *place, const struct identity *target, bool reuseaddr)
{
	struct trial_of trial = {target, reuseaddr};
	return netns_call(place, try_inside, &trial);
}
