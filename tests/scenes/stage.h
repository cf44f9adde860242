/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stage: what each scene is given, and what it leaves on it for the one line of JSON.
 *
 * A scene makes real sockets, processes, namespaces; says what it made; stays until its standard
 * input ends or SIGTERM comes; then everything goes. It shares no code with the program under test.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

struct stage;

/* An option as typed: `--name VALUE`. @standard is its value when not given; NULL: none. */
struct option {
	const char *name, *argument, *standard, *help;
};

struct scene {
	const char *name, *summary;
	const struct option *options;	  /* ends with a nameless one; NULL: none */
	void (*run)(struct stage *stage); /* makes and describes; fail() when it cannot */
};

extern const struct scene *const scenes[]; /* ends with NULL */

struct json {
	FILE *file;
	char *text;
	size_t size;
	bool started; /* something stands before the next value in this object or list */
};

/* A socket as its maker sees it. Plain data, so a child can write it to its parent. */
struct made {
	char role[24];	/* "listener", "client", ... */
	char state[16]; /* as /proc/net/tcp means it: "LISTEN"; "" where it has none */
	struct sockaddr_storage local, peer; /* peer.ss_family is 0 where there is none */
	uint64_t cookie, netns;
	uint32_t inode, uid;
	int32_t fd, pid, tid; /* pid 0: no process holds it */
	int32_t protocol;     /* IPPROTO_TCP, ... */
};

#define LOOKUP_MAX 64 /* options given to one scene */

struct stage {
	pid_t pid; /* of the scene itself: a forked child must not take the stage down */
	const struct scene *scene;
	char **argv, **rest; /* as started; what stands after "--" */
	const struct option *given[LOOKUP_MAX];
	const char *values[LOOKUP_MAX];
	size_t n_given;
	struct json keys, sockets;
	pid_t *children;
	size_t n_children, children_size;
	int *answering;
	size_t n_answering;
	int ready; /* in a child: the pipe that tells the parent; else -1 */
	struct undo *undo;
};

/* Ends the scene: `scene: what: why`. Status 77 when the system lacks or refuses it (errno says
 * so), else 3. */
_Noreturn void fail(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* ---- options ---- */
const char *stage_word(const struct stage *stage, const char *option); /* NULL when not given */
uint64_t stage_number(const struct stage *stage, const char *option);  /* 0 when not given */
bool stage_is(const struct stage *stage, const char *option, const char *word);

/* ---- one line of JSON ---- */
void json_start(struct json *json);
void json_done(struct json *json);
void json_uint(struct json *json, const char *key, uint64_t value);	/* key NULL: in a list */
void json_string(struct json *json, const char *key, const char *text); /* UTF-8 only */
void json_hex(struct json *json, const char *key, const char *bytes, size_t size);
void json_address(struct json *json, const char *key, const struct sockaddr_storage *address);
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);		  /* '}' or ']' */
void json_pids(struct json *json, const char *key, const pid_t *pids, size_t n);

/* ---- what was made ---- */
void made_look(struct made *ret, const char *role, int fd); /* the calling thread holds it */
/* Adds a socket to the line. @pids: who holds it; n 0: nobody that we know. */
void stage_made(struct stage *stage, const struct made *made, const pid_t *pids, size_t n);
/* The same for a socket that one process holds: @made->pid, or nobody when that is 0. */
void stage_held(struct stage *stage, const struct made *made);

/* ---- children and the end ---- */
/* Forks. The child runs @act, which fills @report; the parent returns when that came, and fails
 * when the child did. The child then stays, answering, until the scene ends. */
pid_t child_start(struct stage *stage, void (*act)(struct stage *, void *arg, void *report),
		  void *arg, void *report, size_t size);
void child_ready(struct stage *stage, const void *report,
		 size_t size); /* now, rather than at the end of act */
pid_t child_hold(struct stage *stage, const int *fds, size_t n); /* a process that has just these */
void child_forget(struct stage *stage, pid_t pid);		 /* it was reaped */
void close_others(const int *keep, size_t n); /* every descriptor above 2 but these */
void stage_answer(struct stage *stage,
		  int fd); /* this process says its pid to whoever knocks at @fd */
void stage_undo(struct stage *stage, void (*act)(const char *arg), const char *arg);
void stage_stay(struct stage *stage); /* until standard input ends or SIGTERM comes */
void stage_end(int status, void *stage);
_Noreturn void hold_for_ever(struct stage *stage);

/* Runs a program of the host and waits; fails unless it ends with 0. The last argument is NULL. */
void run_program(const char *const argv[]);
void become(uint64_t uid);
void exec_self_as(struct stage *stage, const char *path,
		  const char *argv0); /* unless already so called */
