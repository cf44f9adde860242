/* A command and all that it starts, watched for calls that fail: ptrace(2). */
#ifndef WHY_WATCH_H
#define WHY_WATCH_H

#include "base/stop.h"
#include "why/call.h"
#include "why/launch.h"

struct watch {
	struct launch *launch;
	const struct stop *stop;
	/* Called while the thread that failed stands still. Negative errno ends the watch. */
	int (*failed)(void *data, const struct failure *failure);
	void *data;
	/* filled */
	bool has_ended;	   /* the command itself */
	int status;	   /* of waitpid(2) */
	uint32_t n_let_go; /* what it started that lived on when the watch was broken off */
};

/* Lets the launched command go and watches until it and all that it started have ended, or the
 * watch is broken off: then they go on unwatched. 0 or negative errno with @err told. */
int watch_run(struct watch *watch, struct error *err);

#endif
