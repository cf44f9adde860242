/* The least of ptrace(2): seize a thread, stop it, wait for it, let it go. Only for a process that
 * has no other children, and SIGCHLD blocked (act/swap.c). */
#ifndef ACT_TRACED_H
#define ACT_TRACED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "source/host.h"

/* How a thread stands in a stop: the upper and the lower half of what waitpid(2) says. */
enum traced_stop {
	TRACED_HELD,   /* PTRACE_EVENT_STOP: by us, or with its whole process by a stop signal */
	TRACED_CALL,   /* before or after a system call */
	TRACED_SIGNAL, /* a signal is about to be delivered: ret_signal */
};

/* Nanoseconds of the monotonic clock: a deadline is one of them. */

/* From now on a wait ends at its deadline: SIGALRM comes again and again. */
void traced_start_ticks(void);

/* 0; -ESRCH: it has ended; -EPERM: not allowed, which traced_explain explains. It runs on. */
int traced_seize(int32_t tid);
int traced_interrupt(int32_t tid);

/* The next stop of the thread. 0; -ESRCH: it has ended; -ETIMEDOUT. */
int traced_wait(int32_t tid, uint64_t deadline, enum traced_stop *ret, int *ret_signal);

/* Goes on with signal @number (0 none), up to the next system call's edge where @to_call. */
int traced_go_on(int32_t tid, int number, bool to_call);

/* For good. A process that a stop signal had stopped stays so. */
void traced_let_go(int32_t tid);

/* Why a process may not be traced, from the errno that PTRACE_SEIZE gave: another tracer, yama, or
 * whose it is. Returns @code. */
int traced_explain(const struct host *host, int32_t pid, int code, struct error *err);

/* A line "NAME:\tVALUE" of a status file as a number, @missing where it is not there. */
int64_t traced_status(const struct host *host, int32_t pid, int32_t tid, const char *name,
		      int64_t missing);

#endif
