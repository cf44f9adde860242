/* Can the port be bound again? */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/trial.h"
#include "source/address.h"

struct trial_of {
	const struct identity *target;
	bool reuseaddr;
};

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
	const struct trial_of *trial = data;
	const struct identity *target = trial->target;
	bool is_v4 = target->family == FAMILY_IPV4;
	struct sockaddr_storage address;
	cleanup(closep) int fd = address_socket(target->proto, is_v4, 0);
	if (fd < 0)
		return fd;
	int r = set_options(fd, target, trial->reuseaddr);
	if (r < 0)
		return r;
	socklen_t length = address_fill(&target->local, is_v4, target->local_port,
					target->interface, &address);
	return bind(fd, (const struct sockaddr *)&address, length) < 0 ? -errno : 0;
}

int trial_bind(const struct found_netns *place, const struct identity *target, bool reuseaddr)
{
	struct trial_of trial = {target, reuseaddr};
	return netns_call(place, try_inside, &trial);
}
