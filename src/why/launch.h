/* A command that is started and waits to be let go: with all rights of the caller, since it is
 * started before this program gives up its own. */
#ifndef WHY_LAUNCH_H
#define WHY_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct launch {
	pid_t child; /* 0: none */
	int go;	     /* to it: a byte lets it go */
	int failed;  /* from it: the errno of exec, or nothing */
};

/* Starts @arguments (NULL ends), which waits. @output: where its standard output goes; -1: as ours.
 * 0 or negative errno with @err told. */
int launch_prepare(char **arguments, int output, struct launch *ret, struct error *err);
/* Lets it go. */
void launch_go(struct launch *launch);
/* The errno with which exec failed; 0: it did not. Once it has ended. */
int launch_error(const struct launch *launch);
/* Ends it where it still waits, and closes what was kept. */
void launch_done(struct launch *launch);

#endif
