/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid-namespace: a holder whose own number for itself is 1, with a /proc that shows its namespace
 * only. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

static void be_first(struct stage *stage, void *arg, void *report)
{
	(void)stage;
	close(*(int *)arg); /* inherited: the outer one alone is to hold it */
	errno = ECHILD;
	if (getpid() != 1)
		fail("be the first of a pid namespace");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		fail("mount a /proc of its own");
	made_look(report, "inner", socket_listen("127.0.0.1", 0, 16));
}

static void run(struct stage *stage)
{
	struct made inner, outer;
	int fd = socket_listen("127.0.0.1", 0, 16); /* what the inner ones cannot look at */

	if (unshare(CLONE_NEWPID) < 0)
		fail("make a pid namespace");
	pid_t pid = child_start(stage, be_first, &fd, &inner, sizeof(inner));
	inner.pid = pid;
	made_look(&outer, "outer", fd);
	stage_held(stage, &inner);
	stage_held(stage, &outer);
	json_uint(&stage->keys, "port", ntohs(((struct sockaddr_in *)&inner.local)->sin_port));
	json_uint(&stage->keys, "outer_port", socket_port(fd));
	json_uint(&stage->keys, "inode", inner.inode);
	json_uint(&stage->keys, "pid", (uint64_t)pid);
	json_uint(&stage->keys, "inner_pid", 1);
}

const struct scene scene_pid_namespace = {
	.name = "pid-namespace",
	.summary = "a listener of a process in another pid namespace",
	.run = run,
};
