/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else the process of the echo server may have: threads, children, a filter. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void *wait_in_accept(void *arg)
{
	(void)arg;
	for (counters->ready++;;) {
		int fd = take();
		if (fd >= 0)
			serve((void *)(intptr_t)fd);
	}
	return NULL;
}

void *wait_in_epoll(void *arg)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0), own = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event);
	for (counters->ready++;;)
		is_good(epoll_wait(epoll, &event, 1, -1));
	return NULL;
}

/* With a table of its own, in which the listener stands as well. */
void *wait_apart(void *arg)
{
	(void)arg;
	if (unshare(CLONE_FILES) < 0)
		fail("leave the table of descriptors");
	return wait_in_accept(NULL);
}

static _Atomic int waiting; /* the thread of wait_closed */

static void *wait_closed(void *arg)
{
	(void)arg;
	waiting = gettid();
	for (is_good(accept(listener, NULL, NULL));;)
		pause();
	return NULL;
}

/* It is in accept(), as /proc shows it. */
static int is_waiting(void)
{
	char path[64];
	long call = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", waiting);
	file = fopen(path, "r");
	if (file && fscanf(file, "%ld", &call) != 1)
		call = -1;
	if (file)
		fclose(file);
	return call == SYS_accept;
}

/* A child in which a thread waits on a descriptor that another has closed. */
void fork_closed(void)
{
	uint64_t n_ready = counters->ready;
	pid_t child = fork();

	if (child < 0)
		fail("start a child");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		start_thread(wait_closed, NULL);
		while (!waiting || !is_waiting())
			sched_yield();
		close(listener);
		for (counters->ready++;;)
			pause();
	}
	while (counters->ready == n_ready)
		sched_yield();
}

void *beat(void *arg)
{
	uint64_t last = now_ns();

	(void)arg;
	for (counters->ready++;; counters->beats++) {
		struct timespec ms = {.tv_nsec = 1000000};
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL);
		uint64_t now = now_ns();
		if (now - last > counters->gap_ns)
			counters->gap_ns = now - last;
		last = now;
	}
	return NULL;
}

/* Whoever makes one of the calls that are no business of an echo server ends with the process. */
void filter_calls(void)
{
	static const int forbidden[] = {SYS_dup3,  SYS_socketpair, SYS_recvmsg, SYS_getsockopt,
					SYS_fcntl, SYS_mmap,	   SYS_munmap,	SYS_socket};
	enum { N = sizeof(forbidden) / sizeof(forbidden[0]) };
	struct sock_filter code[N + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.len = N + 3, .filter = code};

	for (unsigned i = 0; i < N; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (uint32_t)forbidden[i], N - i, 0);
	code[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		fail("filter system calls");
}

void on_signal(int number)
{
	(void)number;
	counters->beats++;
}

/* A thread that waits for its child to start another program, which it does not. */
void *wait_in_vfork(void *arg)
{
	(void)arg;
	counters->ready++;
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return NULL;
}

/* A descriptor that is left to the child of a fork, whose copy lives on. */
void *fork_often(void *arg)
{
	(void)arg;
	for (counters->ready++;;) {
		struct timespec ms = {.tv_nsec = 2000000};
		pid_t child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		nanosleep(&ms, NULL);
		if (counters->beats++ > 200)
			return NULL;
	}
}
