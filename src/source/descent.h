/* What a process has started, and what that has started in turn. */
#ifndef SOURCE_DESCENT_H
#define SOURCE_DESCENT_H

#include "base/vector.h"
#include "source/host.h"

struct descent {
	struct host *host;
	bool is_read;		 /* the parents of all, where the kernel lists no children */
	struct vector relations; /* struct relation */
};

struct relation {
	int32_t pid, ppid;
};

void descent_init(struct descent *descent, struct host *host);
void descent_done(struct descent *descent);

/* The first descendant of @pid, from the near to the far, for which @is_it is true; 0: none. */
int32_t descent_find(struct descent *descent, int32_t pid, bool (*is_it)(void *data, int32_t pid),
		     void *data);

/* The parent's pid, and what the process is called at @name of 64 bytes with NUL. 0: it is gone. */
int32_t descent_parent(const struct host *host, int32_t pid, char *name);

#endif
