/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes and goes while somebody looks: processes (exits-during-walk) and connections (churn).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"
#include "sockets.h"
#include "stage.h"

static bool is_over(const struct timespec *start, uint64_t seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - start->tv_sec) >= seconds;
}

static const struct option walk_options[] = {
	{"together", "N", "20", "processes that live at one time"},
	{"seconds", "N", "60", "how long this goes on"},
	{0},
};

/* A process that lives a few milliseconds with the inherited listener and one of its own. */
static pid_t short_lived(unsigned life)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	int own = socket(AF_INET, SOCK_STREAM, 0);
	if (own >= 0)
		listen(own, 1);
	for (unsigned i = 0; i < life; i++)
		pause_shortly();
	_exit(0);
}

static void fork_on(struct stage *stage, void *arg, void *report)
{
	struct timespec start;
	unsigned life = 0;

	(void)arg;
	made_look(report, "listener", socket_listen("127.0.0.1", 0, 16));
	uint64_t together = stage_number(stage, "together");
	errno = E2BIG;
	if (together > 200)
		fail("%ju processes", (uintmax_t)together);
	for (uint64_t i = 0; i < together; i++)
		short_lived(1 + life++ % 5);
	child_ready(stage, report, sizeof(struct made));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!is_over(&start, stage_number(stage, "seconds")))
		if (wait(NULL) > 0)
			short_lived(1 + life++ % 5);
	while (wait(NULL) > 0)
		;
}

static void run_walk(struct stage *stage)
{
	struct made made;

	child_start(stage, fork_on, NULL, &made, sizeof(made));
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", ntohs(((const struct sockaddr_in *)&made.local)->sin_port));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
}

#define LASTING_MAX 10000
#define TOGETHER_MAX 2000

static const struct option churn_options[] = {
	{"lasting", "N", "1600", "sockets that stay, both ends of N/2 connections"},
	{"together", "N", "400", "connections that come and go at once"},
	{"buckets", "N", "64", "tcp_child_ehash_entries"},
	{"seconds", "N", "120", "how long this goes on"},
	{0},
};

/* The size of a namespace's hash table is read in the one that it is made from. */
static void netns_of_buckets(const char *buckets)
{
	netns_new();
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_child_ehash_entries", "w");
	if (!file || fputs(buckets, file) < 0 || fclose(file) != 0)
		fail("set tcp_child_ehash_entries");
	netns_new();
}

static void come_and_go(struct stage *stage, void *arg, void *report)
{
	int listener = *(int *)arg, clients[TOGETHER_MAX], servers[TOGETHER_MAX];
	size_t n = stage_number(stage, "together");
	struct address to = socket_local(listener);
	struct timespec start;

	(void)report;
	errno = E2BIG;
	if (n > TOGETHER_MAX)
		fail("%zu connections", n);
	close_others((int[]){listener, stage->ready}, 2);
	setpriority(PRIO_PROCESS, 0, 5); /* whoever looks comes first */
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!is_over(&start, stage_number(stage, "seconds"))) {
		for (size_t i = 0; i < n; i++) {
			clients[i] = socket_connect(to);
			servers[i] = socket_accept(listener);
			socket_reset_on_close(clients[i]);
		}
		child_ready(stage, NULL, 0);
		for (size_t i = 0; i < n; i++) {
			close(clients[i]);
			close(servers[i]);
		}
	}
}

static void run_churn(struct stage *stage)
{
	struct made made;
	size_t n = stage_number(stage, "lasting") / 2;

	errno = E2BIG;
	if (n > LASTING_MAX / 2)
		fail("%zu connections", n);
	netns_of_buckets(stage_word(stage, "buckets"));
	int listener = socket_listen("127.0.0.1", 0, 4096),
	    passing = socket_listen("127.0.0.2", 0, 4096);
	made_look(&made, "listener", listener);
	json_uint(&stage->keys, "port", socket_port(listener));
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
	json_uint(&stage->keys, "own_netns", made.netns);
	json_open(&stage->keys, "lasting", '[');
	json_uint(&stage->keys, NULL, made.inode);
	for (size_t i = 0; i < n; i++) {
		int ends[2] = {socket_connect(socket_local(listener)), socket_accept(listener)};
		for (int j = 0; j < 2; j++) {
			socket_reset_on_close(ends[j]);
			made_look(&made, "lasting", ends[j]);
			json_uint(&stage->keys, NULL, made.inode);
		}
	}
	json_close(&stage->keys, ']');
	child_start(stage, come_and_go, &passing, NULL, 0);
	close(passing);
}

const struct scene scene_exits_during_walk = {
	.name = "exits-during-walk",
	.summary = "a listener whose process forks short-lived holders without end",
	.options = walk_options,
	.run = run_walk,
};

const struct scene scene_churn = {
	.name = "churn",
	.summary = "connections that come and go in few hash buckets while others stay",
	.options = churn_options,
	.run = run_churn,
};
