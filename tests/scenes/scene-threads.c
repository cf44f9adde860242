/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that hold what their process does not show: one that outlives its leader, one with a
 * table of its own. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

struct thread {
	struct stage *stage;
	struct made *made;
	bool own_table;
	pthread_barrier_t *met; /* NULL: the leader does not wait for us */
};

static void *hold(void *arg)
{
	struct thread *thread = arg;

	if (thread->own_table && unshare(CLONE_FILES) < 0)
		fail("leave the table of descriptors");
	made_look(thread->made, "listener", socket_listen("127.0.0.1", 0, 16));
	thread->made->tid = gettid();
	if (thread->met) {
		pthread_barrier_wait(thread->met);
	} else {
		/* The leader ends first; that is what is waited for: Z in field 3 of
		 * /proc/PID/stat. */
		char stat[256] = "";
		for (int i = 0; i < 5000 && !strstr(stat, ") Z "); i++) {
			FILE *file = fopen("/proc/self/stat", "r");
			if (file && !fgets(stat, sizeof(stat), file))
				stat[0] = '\0';
			if (file)
				fclose(file);
			pause_shortly();
		}
		child_ready(thread->stage, thread->made, sizeof(*thread->made));
	}
	for (;;)
		pause();
}

static void start(struct thread *thread)
{
	pthread_t id;

	errno = pthread_create(&id, NULL, hold, thread);
	if (errno)
		fail("start a thread");
}

static void lose_leader(struct stage *stage, void *arg, void *report)
{
	static struct thread thread; /* the leader's stack stays, but let no one wonder */

	(void)arg;
	thread = (struct thread){.stage = stage, .made = report};
	start(&thread);
	syscall(SYS_exit, 0); /* this thread only */
}

static void split_table(struct stage *stage, void *arg, void *report)
{
	static pthread_barrier_t met; /* the thread may look at it after we have left it */
	static struct thread thread;

	(void)arg;
	thread = (struct thread){.stage = stage, .made = report, .own_table = true, .met = &met};
	pthread_barrier_init(&met, NULL, 2);
	start(&thread);
	pthread_barrier_wait(&met);
}

static void say(struct stage *stage, const struct made *made)
{
	stage_held(stage, made);
	json_uint(&stage->keys, "port",
		  ntohs(((const struct sockaddr_in *)&made->local)->sin_port));
	json_uint(&stage->keys, "inode", made->inode);
	json_uint(&stage->keys, "pid", (uint64_t)made->pid);
	json_uint(&stage->keys, "tid", (uint64_t)made->tid);
}

static void run_leader_gone(struct stage *stage)
{
	struct made made;

	child_start(stage, lose_leader, NULL, &made, sizeof(made));
	say(stage, &made);
}

static void run_own_table(struct stage *stage)
{
	struct made made;

	child_start(stage, split_table, NULL, &made, sizeof(made));
	say(stage, &made);
}

const struct scene scene_leader_gone = {
	.name = "leader-gone",
	.summary = "a listener of a thread whose leader has ended",
	.run = run_leader_gone,
};

const struct scene scene_own_table_thread = {
	.name = "own-table-thread",
	.summary = "a listener of a thread with a table of descriptors of its own",
	.run = run_own_table,
};
