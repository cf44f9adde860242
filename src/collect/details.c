/* What is told of the namespaces, processes and users of a snapshot. */
#include <errno.h>

#include "collect/census.h"
#include "collect/details.h"
#include "collect/stream.h"
#include "source/activation.h"
#include "source/containers.h"
#include "source/interfaces.h"
#include "source/netns.h"
#include "source/process.h"
#include "source/services.h"
#include "source/sessions.h"
#include "source/users.h"

#define NEEDS_OF_PROCESS                                                                       \
	(NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_RUNS | NEED_CWD | NEED_UID | NEED_CGROUP | \
	 NEED_PARENTS | NEED_ANSWERS)
#define PARENTS_MAX 64

int details_netns(struct host *host, struct join *join, const struct vector *found,
		  struct error *err)
{
	if (!(join->query->needs & NEED_ADDRESSES))
		return 0;

	for (uint32_t i = 0; i < found->n; i++) {
		const struct found_netns *place = vector_at(found, i);
		uint32_t index = join_netns(join, place->inode);
		if (index == NONE)
			return -ENOMEM;
		struct netns *netns = vector_at(&join->snapshot->netns, index);
		struct error refused = {0}; /* not to stand there when something else fails */
		int r = interfaces_read(host, place, &join->snapshot->arena, netns, &refused);
		if (r == -ENOMEM) {
			if (err)
				*err = refused;
			return r;
		}
		/* a namespace that may not be entered was told of when it was found */
		if (r < 0 && r != -EPERM && r != -EACCES)
			snapshot_add_missing(join->snapshot,
					     &(struct missing){.what = WHAT_ADDRESSES,
							       .why = WHY_ERROR,
							       .count = 1});
		netns->is_detailed = r >= 0;
	}
	return 0;
}

uint32_t details_needs(const struct query *query)
{
	uint32_t needs = query->needs & NEEDS_OF_PROCESS;
	if (needs & NEED_ANSWERS)
		needs |= NEED_CGROUP | NEED_STAT;
	if (needs & NEED_RUNS)
		needs |= NEED_EXE;
	return needs;
}

/* Without what is known. */
static uint32_t still_needed(uint32_t needs, const struct process *process)
{
	static const struct {
		uint32_t known, needs;
	} told[] = {
		{KNOWN_STAT, NEED_STAT | NEED_PARENTS},
		{KNOWN_EXE, NEED_EXE},
		{KNOWN_CWD, NEED_CWD},
		{KNOWN_UID, NEED_UID},
		{KNOWN_CGROUP, NEED_CGROUP},
	};
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		needs &= process->known & told[i].known ? ~told[i].needs : UINT32_MAX;
	if (process->known & KNOWN_STAT && process->known & KNOWN_EXE &&
	    !process_speaks(process, needs))
		needs &= ~(uint32_t)(NEED_RUNS | NEED_ANSWERS);
	return needs;
}

/* What a process is in is read once for all that are in the same. */
static void share_groups(struct snapshot *snapshot, struct census *census, uint32_t index)
{
	uint32_t same = census_same_groups(census, index);
	const struct process *known = snapshot_process(snapshot, same);
	if (!known || !(known->known & KNOWN_CGROUP))
		return;
	struct process *process = vector_at(&snapshot->processes, index);
	process->unit = known->unit;
	process->container = known->container;
	process->known |= KNOWN_CGROUP;
}

/* Reads process @index; what it is known as by pid stays even when it has ended. */
static int read_process(struct host *host, struct join *join, struct census *census, uint32_t index)
{
	census_tell(census, host, vector_at(&join->snapshot->processes, index));
	share_groups(join->snapshot, census, index);
	struct process process = *snapshot_process(join->snapshot, index);
	uint32_t needs = still_needed(details_needs(join->query), &process);
	if (!needs)
		return 0;
	int r = process_read(host, process.pid, needs, join->snapshot, &process);
	if (r == -ENOMEM)
		return r;
	process.pid = snapshot_process(join->snapshot, index)->pid;
	*(struct process *)vector_at(&join->snapshot->processes, index) = process;
	return 0;
}

static int read_parents(struct host *host, struct join *join, struct census *census, uint32_t index)
{
	for (unsigned depth = 0; depth < PARENTS_MAX; depth++) {
		int32_t ppid = snapshot_process(join->snapshot, index)->ppid;
		if (ppid <= 0 || snapshot_process(join->snapshot, index)->parent != NONE)
			return 0;
		uint32_t n = join->snapshot->processes.n;
		uint32_t parent = join_process(join, ppid);
		if (parent == NONE)
			return -ENOMEM;
		if (parent >= n) {
			int r = read_process(host, join, census, parent);
			if (r < 0)
				return r;
		}
		((struct process *)vector_at(&join->snapshot->processes, index))->parent = parent;
		index = parent;
	}
	return 0;
}

/* Marks the processes that hold a socket which may match. */
static void mark_wanted(const struct join *join, bool filters_early, bool *wanted)
{
	const struct snapshot *snapshot = join->snapshot;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (filters_early && !filter_may_match(join->query->filter, snapshot, socket))
			continue;
		for (const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		     holder; holder = snapshot_holder(snapshot, holder->next)) {
			wanted[holder->process] = true;
		}
	}
}

int details_processes(struct host *host, struct join *join, struct census *census,
		      bool filters_early, struct error *err)
{
	if (!(join->query->needs & NEEDS_OF_PROCESS))
		return 0;

	uint32_t n = join->snapshot->processes.n;
	cleanup(freep) bool *wanted = calloc(n + 1, sizeof(*wanted));
	if (!wanted)
		return error_set(err, -ENOMEM, "read the processes");
	if (join->packed)
		stream_mark_wanted(join, filters_early, wanted);
	else
		mark_wanted(join, filters_early, wanted);

	for (uint32_t i = 0; i < n && !stop_wanted(host->stop); i++) {
		if (!wanted[i])
			continue;
		int r = read_process(host, join, census, i);
		if (r == 0 && join->query->needs & NEED_PARENTS)
			r = read_parents(host, join, census, i);
		if (r < 0)
			return error_set(err, r, "read process %d",
					 snapshot_process(join->snapshot, i)->pid);
	}
	if (join->query->needs & NEED_PARENTS && sessions_find(host, join->snapshot) < 0)
		return error_set(err, -ENOMEM, "look for ssh sessions");
	return 0;
}

int details_names(struct host *host, struct join *join, struct error *err)
{
	uint32_t needs = join->query->needs;
	int r = 0;
	if (needs & (NEED_ANSWERS | NEED_NETNS_NAMES))
		r = containers_answer(host, join->query, join->snapshot, err);
	if (r >= 0 && needs & NEED_ANSWERS)
		r = activation_answer(host, join->snapshot, err);
	if (r >= 0 && needs & NEED_USERS)
		r = users_read(host, join->snapshot, !(needs & NEED_NO_NSS), err);
	if (r >= 0 && needs & NEED_SERVICES)
		r = services_read(host, &join->snapshot->arena, &join->snapshot->services, err);
	return r < 0 ? r : 0;
}
