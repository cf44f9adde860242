/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets whose place is unusual: bound to an interface, link-local, v4-mapped, bound and no more.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "sockets.h"
#include "stage.h"

static void say(struct stage *stage, const char *role, int fd)
{
	struct made made;

	made_look(&made, role, fd);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(fd));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
}

static const struct option interface_options[] = {
	{"interface", "NAME", "lo", "of SO_BINDTODEVICE"},
	{"address", "ADDRESS", "0.0.0.0", "where"},
	{"port", "N", "0", "0: the kernel chooses"},
	{0},
};

static void run_interface(struct stage *stage)
{
	const char *name = stage_word(stage, "interface");
	struct address address =
		address_of(stage_word(stage, "address"), stage_number(stage, "port"));
	int fd = socket_new(address.storage.ss_family, SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name)) < 0)
		fail("bind to the interface %s", name);
	socket_bind(fd, address);
	if (listen(fd, 128) < 0)
		fail("listen");
	say(stage, "listener", fd);
	json_string(&stage->keys, "interface", name);
	json_uint(&stage->keys, "interface_index", if_nametoindex(name));
}

/* A veth pair in a namespace of its own (--own-netns 1), so that no address of the host is touched.
 */
static void run_link_local(struct stage *stage)
{
	run_program((const char *const[]){"ip", "link", "add", "door0", "type", "veth", "peer",
					  "name", "door1", NULL});
	run_program((const char *const[]){"ip", "addr", "add", "fe80::d00/64", "dev", "door0",
					  "nodad", NULL});
	run_program((const char *const[]){"ip", "link", "set", "door0", "up", NULL});
	run_program((const char *const[]){"ip", "link", "set", "door1", "up", NULL});
	int fd = socket_listen("fe80::d00%door0", 0, 128);
	say(stage, "listener", fd);
	json_string(&stage->keys, "address", "fe80::d00");
	json_string(&stage->keys, "interface", "door0");
}

/* An AF_INET6 socket that listens on an IPv4 address, and a connection through it. */
static void run_mapped(struct stage *stage)
{
	struct made made;
	int fd = socket_new(AF_INET6, SOCK_STREAM, 0);

	socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	socket_bind(fd, address_of("::ffff:127.0.0.1", 0));
	if (listen(fd, 128) < 0)
		fail("listen");
	int client = socket_connect(address_of("127.0.0.1", socket_port(fd)));
	int server = socket_accept(fd);
	socket_reset_on_close(client);
	socket_reset_on_close(server);
	made_look(&made, "client", client);
	stage_held(stage, &made);
	made_look(&made, "server", server);
	stage_held(stage, &made);
	say(stage, "listener", fd);
}

static const struct option bound_options[] = {
	{"address", "ADDRESS", "127.0.0.1", "where"},
	{"port", "N", "0", "0: the kernel chooses"},
	{"reuseaddr", "0|1", "0", "SO_REUSEADDR"},
	{0},
};

static void run_bound(struct stage *stage)
{
	struct address address =
		address_of(stage_word(stage, "address"), stage_number(stage, "port"));
	int fd = socket_new(address.storage.ss_family, SOCK_STREAM, 0);

	socket_set(fd, SOL_SOCKET, SO_REUSEADDR, stage_number(stage, "reuseaddr"));
	socket_bind(fd, address);
	say(stage, "bound", fd);
}

const struct scene scene_interface_bound = {
	.name = "interface-bound",
	.summary = "a listener that hears one interface only",
	.options = interface_options,
	.run = run_interface,
};

const struct scene scene_link_local = {
	.name = "link-local",
	.summary = "a listener on a link-local address (with --own-netns 1)",
	.run = run_link_local,
};

const struct scene scene_mapped = {
	.name = "mapped",
	.summary = "an AF_INET6 listener on ::ffff:127.0.0.1 and a connection to it",
	.run = run_mapped,
};

const struct scene scene_tcp_bound = {
	.name = "tcp-bound",
	.summary = "a TCP socket that is bound, and neither listens nor is connected",
	.options = bound_options,
	.run = run_bound,
};
