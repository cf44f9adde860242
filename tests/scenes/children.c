/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes of a scene: started and awaited, never outliving it. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void put_all(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)bytes + done, size - done);
		if (n < 0 && errno != EINTR)
			fail("tell the parent");
		done += n > 0 ? (size_t)n : 0;
	}
}

static bool get_all(int fd, void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)bytes + done, size - done);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

void child_ready(struct stage *stage, const void *report, size_t size)
{
	if (stage->ready < 0)
		return;
	put_all(stage->ready, report, size);
	put_all(stage->ready, "!", 1);
	close(stage->ready);
	stage->ready = -1;
}

static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && getppid() != 0) /* 0: the parent is outside our pid namespace */
		_exit(3);
}

static _Noreturn void be_child(struct stage *stage, pid_t parent, int ready,
			       void (*act)(struct stage *, void *, void *), void *arg, void *report,
			       size_t size)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	die_with(parent);

	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);

	stage->ready = ready;
	stage->n_children = 0;
	stage->n_answering = 0;
	act(stage, arg, report);
	child_ready(stage, report, size);
	hold_for_ever(stage);
}

static void remember(struct stage *stage, pid_t pid)
{
	if (stage->n_children == stage->children_size) {
		stage->children_size = stage->children_size ? 2 * stage->children_size : 16;
		stage->children = realloc(stage->children, stage->children_size * sizeof(pid_t));
		if (!stage->children)
			fail("memory for the children");
	}
	stage->children[stage->n_children++] = pid;
}

pid_t child_start(struct stage *stage, void (*act)(struct stage *, void *, void *), void *arg,
		  void *report, size_t size)
{
	int ends[2];
	char mark;

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("make a pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		fail("start a process");
	if (pid == 0) {
		close(ends[0]);
		be_child(stage, parent, ends[1], act, arg, report, size);
	}
	close(ends[1]);
	remember(stage, pid);
	bool came = get_all(ends[0], report, size) && get_all(ends[0], &mark, 1);
	close(ends[0]);
	if (!came) { /* it said why; its status is ours */
		int status = 0;
		waitpid(pid, &status, 0);
		child_forget(stage, pid);
		exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 3);
	}
	return pid;
}

void child_forget(struct stage *stage, pid_t pid)
{
	for (size_t i = 0; i < stage->n_children; i++)
		if (stage->children[i] == pid)
			stage->children[i] = stage->children[--stage->n_children];
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void close_others(const int *keep, size_t n)
{
	int sorted[32], from = STDERR_FILENO + 1;

	if (n > sizeof(sorted) / sizeof(sorted[0])) {
		errno = EINVAL;
		fail("keep %zu descriptors", n);
	}
	memcpy(sorted, keep, n * sizeof(int));
	qsort(sorted, n, sizeof(int), by_number);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] > from)
			close_range((unsigned)from, (unsigned)sorted[i] - 1, 0);
		if (sorted[i] >= from)
			from = sorted[i] + 1;
	}
	close_range((unsigned)from, ~0U, 0);
}

struct kept {
	const int *fds;
	size_t n;
};

static void hold(struct stage *stage, void *arg, void *report)
{
	const struct kept *kept = arg;
	int keep[32];

	(void)report;
	memcpy(keep, kept->fds, kept->n * sizeof(int));
	keep[kept->n] = stage->ready;
	close_others(keep, kept->n + 1);
	if (stage_number(stage, "answer"))
		for (size_t i = 0; i < kept->n; i++)
			stage_answer(stage, kept->fds[i]);
}

pid_t child_hold(struct stage *stage, const int *fds, size_t n)
{
	struct kept kept = {fds, n};

	if (n >= 32) {
		errno = EINVAL;
		fail("hold %zu descriptors", n);
	}
	return child_start(stage, hold, &kept, NULL, 0);
}

void run_program(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	sigset_t none;
	posix_spawnattr_t how;
	pid_t pid;
	int status;

	sigemptyset(&none);
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	errno = posix_spawnp(&pid, argv[0], &actions, &how, (char *const *)argv, environ);
	if (errno)
		fail("run %s", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&how);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("wait for %s", argv[0]);
	if (status != 0) {
		errno = EIO;
		fail("%s %s %s", argv[0], argv[1] ? argv[1] : "",
		     argv[1] && argv[2] ? argv[2] : "");
	}
}

/* As a program started by that user would be: its /proc files are its own. */
void become(uint64_t uid)
{
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		fail("become uid %ju", (uintmax_t)uid);
	prctl(PR_SET_DUMPABLE, 1);
}

void exec_self_as(struct stage *stage, const char *path, const char *argv0)
{
	char own[4096];
	sigset_t none;

	if (strcmp(stage->argv[0], argv0) == 0)
		return;
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (n < 0)
		fail("find the program");
	own[n] = '\0';
	stage->argv[0] = (char *)argv0;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(path ? path : own, stage->argv);
	fail("start %s", path ? path : own);
}
