/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scene leaves on the stage, how it stays, how it ends. */
#include "stage.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets.h"

struct undo {
	struct undo *next;
	void (*act)(const char *arg);
	char arg[];
};

/* What a system without the facility, or a user without the right, is told. */
static bool is_refusal(int error)
{
	static const int refusals[] = {EPERM,		EACCES,	      ENOSYS,	       EOPNOTSUPP,
				       EPROTONOSUPPORT, EAFNOSUPPORT, ESOCKTNOSUPPORT, ENOPROTOOPT};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i] == error)
			return true;
	return false;
}

void fail(const char *what, ...)
{
	int error = errno;
	va_list args;

	va_start(args, what);
	fputs("scene: ", stderr);
	vfprintf(stderr, what, args);
	fprintf(stderr, ": %s\n", strerror(error));
	va_end(args);
	exit(is_refusal(error) ? 77 : 3);
}

const char *stage_word(const struct stage *stage, const char *option)
{
	for (size_t i = 0; i < stage->n_given; i++)
		if (strcmp(stage->given[i]->name, option) == 0)
			return stage->values[i];
	for (const struct option *o = stage->scene->options; o && o->name; o++)
		if (strcmp(o->name, option) == 0)
			return o->standard;
	return NULL;
}

uint64_t stage_number(const struct stage *stage, const char *option)
{
	const char *text = stage_word(stage, option);
	char *end = NULL;

	if (!text)
		return 0;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || end == text || *end) {
		errno = EINVAL;
		fail("--%s %s", option, text);
	}
	return value;
}

bool stage_is(const struct stage *stage, const char *option, const char *word)
{
	const char *text = stage_word(stage, option);

	return text && strcmp(text, word) == 0;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET
			     ? ((const struct sockaddr_in *)address)->sin_port
			     : ((const struct sockaddr_in6 *)address)->sin6_port);
}

void stage_made(struct stage *stage, const struct made *made, const pid_t *pids, size_t n)
{
	struct json *json = &stage->sockets;

	json_open(json, NULL, '{');
	json_string(json, "role", made->role);
	json_string(json, "proto", socket_proto_word(made->protocol));
	json_string(json, "family", made->local.ss_family == AF_INET ? "ipv4" : "ipv6");
	json_address(json, "local_address", &made->local);
	json_uint(json, "local_port", port_of(&made->local));
	json_address(json, "peer_address", &made->peer);
	json_uint(json, "peer_port", made->peer.ss_family ? port_of(&made->peer) : 0);
	json_string(json, "state", made->state[0] ? made->state : NULL);
	json_uint(json, "inode", made->inode);
	json_uint(json, "cookie", made->cookie);
	json_uint(json, "netns", made->netns);
	json_uint(json, "uid", made->uid);
	json_uint(json, "fd", made->fd >= 0 ? (uint64_t)made->fd : 0);
	if (made->tid)
		json_uint(json, "tid", (uint64_t)made->tid);
	json_pids(json, "pids", pids, n);
	json_close(json, '}');
}

void stage_held(struct stage *stage, const struct made *made)
{
	stage_made(stage, made, &made->pid, made->pid ? 1 : 0);
}

void stage_undo(struct stage *stage, void (*act)(const char *arg), const char *arg)
{
	size_t size = strlen(arg) + 1;
	struct undo *undo = malloc(sizeof(*undo) + size);

	if (!undo)
		fail("memory");
	memcpy(undo->arg, arg, size);
	undo->act = act;
	undo->next = stage->undo;
	stage->undo = undo;
}

void stage_end(int status, void *arg)
{
	struct stage *stage = arg;

	(void)status;
	if (getpid() != stage->pid)
		return;
	for (size_t i = 0; i < stage->n_children; i++)
		kill(stage->children[i], SIGKILL);
	for (size_t i = 0; i < stage->n_children; i++)
		while (waitpid(stage->children[i], NULL, 0) < 0 && errno == EINTR)
			;
	stage->n_children = 0;
	for (struct undo *undo = stage->undo, *next; undo; undo = next) {
		next = undo->next;
		undo->act(undo->arg);
		free(undo);
	}
	stage->undo = NULL;
	json_done(&stage->keys);
	json_done(&stage->sockets);
	free(stage->children);
	free(stage->answering);
}

void stage_answer(struct stage *stage, int fd)
{
	stage->answering = realloc(stage->answering, (stage->n_answering + 1) * sizeof(int));
	if (!stage->answering)
		fail("memory");
	stage->answering[stage->n_answering++] = fd;
}

/* Waits on @extra and on the sockets that answer. Returns when one of @extra has something. */
static void wait_and_answer(struct stage *stage, const int *extra, size_t n_extra)
{
	struct pollfd polls[64];
	size_t n = 0;

	for (size_t i = 0; i < n_extra; i++)
		polls[n++] = (struct pollfd){.fd = extra[i], .events = POLLIN};
	for (size_t i = 0; i < stage->n_answering && n < 64; i++)
		polls[n++] = (struct pollfd){.fd = stage->answering[i], .events = POLLIN};

	for (;;) {
		if (poll(polls, n, -1) < 0 && errno != EINTR)
			fail("wait");
		for (size_t i = n_extra; i < n; i++)
			if (polls[i].revents)
				socket_answer(polls[i].fd);
		for (size_t i = 0; i < n_extra; i++)
			if (polls[i].revents)
				return;
	}
}

void hold_for_ever(struct stage *stage)
{
	for (;;) {
		if (stage->n_answering)
			wait_and_answer(stage, NULL, 0);
		else
			pause();
	}
}

static void print_line(struct stage *stage)
{
	fflush(stage->keys.file);
	fflush(stage->sockets.file);
	printf("{%s%s\"sockets\":[%s]}\n", stage->keys.text, stage->keys.size ? "," : "",
	       stage->sockets.text);
	if (fflush(stdout) != 0)
		fail("say what was made");
}

void stage_stay(struct stage *stage)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int ends[2] = {STDIN_FILENO, signalfd(-1, &signals, SFD_CLOEXEC)};
	if (ends[1] < 0)
		fail("make a signalfd");

	print_line(stage);
	for (;;) {
		char byte;
		struct pollfd told = {.fd = ends[1], .events = POLLIN};

		wait_and_answer(stage, ends, 2);
		if (poll(&told, 1, 0) > 0)
			break;
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			break;
	}
	close(ends[1]);
}
