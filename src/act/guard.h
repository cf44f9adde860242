/* Between plan and act: is it still that process, that socket? pidfd first, then start time and
 * cookie read again, so that neither a reused pid nor another socket is hit. */
#ifndef ACT_GUARD_H
#define ACT_GUARD_H

#include "act/way.h"

/* A pidfd of the holder, which still is the process of the plan and still holds the target. The
 * descriptor, or:
 * -ESRCH: the process has ended, its pid is another's by now, or it runs another program;
 * -ENOENT: it lives, and no longer holds the socket;
 * other negative errno: it may not be looked at. */
int guard_open(const struct host *host, const struct identity *target,
	       const struct step_holder *holder);

/* The process of @pidfd holds the target under some number. 1 yes, 0 no, negative errno: it may not
 * be looked at. A socket that only a ring of io_uring keeps counts as held. */
int guard_holds(const struct host *host, int pidfd, const struct identity *target,
		const struct step_holder *holder);

/* Which program it runs, to be compared; 0: unknown. */
uint64_t guard_program(const struct host *host, int32_t pid);

/* The start time of a process, field 22 of its stat; 0: it is gone. */
uint64_t guard_start_ticks(const struct host *host, int32_t pid);

#endif
