/* Many processes told of in one pass. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/privilege.h"
#include "collect/census.h"
#include "model/field.h"
#include "source/bpf/tasks.h"

#define NEEDS_TOLD (NEED_STAT | NEED_EXE | NEED_CWD | NEED_UID | NEED_CGROUP)

/* Loading the pass costs as much as so many processes through /proc. */
#define ENOUGH 100

struct taking {
	struct host *host;
	struct join *join;
	uint32_t needs;
	uint64_t *groups;
};

bool census_is_worth(const struct host *host, const struct query *query, uint32_t n)
{
	struct facility facility;
	uint32_t told = query->needs & NEEDS_TOLD;
	if (query->source == SOURCE_PROC || !told || !(told & (told - 1)))
		return false;
	return n && (n >= ENOUGH || !privilege_sees_others()) && tasks_probe(host, &facility);
}

static int tell_stat(const struct taking *taking, const struct found_task *task,
		     struct process *process)
{
	const struct host *host = taking->host;
	process->name = arena_intern_string(&taking->join->snapshot->arena, task->name);
	process->ppid = task->ppid;
	process->start_ticks = task->start_ns / (1000000000u / (uint64_t)host->ticks);
	process->start_time = (double)host->boot_time_ns / 1e9 +
			      (double)process->start_ticks / (double)host->ticks;
	process->known |= KNOWN_STAT;
	return process->name ? 0 : -ENOMEM;
}

static int tell_cwd(struct arena *arena, const struct found_task *task, struct process *process)
{
	char path[4096];
	/* as its link in /proc reads */
	snprintf(path, sizeof(path), "%s%s", task->cwd, task->cwd_deleted ? " (deleted)" : "");
	process->cwd = arena_intern_string(arena, path);
	process->known |= KNOWN_CWD;
	return process->cwd ? 0 : -ENOMEM;
}

static int tell(void *data, const struct found_task *task)
{
	struct taking *taking = data;
	struct arena *arena = &taking->join->snapshot->arena;
	uint32_t index = join_find_process(taking->join, task->pid);
	if (index == NONE)
		return 0;

	struct process *process = vector_at(&taking->join->snapshot->processes, index);
	int r = 0;
	if (taking->needs & NEED_STAT)
		r = tell_stat(taking, task, process);
	if (taking->needs & NEED_UID) {
		process->uid = task->uid;
		process->known |= KNOWN_UID;
	}
	if (r >= 0 && taking->needs & NEED_EXE && task->exe) {
		process->exe = arena_intern_string(arena, task->exe);
		process->exe_deleted = task->exe_deleted;
		process->known |= KNOWN_EXE;
		r = process->exe ? 0 : -ENOMEM;
	}
	if (r >= 0 && taking->needs & NEED_CWD && task->cwd)
		r = tell_cwd(arena, task, process);
	taking->groups[index] = task->groups;
	return r;
}

static uint64_t groups_key(const void *owner, uint32_t index)
{
	return ((const uint64_t *)owner)[index];
}

int census_take(struct host *host, struct join *join, uint32_t needs, struct census *census,
		struct error *err)
{
	census->groups = calloc(join->snapshot->processes.n + 1, sizeof(*census->groups));
	table_init(&census->by_groups, groups_key, census->groups);
	if (!census->groups)
		return error_set(err, -ENOMEM, "read the processes");
	struct taking taking = {host, join, needs, census->groups};
	return tasks_read(host, needs, tell, &taking, err);
}

void census_done(struct census *census)
{
	free(census->groups);
	table_done(&census->by_groups);
}

uint32_t census_same_groups(struct census *census, uint32_t index)
{
	uint64_t key = census->groups ? census->groups[index] : 0;
	uint32_t place;
	if (!key)
		return NONE;
	for (uint32_t i = table_find(&census->by_groups, key, &place); i != TABLE_NONE;
	     i = table_next(&census->by_groups, key, &place))
		if (census->groups[i] == key)
			return i;
	table_add(&census->by_groups, key, index); /* without it each is read for itself */
	return NONE;
}
