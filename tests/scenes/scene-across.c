/* SPDX-License-Identifier: GPL-2.0-or-later */
/* across-netns: a connection whose two ends are in two network namespaces, joined by a veth pair.
 */
#include <stdio.h>
#include <unistd.h>

#include "netns.h"
#include "sockets.h"
#include "stage.h"

static void link_up(const char *device, const char *address)
{
	run_program((const char *const[]){"ip", "addr", "add", address, "dev", device, NULL});
	run_program((const char *const[]){"ip", "link", "set", device, "up", NULL});
}

/* Two namespaces and the link between them; we end in the second. */
static void make_two(int *first, int *second)
{
	char path[64];

	netns_new();
	*first = netns_open();
	netns_new();
	*second = netns_open();
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), *second);
	netns_enter(*first);
	run_program((const char *const[]){"ip", "link", "add", "door0", "type", "veth", "peer",
					  "name", "door1", "netns", path, NULL});
	link_up("door0", "10.99.0.1/24");
	netns_enter(*second);
	link_up("door1", "10.99.0.2/24");
}

/* Called in the namespace that the holder is to be in. */
static pid_t give(struct stage *stage, const char *role, int fd)
{
	struct made made;

	made_look(&made, role, fd);
	made.pid = child_hold(stage, &fd, 1);
	stage_held(stage, &made);
	close(fd);
	return made.pid;
}

static void run(struct stage *stage)
{
	int home = netns_open(), first, second;

	make_two(&first, &second);
	netns_enter(first);
	int listener = socket_listen("10.99.0.1", 0, 16);
	netns_enter(second);
	int client = socket_connect(socket_local(listener));
	netns_enter(first);
	int server = socket_accept(listener);
	socket_reset_on_close(client);
	socket_reset_on_close(server);

	json_uint(&stage->keys, "port", socket_port(listener));
	json_uint(&stage->keys, "server_pid", (uint64_t)give(stage, "server", server));
	json_uint(&stage->keys, "listener_pid", (uint64_t)give(stage, "listener", listener));
	netns_enter(second);
	json_uint(&stage->keys, "client_pid", (uint64_t)give(stage, "client", client));
	netns_enter(home);
	close(home);
	close(first);
	close(second);
}

const struct scene scene_across_netns = {
	.name = "across-netns",
	.summary = "a connection between two network namespaces",
	.run = run,
};
