/* A system call of another process that failed, and what it was about. */
#ifndef WHY_CALL_H
#define WHY_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/diagnosis.h"

enum call { CALL_OTHER, CALL_SOCKET, CALL_BIND, CALL_LISTEN, CALL_CONNECT, CALL_GETSOCKOPT };

/* A call as it was entered. */
struct entered {
	enum call call;
	uint64_t arguments[6];
};

struct failure {
	pid_t pid; /* the process, not the thread */
	struct question question;
	int error;	/* errno */
	uint32_t inode; /* of its socket; 0 unknown */
	bool is_bound;	/* bind: it was already */
	bool is_late;	/* connect: told by SO_ERROR */
	char device[16];
};

/* Which call @number is on @architecture (AUDIT_ARCH_). Pure. */
enum call call_of(uint32_t architecture, uint64_t number);

/* Whether @error, negative as the kernel gave it, is a failure of @call; not of those that only say
 * "later" or "again". Pure. */
bool call_has_failed(enum call call, int64_t error);

/* What failed, read from the memory and the descriptors of @tid, which is stopped. -ENOENT: it is
 * about no port. */
int call_read(pid_t tid, const struct entered *entered, int error, struct failure *ret);

/* The error that getsockopt(SO_ERROR) has just given @tid; 0 none, or it asked for something else.
 */
int call_read_so_error(pid_t tid, const struct entered *entered);

/* The process of thread @tid; @tid where that may not be known. */
pid_t call_process(pid_t tid);

#endif
