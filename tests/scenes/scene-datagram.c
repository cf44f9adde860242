/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets without connections: UDP bound, connected, of a multicast group; UDP-Lite; raw. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "sockets.h"
#include "stage.h"

static const struct option bound_options[] = {
	{"address", "ADDRESS", "127.0.0.1", "where"},
	{"port", "N", "0", "0: the kernel chooses"},
	{"v6only", "0|1", NULL, "IPV6_V6ONLY"},
	{"answer", "0|1", "0", "answer each datagram with the pid that got it"},
	{0},
};

static void say(struct stage *stage, int fd)
{
	struct made made;

	made_look(&made, "socket", fd);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(fd));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
	if (stage_number(stage, "answer"))
		stage_answer(stage, fd);
}

static int bound_make(struct stage *stage, int protocol)
{
	struct address address =
		address_of(stage_word(stage, "address"), stage_number(stage, "port"));
	int fd = socket_new(address.storage.ss_family, SOCK_DGRAM, protocol);

	if (stage_word(stage, "v6only"))
		socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, stage_number(stage, "v6only"));
	socket_bind(fd, address);
	return fd;
}

static void run_udp(struct stage *stage)
{
	say(stage, bound_make(stage, IPPROTO_UDP));
}

static void run_udplite(struct stage *stage)
{
	say(stage, bound_make(stage, IPPROTO_UDPLITE));
}

static void run_connected(struct stage *stage)
{
	struct made made;
	int server = bound_make(stage, IPPROTO_UDP);
	struct address to = socket_local(server);
	int client = socket_new(to.storage.ss_family, SOCK_DGRAM, 0);

	if (connect(client, (struct sockaddr *)&to.storage, to.size) < 0)
		fail("connect");
	made_look(&made, "client", client);
	stage_held(stage, &made);
	json_uint(&stage->keys, "client_port", socket_port(client));
	say(stage, server);
}

static void join(int fd, const struct address *group, unsigned interface)
{
	if (group->storage.ss_family == AF_INET) {
		struct ip_mreqn request = {.imr_ifindex = (int)interface};
		request.imr_multiaddr = ((const struct sockaddr_in *)&group->storage)->sin_addr;
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
			fail("join the group");
		return;
	}
	struct ipv6_mreq request = {.ipv6mr_interface = interface};
	request.ipv6mr_multiaddr = ((const struct sockaddr_in6 *)&group->storage)->sin6_addr;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
		fail("join the group");
}

static const struct option multicast_options[] = {
	{"address", "GROUP", "239.255.7.7", "the group: bound and joined"},
	{"port", "N", "0", "0: the kernel chooses"},
	{"interface", "NAME", "lo", "where it is joined"},
	{0},
};

static void run_multicast(struct stage *stage)
{
	struct address group =
		address_of(stage_word(stage, "address"), stage_number(stage, "port"));
	unsigned interface = if_nametoindex(stage_word(stage, "interface"));
	int fd = socket_new(group.storage.ss_family, SOCK_DGRAM, 0);

	if (group.storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&group.storage)->sin6_scope_id = interface;
	socket_bind(fd, group);
	join(fd, &group, interface);
	say(stage, fd);
}

static const struct option raw_options[] = {
	{"protocol", "N", "1", "IP protocol of the IPv4 socket"},
	{"protocol6", "N", "58", "of the IPv6 socket"},
	{"address", "ADDRESS", NULL, "bind the IPv4 one there"},
	{0},
};

static void run_raw(struct stage *stage)
{
	struct made made;
	int protocols[2] = {stage_number(stage, "protocol"), stage_number(stage, "protocol6")};
	int fds[2] = {socket_new(AF_INET, SOCK_RAW, protocols[0]),
		      socket_new(AF_INET6, SOCK_RAW, protocols[1])};

	if (stage_word(stage, "address"))
		socket_bind(fds[0], address_of(stage_word(stage, "address"), 0));
	for (int i = 0; i < 2; i++) {
		socket_deafen(fds[i]);
		made_look(&made, i ? "ipv6" : "ipv4", fds[i]);
		stage_held(stage, &made);
	}
	json_uint(&stage->keys, "protocol", (uint64_t)protocols[0]);
	json_uint(&stage->keys, "protocol6", (uint64_t)protocols[1]);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
}

const struct scene scene_udp = {
	.name = "udp",
	.summary = "a bound UDP socket",
	.options = bound_options,
	.run = run_udp,
};

const struct scene scene_udp_connected = {
	.name = "udp-connected",
	.summary = "a bound UDP socket, and one connected to it",
	.options = bound_options,
	.run = run_connected,
};

const struct scene scene_udplite = {
	.name = "udplite",
	.summary = "a bound UDP-Lite socket",
	.options = bound_options,
	.run = run_udplite,
};

const struct scene scene_multicast = {
	.name = "multicast",
	.summary = "a UDP socket bound to a multicast group",
	.options = multicast_options,
	.run = run_multicast,
};

const struct scene scene_raw = {
	.name = "raw",
	.summary = "a raw socket of each family, deaf",
	.options = raw_options,
	.run = run_raw,
};
