/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several sockets on one number: a REUSEPORT group, a dual-stack socket, the two families apart,
 * two owners. */
#include <errno.h>
#include <unistd.h>

#include "netns.h"
#include "sockets.h"
#include "stage.h"

#define GROUP_MAX 64

static const struct option options[] = {
	{"port", "N", "0", "0: the kernel chooses"},
	{"answer", "0|1", "0", "tell each client the pid that accepted it"},
	{0},
};

/* A listener of a process of its own; on @port when that is not 0. */
struct wanted {
	const char *role, *address;
	uint16_t port;
	int v6only; /* -1: as the host has it */
	bool reuseport, own_netns, udp;
};

static int wanted_make(const struct wanted *wanted)
{
	struct address address = address_of(wanted->address, wanted->port);
	int fd = socket_new(address.storage.ss_family, wanted->udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (wanted->v6only >= 0)
		socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted->v6only);
	if (wanted->reuseport)
		socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	socket_bind(fd, address);
	if (!wanted->udp && listen(fd, 128) < 0)
		fail("listen");
	return fd;
}

static void own_it(struct stage *stage, void *arg, void *report)
{
	const struct wanted *wanted = arg;

	if (wanted->own_netns)
		netns_new();
	int fd = wanted_make(wanted);
	made_look(report, wanted->role, fd);
	if (stage_number(stage, "answer"))
		stage_answer(stage, fd);
}

static struct made owner_start(struct stage *stage, struct wanted wanted)
{
	struct made made;

	child_start(stage, own_it, &wanted, &made, sizeof(made));
	stage_held(stage, &made);
	return made;
}

static uint16_t port_of(const struct made *made)
{
	return ntohs(made->local.ss_family == AF_INET
			     ? ((const struct sockaddr_in *)&made->local)->sin_port
			     : ((const struct sockaddr_in6 *)&made->local)->sin6_port);
}

static void say(struct stage *stage, uint16_t port, const pid_t *pids, size_t n)
{
	json_uint(&stage->keys, "port", port);
	json_pids(&stage->keys, "pids", pids, n);
}

/* Two listeners of two processes on one number. Another program may have the number in the second
 * one's place: that is a failure, seldom, and not waited out. */
static void two(struct stage *stage, struct wanted first, struct wanted second)
{
	first.port = stage_number(stage, "port");
	struct made a = owner_start(stage, first);
	second.port = port_of(&a);
	struct made b = owner_start(stage, second);
	say(stage, second.port, (pid_t[]){a.pid, b.pid}, 2);
}

static void run_two_owners(struct stage *stage)
{
	two(stage, (struct wanted){.role = "ipv4", .address = "127.0.0.1", .v6only = -1},
	    (struct wanted){.role = "ipv6", .address = "::1", .v6only = -1});
}

static void run_v6only_pair(struct stage *stage)
{
	struct made a, b;
	struct wanted v4 = {.role = "ipv4",
			    .address = "0.0.0.0",
			    .port = stage_number(stage, "port"),
			    .v6only = -1};
	struct wanted v6 = {.role = "ipv6", .address = "::", .v6only = 1};
	int fds[2] = {wanted_make(&v4), -1};

	v6.port = socket_port(fds[0]);
	fds[1] = wanted_make(&v6);
	made_look(&a, v4.role, fds[0]);
	made_look(&b, v6.role, fds[1]);
	stage_held(stage, &a);
	stage_held(stage, &b);
	if (stage_number(stage, "answer"))
		for (int i = 0; i < 2; i++)
			stage_answer(stage, fds[i]);
	say(stage, v6.port, (pid_t[]){getpid()}, 1);
}

static void run_dual_stack(struct stage *stage)
{
	struct made made;
	struct wanted wanted = {
		.role = "listener", .address = "::", .port = stage_number(stage, "port")};
	int fd = wanted_make(&wanted);

	made_look(&made, wanted.role, fd);
	stage_held(stage, &made);
	if (stage_number(stage, "answer"))
		stage_answer(stage, fd);
	json_uint(&stage->keys, "inode", made.inode);
	say(stage, socket_port(fd), (pid_t[]){getpid()}, 1);
}

static void run_two_netns(struct stage *stage)
{
	two(stage,
	    (struct wanted){
		    .role = "first", .address = "127.0.0.1", .v6only = -1, .own_netns = true},
	    (struct wanted){
		    .role = "second", .address = "127.0.0.1", .v6only = -1, .own_netns = true});
}

static void run_any_and_one(struct stage *stage)
{
	two(stage,
	    (struct wanted){.role = "any", .address = "0.0.0.0", .v6only = -1, .reuseport = true},
	    (struct wanted){
		    .role = "one", .address = "127.0.0.1", .v6only = -1, .reuseport = true});
}

static const struct option group_options[] = {
	{"port", "N", "0", "0: the kernel chooses"},
	{"address", "ADDRESS", "127.0.0.1", "where"},
	{"count", "N", "4", "processes, each with a socket of its own"},
	{"udp", "0|1", "0", "UDP"},
	{"answer", "0|1", "0", "tell each client the pid that got it"},
	{0},
};

static void run_group(struct stage *stage)
{
	pid_t pids[GROUP_MAX];
	size_t n = stage_number(stage, "count");
	struct wanted wanted = {
		.role = "member",
		.address = stage_word(stage, "address"),
		.port = stage_number(stage, "port"),
		.v6only = -1,
		.reuseport = true,
		.udp = stage_number(stage, "udp"),
	};

	errno = E2BIG;
	if (n > GROUP_MAX)
		fail("%zu processes", n);
	for (size_t i = 0; i < n; i++) {
		struct made made = owner_start(stage, wanted);
		pids[i] = made.pid;
		wanted.port = port_of(&made);
	}
	say(stage, wanted.port, pids, n);
}

const struct scene scene_reuseport_group = {
	.name = "reuseport-group",
	.summary = "processes with a socket each on one address and port",
	.options = group_options,
	.run = run_group,
};

const struct scene scene_same_port_two_netns = {
	.name = "same-port-two-netns",
	.summary = "127.0.0.1 and one number in two network namespaces",
	.options = options,
	.run = run_two_netns,
};

const struct scene scene_dual_stack = {
	.name = "dual-stack",
	.summary = "a listener on :: that takes IPv4 too",
	.options = options,
	.run = run_dual_stack,
};

const struct scene scene_v6only_pair = {
	.name = "v6only-pair",
	.summary = "0.0.0.0 and :: with V6ONLY on one number, in one process",
	.options = options,
	.run = run_v6only_pair,
};

const struct scene scene_two_owners = {
	.name = "two-owners",
	.summary = "127.0.0.1 of one process, ::1 of another, on one number",
	.options = options,
	.run = run_two_owners,
};

const struct scene scene_any_and_one = {
	.name = "any-and-one",
	.summary = "0.0.0.0 of one process, 127.0.0.1 of another, on one number",
	.options = options,
	.run = run_any_and_one,
};
