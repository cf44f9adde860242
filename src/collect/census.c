/* Many processes told of in one pass. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

#include "base/debug.h"
#include "base/privilege.h"
#include "collect/census.h"
#include "model/field.h"
#include "source/bpf/tasks.h"
#include "source/netns.h"

/* Loading and running the pass costs as much as so many processes and threads through /proc. */
#define ENOUGH 300

/* A query for so few ports has few holders: their paths are read from /proc. */
#define FEW_PORTS 64

struct census_task {
	int32_t pid, ppid;
	uint64_t start_ns, groups;
	const char *name, *exe, *cwd; /* NULL: for /proc to say */
	uint32_t uid;
	uint32_t first; /* the process of the snapshot that showed its groups first, or NONE */
	bool exe_deleted;
};

struct taking {
	struct census *census;
	struct arena *arena;
	uint32_t needs;
};

bool census_is_worth(struct host *host, const struct query *query)
{
	struct facility facility;
	struct sysinfo info;
	if (query->source == SOURCE_PROC || !tasks_probe(host, &facility))
		return false;
	return host->keeps_programs || !privilege_sees_others() ||
	       (sysinfo(&info) == 0 && info.procs >= ENOUGH);
}

/* As its link in /proc reads. */
static const char *keep_cwd(struct arena *arena, const struct found_task *found)
{
	char path[4096];
	if (!found->cwd_deleted)
		return arena_intern_string(arena, found->cwd);
	snprintf(path, sizeof(path), "%s (deleted)", found->cwd);
	return arena_intern_string(arena, path);
}

static int keep_task(const struct taking *taking, const struct found_task *found)
{
	struct census *census = taking->census;
	struct census_task *task = vector_add(&census->tasks);
	if (!task)
		return -ENOMEM;
	*task = (struct census_task){
		.pid = found->pid,
		.ppid = found->ppid,
		.start_ns = found->start_ns,
		.groups = found->groups,
		.uid = found->uid,
		.first = NONE,
		.exe_deleted = found->exe_deleted,
		.name = arena_intern_string(taking->arena, found->name),
	};
	if (!task->name)
		return -ENOMEM;
	if (found->exe && !(task->exe = arena_intern_string(taking->arena, found->exe)))
		return -ENOMEM;
	if (found->cwd && !(task->cwd = keep_cwd(taking->arena, found)))
		return -ENOMEM;
	return 0;
}

static int keep_place(struct vector *places, const struct found_task *found)
{
	struct task_place *place = vector_add(places);
	if (!place)
		return -ENOMEM;
	*place = (struct task_place){found->pid, found->netns, found->mounts};
	return 0;
}

static int take(void *data, const struct found_task *found)
{
	const struct taking *taking = data;
	int r = keep_place(&taking->census->places, found);
	return r < 0 || found->is_thread ? r : keep_task(taking, found);
}

static int by_pid(const void *a, const void *b)
{
	const struct census_task *one = a, *other = b;
	return (one->pid > other->pid) - (one->pid < other->pid);
}

static uint64_t groups_key(const void *owner, uint32_t index)
{
	return ((const struct census_task *)vector_at(owner, index))->groups;
}

int census_take(struct host *host, const struct query *query, uint32_t needs,
		struct snapshot *snapshot, struct census *ret)
{
	*ret = (struct census){.snapshot = snapshot};
	vector_init(&ret->tasks, sizeof(struct census_task));
	vector_init(&ret->places, sizeof(struct task_place));
	table_init(&ret->by_groups, groups_key, &ret->tasks);
	if (!census_is_worth(host, query))
		return 0;

	bool is_narrow = query->bounds.port_last - query->bounds.port_first < FEW_PORTS;
	struct taking taking = {ret, &snapshot->arena, is_narrow ? 0 : needs};
	struct error refused = {0};
	int r = tasks_read(host, taking.needs, take, &taking, &refused);
	debug(BPF, "%u processes in %u places: %s", ret->tasks.n, ret->places.n,
	      r < 0 ? refused.what : "done");
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		ret->tasks.n = ret->places.n = 0;
		return 0;
	}
	for (uint32_t i = 1; i < ret->tasks.n; i++) {
		if (by_pid(vector_at(&ret->tasks, i - 1), vector_at(&ret->tasks, i)) <= 0)
			continue;
		qsort(ret->tasks.data, ret->tasks.n, sizeof(struct census_task), by_pid);
		break;
	}
	return 0;
}

void census_done(struct census *census)
{
	vector_done(&census->tasks);
	vector_done(&census->places);
	table_done(&census->by_groups);
}

static struct census_task *find_task(const struct census *census, int32_t pid)
{
	const struct census_task key = {.pid = pid};
	return census->tasks.n
		       ? bsearch(&key, census->tasks.data, census->tasks.n, sizeof(key), by_pid)
		       : NULL;
}

void census_tell(const struct census *census, const struct host *host, struct process *process)
{
	const struct census_task *task = find_task(census, process->pid);
	if (!task)
		return;
	process->name = task->name;
	process->ppid = task->ppid;
	process->start_ticks = task->start_ns / (1000000000u / (uint64_t)host->ticks);
	process->start_time = (double)host->boot_time_ns / 1e9 +
			      (double)process->start_ticks / (double)host->ticks;
	process->uid = task->uid;
	process->known |= KNOWN_STAT | KNOWN_UID;
	if (task->exe) {
		process->exe = task->exe;
		process->exe_deleted = task->exe_deleted;
		process->known |= KNOWN_EXE;
	}
	if (task->cwd) {
		process->cwd = task->cwd;
		process->known |= KNOWN_CWD;
	}
}

uint32_t census_same_groups(struct census *census, uint32_t index)
{
	struct census_task *task =
		find_task(census, snapshot_process(census->snapshot, index)->pid);
	if (!task || !task->groups)
		return NONE;
	uint32_t place;
	for (uint32_t i = table_find(&census->by_groups, task->groups, &place); i != TABLE_NONE;
	     i = table_next(&census->by_groups, task->groups, &place)) {
		const struct census_task *known = vector_at(&census->tasks, i);
		if (known->groups == task->groups)
			return known->first;
	}
	/* without memory for it each is read for itself */
	task->first = index;
	table_add(&census->by_groups, task->groups,
		  (uint32_t)(task - (struct census_task *)census->tasks.data));
	return NONE;
}
