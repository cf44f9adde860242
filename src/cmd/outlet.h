/* Standard output of what goes on and on: a reader that is slow holds up nothing. What does not fit
 * is kept up to a bound; beyond it the caller leaves lines out, and counts them. */
#ifndef CMD_OUTLET_H
#define CMD_OUTLET_H

#include "base/out.h"
#include "base/stop.h"

#define OUTLET_MOST (8u << 20)	  /* bytes that wait for the reader */
#define OUTLET_ENOUGH (64u << 10) /* bytes that are worth a call */

struct outlet {
	struct out out; /* in memory: lines are made here */
	size_t at;	/* so many bytes of it are written */
	int fd;
	bool is_own;	/* the descriptor: opened anew, without waiting */
	bool is_socket; /* so written */
	bool is_quick;	/* a file: it takes all at once */
};

/* Of the descriptor @fd, which is borrowed. 0 or -ENOMEM. */
int outlet_init(struct outlet *outlet, int fd);
void outlet_done(struct outlet *outlet);

/* False: the reader is behind by more than is kept. */
static inline bool outlet_has_room(const struct outlet *outlet)
{
	return outlet->out.n - outlet->at < OUTLET_MOST;
}

static inline bool outlet_is_empty(const struct outlet *outlet)
{
	return outlet->out.n == outlet->at;
}

/* Writes what the reader takes now. 0, or the error that writing gave: -EPIPE, -ENOSPC, ... */
int outlet_push(struct outlet *outlet);
/* Writes all, however long the reader takes; from @stop on for some seconds, while it takes
 * something. The same. */
int outlet_finish(struct outlet *outlet, const struct stop *stop);
/* Lines that wait still. */
uint64_t outlet_lines_left(const struct outlet *outlet);

#endif
