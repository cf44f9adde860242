/* A process that starts commands. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"
#include "cmd/starter.h"

#define OWN_MOST 4096 /* variables of our own environment that a command gets */
#define GIVEN_MOST 128

enum answer { ANSWER_STARTED, ANSWER_FULL, ANSWER_FAILED };

struct running {
	pid_t pids[STARTER_MOST];
	unsigned n;
};

static void reap(struct running *running)
{
	for (unsigned i = 0; i < running->n;) {
		pid_t pid = waitpid(running->pids[i], NULL, WNOHANG);
		if (pid == 0)
			i++;
		else
			running->pids[i] = running->pids[--running->n];
	}
}

/* Our environment without variables of that name, and what was given. */
static char **merge(char *given, size_t n)
{
	char **merged = calloc(OWN_MOST + GIVEN_MOST + 1, sizeof(*merged));
	unsigned count = 0;
	for (char **at = environ; merged && *at && count < OWN_MOST; at++)
		if (strncmp(*at, "DOORWARD_", 9) != 0)
			merged[count++] = *at;
	unsigned most = count + GIVEN_MOST;
	for (size_t i = 0; merged && i < n && count < most; i += strlen(given + i) + 1)
		merged[count++] = given + i;
	return merged;
}

static int spawn(const char *command, char **environment, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	char *const arguments[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
				   (char *)(uintptr_t)command, NULL};
	int r = -posix_spawn_file_actions_init(&actions);
	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r < 0) {
		posix_spawn_file_actions_destroy(&actions);
		return r;
	}
	sigemptyset(&none);
	sigfillset(&usual);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r >= 0)
		r = -posix_spawn(ret, "/bin/sh", &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static enum answer start_one(const char *command, struct running *running, char *given, size_t n)
{
	cleanup(freep) char **environment = NULL;
	reap(running);
	if (running->n == STARTER_MOST)
		return ANSWER_FULL;
	given[n] = '\0';
	environment = merge(given, n);
	if (!environment || spawn(command, environment, &running->pids[running->n]) < 0)
		return ANSWER_FAILED;
	running->n++;
	return ANSWER_STARTED;
}

static void be_starter(const char *command, int fd)
{
	static char given[STARTER_ENVIRONMENT_MAX + 1];
	struct running running = {.n = 0};
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	/* it ends with its socket; an interrupt is for who started us */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (;;) {
		if (poll(&ready, 1, running.n ? 100 : -1) == 0) {
			reap(&running);
			continue;
		}
		ssize_t n = recv(fd, given, STARTER_ENVIRONMENT_MAX, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		unsigned char answer =
			(unsigned char)start_one(command, &running, given, (size_t)n);
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

int starter_begin(const char *command, struct starter *ret, struct error *err)
{
	int ends[2];
	*ret = (struct starter){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, -errno, "start commands");
	ret->child = fork();
	if (ret->child == 0) {
		close(ends[0]);
		be_starter(command, ends[1]);
	}
	int r = -errno;
	close(ends[1]);
	ret->fd = ends[0];
	if (ret->child > 0)
		return 0;
	starter_end(ret);
	return error_set(err, r, "start commands");
}

/* It answers at once: neither waits for a command. */
static int ask(struct starter *starter, const char *bytes, size_t n)
{
	unsigned char answer;
	ssize_t got;
	if (starter->fd < 0)
		return -EPIPE;
	if (send(starter->fd, bytes, n, MSG_NOSIGNAL) < 0)
		return -errno;
	do
		got = recv(starter->fd, &answer, sizeof(answer), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(answer))
		return got < 0 ? -errno : -EPIPE;
	return answer;
}

int starter_start(struct starter *starter, const char *environment, size_t n)
{
	int answer = ask(starter, environment, n);
	if (answer == ANSWER_STARTED)
		starter->n_started++;
	else if (answer == ANSWER_FULL)
		starter->n_left_out++;
	else
		starter->n_failed++;
	return answer < 0 ? answer : answer != ANSWER_STARTED;
}

void starter_end(struct starter *starter)
{
	closep(&starter->fd);
	starter->fd = -1;
	if (starter->child > 0)
		while (waitpid(starter->child, NULL, 0) < 0 && errno == EINTR)
			;
	starter->child = 0;
}
