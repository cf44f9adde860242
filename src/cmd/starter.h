/* Commands of `watch --exec`, started by a process of its own: it has the rights of the caller,
 * which this program gives up. What happened reaches them in their environment alone. */
#ifndef CMD_STARTER_H
#define CMD_STARTER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define STARTER_MOST 8			   /* commands at once */
#define STARTER_ENVIRONMENT_MAX (64 << 10) /* bytes for one command */

struct starter {
	int fd; /* to it and from it; -1 none */
	pid_t child;
	uint64_t n_started, n_left_out, n_failed;
};

/* Begins it, before any right is given up. It starts @command with /bin/sh. 0 or negative errno
 * with @err told. */
int starter_begin(const char *command, struct starter *ret, struct error *err);

/* Starts the command with @environment beside its own: `NAME=value` with NUL behind each, @n bytes.
 * 0; 1: too many run, this one is left out; negative errno: the starter is no more. */
int starter_start(struct starter *starter, const char *environment, size_t n);

/* Ends the starter; commands that run go on. */
void starter_end(struct starter *starter);

#endif
