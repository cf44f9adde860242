/* A stopped thread of another process made to do system calls, and put back as it was. */
#ifndef ACT_INJECT_H
#define ACT_INJECT_H

#include "act/registers.h"
#include "base/error.h"
#include "source/host.h"

struct injection {
	const struct host *host;
	int32_t pid, tid;
	struct registers saved; /* as they were, but for a call that is to begin again */
	uint64_t signals;	/* the thread's mask */
	uint64_t instruction;	/* the address of one that makes a system call */
	uint64_t section; /* the address of its rseq's rseq_cs, 0 none; and what stood there */
	uint64_t section_was;
	bool is_begun; /* something of the thread was altered */
	int signal;    /* a stop signal that came meanwhile: sent again at the end */
};

/* Whether calls can be injected into stopped thread @tid of @pid: nothing is altered. 0; -EPERM: a
 * seccomp filter that may not be suspended; -ENOTSUP: another kind of program, or one that catches
 * its own calls; -ENOEXEC: no instruction found; -ESRCH: it has ended. */
int inject_prepare(const struct host *host, int32_t pid, int32_t tid, struct injection *ret,
		   struct error *err);

/* Makes the thread do one call. What it returned, a value or negative errno, in *@ret. 0; -ESRCH;
 * -ETIMEDOUT: it does not run (its cgroup is frozen), and it was put back. */
int inject_call(struct injection *injection, int64_t number, const uint64_t arguments[6],
		int64_t *ret);

/* The thread's memory, in words of eight bytes: @n is a multiple. 0 or negative errno. */
int inject_read(const struct injection *injection, uint64_t at, void *to, size_t n);
int inject_write(const struct injection *injection, uint64_t at, const void *from, size_t n);

/* Puts back registers and signals; the thread is stopped as before inject_prepare. 0 or -ESRCH. */
int inject_end(struct injection *injection);

#endif
