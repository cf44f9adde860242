/* Whatever ends the screen, the terminal is as it was: the screen runs in a child, and this process
 * waits for it, stops with it, passes signals on, and puts the terminal back where the child could
 * not. The child in turn sees when its guardian is gone, and leaves as if asked to. */
#ifndef TOP_GUARDIAN_H
#define TOP_GUARDIAN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "base/error.h"

struct guardian {
	pid_t child; /* 0: this is the child */
	int alive;   /* in the child: readable once the guardian is gone */
	bool has_terminal;
	struct termios terminal; /* as it was */
	sigset_t mask;
};

/* Before any thread. 0 in both processes, or negative errno with @err told. */
int guardian_fork(struct guardian *guardian, struct error *err);

/* Of the guardian: the exit status of the child; where a signal ended it, negative errno with @err
 * told. */
int guardian_wait(struct guardian *guardian, struct error *err);

#endif
