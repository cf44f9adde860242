/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces that no process is in: held by a socket, a descriptor, a mount; and one that
 * has a name.
 *
 * What is inside: a listener whose holder is in the first namespace (`listener`), or what no
 * process holds at all, a connection in TIME_WAIT (`time-wait`), so that nothing but the namespace
 * itself leads there. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "diag.h"
#include "netns.h"
#include "sockets.h"
#include "stage.h"

static const struct option options[] = {
	{"inside", "listener|time-wait", "time-wait", "what is there"},
	{0},
};

/* Called inside. */
static int make_inside(const struct stage *stage, struct made *ret)
{
	int listener = socket_listen("127.0.0.1", 0, 16);

	if (stage_is(stage, "inside", "listener")) {
		made_look(ret, "listener", listener);
		return listener;
	}
	int client = socket_connect(socket_local(listener)), server = socket_accept(listener);
	made_look(ret, "client", client);
	close(client);
	close(server);
	close(listener);
	for (int i = 0; i < 5000 && diag_state(ret) != TCP_TIME_WAIT; i++)
		pause_shortly();
	errno = ETIMEDOUT;
	if (diag_state(ret) != TCP_TIME_WAIT)
		fail("wait for TIME_WAIT");
	snprintf(ret->state, sizeof(ret->state), "TIME_WAIT");
	ret->pid = 0;
	ret->inode = 0;
	ret->cookie = 0;
	return -1;
}

static void say(struct stage *stage, const struct made *made, pid_t pid)
{
	stage_held(stage, made);
	json_uint(&stage->keys, "own_netns", made->netns);
	json_uint(&stage->keys, "inode", made->inode);
	json_uint(&stage->keys, "port",
		  ntohs(((const struct sockaddr_in *)&made->local)->sin_port));
	json_uint(&stage->keys, "pid", (uint64_t)pid);
}

static void run_by_socket(struct stage *stage)
{
	struct made made;
	int home = netns_open();

	netns_new();
	int fd = socket_listen("127.0.0.1", 0, 16);
	made_look(&made, "listener", fd);
	netns_enter(home);
	close(home);
	say(stage, &made, getpid());
}

static void run_by_fd(struct stage *stage)
{
	struct made made;
	int home = netns_open();

	netns_new();
	int held = netns_open();
	make_inside(stage, &made);
	netns_enter(home);
	close(home);
	say(stage, &made, getpid());
	json_uint(&stage->keys, "netns_fd", (uint64_t)held);
}

/* The child has a mount namespace of its own, and is itself in the first network namespace. */
static void hold_by_mount(struct stage *stage, void *arg, void *report)
{
	int home = netns_open();

	(void)arg;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("make a mount namespace");
	if (mount("door", "/mnt", "tmpfs", 0, "size=64k") < 0)
		fail("mount a tmpfs");
	int file = open("/mnt/inner", O_CREAT | O_CLOEXEC, 0444);
	if (file < 0)
		fail("make a file");
	close(file);
	netns_new();
	make_inside(stage, report);
	if (mount("/proc/thread-self/ns/net", "/mnt/inner", NULL, MS_BIND, NULL) < 0)
		fail("mount the namespace");
	netns_enter(home);
	close(home);
}

static void run_by_mount(struct stage *stage)
{
	struct made made;
	pid_t pid = child_start(stage, hold_by_mount, NULL, &made, sizeof(made));

	say(stage, &made, pid);
}

static void delete_netns(const char *name)
{
	run_program((const char *const[]){"ip", "netns", "del", name, NULL});
}

static void run_named(struct stage *stage)
{
	struct made made;
	char name[32], path[64];
	int home = netns_open();

	snprintf(name, sizeof(name), "scene-%d", (int)getpid());
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	run_program((const char *const[]){"ip", "netns", "add", name, NULL});
	stage_undo(stage, delete_netns, name);
	int inner = open(path, O_RDONLY | O_CLOEXEC);
	if (inner < 0)
		fail("open %s", path);
	netns_enter(inner);
	close(inner);
	run_program((const char *const[]){"ip", "link", "set", "lo", "up", NULL});
	make_inside(stage, &made);
	netns_enter(home);
	close(home);
	say(stage, &made, getpid());
	json_string(&stage->keys, "netns_name", name);
}

const struct scene scene_netns_by_socket = {
	.name = "netns-by-socket",
	.summary = "a network namespace that only a socket keeps",
	.run = run_by_socket,
};

const struct scene scene_netns_by_fd = {
	.name = "netns-by-fd",
	.summary = "a network namespace that only a descriptor keeps",
	.options = options,
	.run = run_by_fd,
};

const struct scene scene_netns_by_mount = {
	.name = "netns-by-mount",
	.summary = "a network namespace that only a private mount keeps",
	.options = options,
	.run = run_by_mount,
};

const struct scene scene_netns_named = {
	.name = "netns-named",
	.summary = "a network namespace as `ip netns add` makes it",
	.options = options,
	.run = run_named,
};
