/* All processes told of in one pass, in place of some files of /proc for each: which namespaces
 * there are, and what is told of those that hold a socket. */
#ifndef COLLECT_CENSUS_H
#define COLLECT_CENSUS_H

#include "collect/join.h"

struct census {
	struct vector tasks;	/* struct census_task, by pid */
	struct vector places;	/* struct task_place of source/netns.h; empty: not taken */
	struct table by_groups; /* tasks, the first of each set of control groups */
	const struct snapshot *snapshot;
};

/* Are there so many processes, or is it the only way, that BPF is worth its loading? */
bool census_is_worth(struct host *host, const struct query *query);

/* Takes it where it is the faster way, or the only one: callers that may not read others' links in
 * /proc. @needs of the processes are told by it as far as it can. What it cannot, or where it is
 * not taken, is left to /proc. 0 or -ENOMEM; done with in either case. */
int census_take(struct host *host, const struct query *query, uint32_t needs,
		struct snapshot *snapshot, struct census *ret);
void census_done(struct census *census);

/* Fills what the census knows of the process and sets its KNOWN_ bits. */
void census_tell(const struct census *census, const struct host *host, struct process *process);

/* A process of the snapshot that was asked for before and is in the same control groups as @index,
 * or NONE. */
uint32_t census_same_groups(struct census *census, uint32_t index);

#endif
