/* Who did what. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "collect/actors.h"
#include "source/cgroup.h"
#include "source/proc.h"
#include "source/process.h"

#define ACTORS_FIRST 4096
#define ACTORS_USUAL 32768 /* more only where so many hold something */
#define ACTORS_MAX (1u << 20)
#define READ_AT_START 4096 /* at 40 us */
#define TRIES 64	   /* of places that are looked at for one that may be given up */
#define CMDLINE_MAX 4096
#define NS_OF_TICK(host) (1000000000u / (uint64_t)(host)->ticks)

/* What a process was when it began its program; shared with those that it forked. */
struct dossier {
	uint32_t n_owners;
	uint32_t uid;
	uint64_t netns;
	bool has_exe, exe_deleted;
	uint32_t exe, group, cmdline, n_cmdline; /* where they begin in text; the name is first */
	char text[];
};

struct entry {
	struct actor actor;
	uint64_t ticks; /* field 22 of stat: identity together with pid */
	int32_t ppid;
	uint32_t n_holds;
	uint32_t next;	  /* of those with the same hash, or NONE */
	uint32_t process; /* index in the view, or NONE */
	struct dossier *dossier;
	bool is_used;
};

struct actors {
	struct host *host;
	uint32_t needs;
	struct snapshot *view;
	struct entry *entries;
	uint32_t *heads; /* as many as there are entries */
	uint32_t n, capacity, hand;
};

static uint32_t *head_of(const struct actors *actors, int32_t pid)
{
	return &actors->heads[(uint32_t)pid & (actors->capacity - 1)];
}

static void drop_dossier(struct dossier *dossier)
{
	if (dossier && --dossier->n_owners == 0)
		free(dossier);
}

/* ---- places ---- */

static int grow(struct actors *actors)
{
	uint32_t capacity = actors->capacity ? 2 * actors->capacity : ACTORS_FIRST;
	struct entry *entries = calloc(capacity, sizeof(*entries));
	uint32_t *heads = malloc(capacity * sizeof(*heads));
	if (!entries || !heads) {
		free(entries);
		free(heads);
		return -ENOMEM;
	}
	if (actors->n)
		memcpy(entries, actors->entries, actors->n * sizeof(*entries));
	free(actors->entries);
	free(actors->heads);
	actors->entries = entries;
	actors->heads = heads;
	actors->capacity = capacity;
	memset(heads, 0xff, capacity * sizeof(*heads)); /* NONE */
	for (uint32_t i = 0; i < actors->n; i++) {
		uint32_t *head = head_of(actors, entries[i].actor.pid);
		if (!entries[i].is_used)
			continue;
		entries[i].next = *head;
		*head = i;
	}
	return 0;
}

static void forget(struct actors *actors, uint32_t number)
{
	struct entry *entry = &actors->entries[number];
	uint32_t *link = head_of(actors, entry->actor.pid);
	while (*link != number)
		link = &actors->entries[*link].next;
	*link = entry->next;
	drop_dossier(entry->dossier);
	*entry = (struct entry){.process = NONE};
}

/* Of those that hold nothing, one that has ended, or any where few have. */
static uint32_t give_up_one(struct actors *actors)
{
	uint32_t second = NONE;
	for (uint32_t i = 0; i < TRIES; i++) {
		uint32_t number = actors->hand++ % actors->capacity;
		struct entry *entry = &actors->entries[number];
		if (entry->n_holds)
			continue;
		if (kill(entry->actor.pid, 0) < 0 && errno == ESRCH) {
			forget(actors, number);
			return number;
		}
		second = number;
	}
	if (second != NONE)
		forget(actors, second);
	return second;
}

static uint32_t take_place(struct actors *actors)
{
	if (actors->n == actors->capacity && actors->capacity >= ACTORS_USUAL) {
		uint32_t number = give_up_one(actors);
		if (number != NONE || actors->capacity >= ACTORS_MAX)
			return number;
	}
	if (actors->n == actors->capacity && grow(actors) < 0)
		return NONE;
	return actors->n++;
}

static uint32_t add(struct actors *actors, struct actor actor)
{
	uint32_t number = take_place(actors);
	if (number == NONE)
		return NONE;
	uint32_t *head = head_of(actors, actor.pid);
	actors->entries[number] = (struct entry){.actor = actor,
						 .ticks = actor.start_ns / NS_OF_TICK(actors->host),
						 .next = *head,
						 .process = NONE,
						 .is_used = true};
	*head = number;
	return number;
}

static uint32_t look_up(const struct actors *actors, struct actor actor)
{
	uint64_t ticks = actor.start_ns / NS_OF_TICK(actors->host);
	if (!actors->capacity)
		return NONE;
	for (uint32_t i = *head_of(actors, actor.pid); i != NONE; i = actors->entries[i].next)
		if (actors->entries[i].actor.pid == actor.pid && actors->entries[i].ticks == ticks)
			return i;
	return NONE;
}

uint32_t actors_find(struct actors *actors, struct actor actor)
{
	if (actor.pid <= 0)
		return NONE;
	uint32_t number = look_up(actors, actor);
	return number != NONE ? number : add(actors, actor);
}

/* What was forked and has another user now is otherwise as its parent. */
uint32_t actors_find_as(struct actors *actors, struct actor actor, uint32_t uid)
{
	uint32_t number = actors_find(actors, actor);
	if (number == NONE || actors->entries[number].process == NONE)
		return number;
	struct process *process =
		vector_at(&actors->view->processes, actors->entries[number].process);
	if (process->uid != uid) {
		process->uid = uid;
		process->known |= KNOWN_UID;
	}
	return number;
}

void actors_hold(struct actors *actors, uint32_t number)
{
	if (number != NONE)
		actors->entries[number].n_holds++;
}

void actors_release(struct actors *actors, uint32_t number)
{
	if (number != NONE && actors->entries[number].n_holds)
		actors->entries[number].n_holds--;
}

/* ---- what is known of one ---- */

static struct dossier *make_dossier(const struct found_process *found)
{
	size_t name = strlen(found->name), exe = found->exe ? strlen(found->exe) : 0;
	size_t group = found->group ? strlen(found->group) : 0;
	size_t n_cmdline = found->n_cmdline < CMDLINE_MAX ? found->n_cmdline : CMDLINE_MAX;
	struct dossier *dossier = malloc(sizeof(*dossier) + name + exe + group + n_cmdline + 3);
	if (!dossier)
		return NULL;
	*dossier = (struct dossier){
		.n_owners = 1,
		.uid = found->uid,
		.netns = found->netns_inode,
		.has_exe = found->exe != NULL,
		.exe_deleted = found->exe_deleted,
		.exe = (uint32_t)name + 1,
		.group = (uint32_t)(name + exe + 2),
		.cmdline = (uint32_t)(name + exe + group + 3),
		.n_cmdline = (uint32_t)n_cmdline,
	};
	memcpy(dossier->text, found->name, name + 1);
	memcpy(dossier->text + dossier->exe, found->exe ? found->exe : "", exe + 1);
	memcpy(dossier->text + dossier->group, found->group ? found->group : "", group + 1);
	if (n_cmdline)
		memcpy(dossier->text + dossier->cmdline, found->cmdline, n_cmdline);
	return dossier;
}

/* As its parent is at that moment. */
static void inherit(struct actors *actors, uint32_t number, struct actor parent)
{
	uint32_t from = look_up(actors, parent);
	if (from == NONE || from == number)
		return;
	struct entry *entry = &actors->entries[number];
	const struct entry *above = &actors->entries[from];
	if (above->dossier) {
		entry->dossier = above->dossier;
		entry->dossier->n_owners++;
	}
	const struct process *process = snapshot_process(actors->view, above->process);
	if (!process)
		return;
	struct process child = *process;
	child.pid = entry->actor.pid;
	child.ppid = parent.pid;
	child.parent = NONE;
	child.start_ticks = entry->ticks;
	child.start_time = (double)actors->host->boot_time_ns / 1e9 +
			   (double)entry->ticks / (double)actors->host->ticks;
	child.known &= ~(uint32_t)(KNOWN_GONE | KNOWN_THREADED);
	struct process *added = vector_add(&actors->view->processes);
	if (!added)
		return;
	*added = child;
	entry->process = actors->view->processes.n - 1;
}

int actors_learn(struct actors *actors, const struct found_process *found)
{
	uint32_t number = actors_find(actors, found->actor);
	if (number == NONE)
		return -ENOMEM;
	actors->entries[number].ppid = found->ppid;
	if (found->parent.pid) {
		inherit(actors, number, found->parent);
		return 0;
	}
	struct entry *entry = &actors->entries[number];
	struct dossier *dossier = make_dossier(found);
	if (!dossier)
		return -ENOMEM;
	drop_dossier(entry->dossier);
	entry->dossier = dossier;
	entry->process = NONE; /* what was told was another program */
	return 0;
}

/* ---- telling ---- */

static int fill_group(struct actors *actors, const char *path, struct process *ret)
{
	char line[1024];
	struct cgroup_place place;
	int n = snprintf(line, sizeof(line), "0::%s\n", path);
	if (n < 0 || (size_t)n >= sizeof(line))
		return 0;
	cgroup_parse(line, (size_t)n, &place);
	ret->known |= KNOWN_CGROUP;
	if (place.unit[0] && !(ret->unit = arena_intern_string(&actors->view->arena, place.unit)))
		return -ENOMEM;
	if (place.id[0] && (ret->container = process_container(actors->view, &place)) == NONE)
		return -ENOMEM;
	return 0;
}

static int fill_from_dossier(struct actors *actors, const struct entry *entry, struct process *ret)
{
	struct arena *arena = &actors->view->arena;
	const struct dossier *dossier = entry->dossier;
	ret->ppid = entry->ppid;
	ret->start_ticks = entry->ticks;
	ret->start_time = (double)actors->host->boot_time_ns / 1e9 +
			  (double)entry->ticks / (double)actors->host->ticks;
	ret->name = arena_intern_string(arena, dossier->text);
	ret->uid = dossier->uid;
	ret->known |= KNOWN_STAT | KNOWN_UID;
	if (dossier->has_exe) {
		ret->exe = arena_intern_string(arena, dossier->text + dossier->exe);
		ret->exe_deleted = dossier->exe_deleted;
		ret->known |= KNOWN_EXE;
	}
	char cmdline[CMDLINE_MAX + 1] = "";
	memcpy(cmdline, dossier->text + dossier->cmdline, dossier->n_cmdline);
	if (dossier->n_cmdline && process_keep_cmdline(arena, cmdline, dossier->n_cmdline, ret) < 0)
		return -ENOMEM;
	if (!ret->name || (dossier->has_exe && !ret->exe))
		return -ENOMEM;
	return ret->known & KNOWN_CGROUP ? 0
					 : fill_group(actors, dossier->text + dossier->group, ret);
}

static bool is_same_program(const struct process *now, const struct dossier *dossier)
{
	return now->exe && dossier->has_exe && strcmp(now->exe, dossier->text + dossier->exe) == 0;
}

/* From /proc while it is there, for that has all; where it has ended, or runs another program by
 * now, as it began. */
static int fill(struct actors *actors, const struct entry *entry, struct process *ret)
{
	ret->known = KNOWN_STAT; /* so that no other with its number is taken for it */
	struct process now = *ret;
	int r = process_read(actors->host, entry->actor.pid, actors->needs | NEED_STAT,
			     actors->view, &now);
	if (r < 0)
		return r;
	if (now.name)
		*ret = now;
	else
		ret->known = KNOWN_GONE;
	bool is_whole = now.name && !(now.known & KNOWN_GONE) && now.known & KNOWN_EXE;
	if (!entry->dossier || (is_whole && is_same_program(&now, entry->dossier)))
		return 0;
	return fill_from_dossier(actors, entry, ret);
}

static void link_parent(struct actors *actors, uint32_t index)
{
	int32_t ppid = snapshot_process(actors->view, index)->ppid;
	if (!(actors->needs & NEED_PARENTS) || ppid <= 0 || !actors->capacity)
		return;
	for (uint32_t i = *head_of(actors, ppid); i != NONE; i = actors->entries[i].next) {
		if (actors->entries[i].actor.pid != ppid)
			continue;
		uint32_t parent = actors_tell(actors, i);
		((struct process *)vector_at(&actors->view->processes, index))->parent = parent;
		return;
	}
}

uint32_t actors_tell(struct actors *actors, uint32_t number)
{
	if (number == NONE)
		return NONE;
	struct entry *entry = &actors->entries[number];
	if (entry->process != NONE)
		return entry->process;
	struct process process = {.pid = entry->actor.pid,
				  .ppid = entry->ppid,
				  .start_ticks = entry->ticks,
				  .container = NONE,
				  .parent = NONE,
				  .netns = NONE};
	if (fill(actors, entry, &process) < 0)
		return NONE;
	process.pid = entry->actor.pid;
	struct process *added = vector_add(&actors->view->processes);
	if (!added)
		return NONE;
	*added = process;
	entry->ppid = process.ppid;
	entry->process = actors->view->processes.n - 1;
	uint32_t index = entry->process;
	link_parent(actors, index);
	return index;
}

static int read_one(struct actors *actors, int32_t pid)
{
	struct process process = {.pid = pid, .container = NONE, .parent = NONE, .netns = NONE};
	int r = process_read(actors->host, pid, actors->needs | NEED_STAT, actors->view, &process);
	if (r < 0 || !(process.known & KNOWN_STAT))
		return r;
	struct actor actor = {pid, process.start_ticks * NS_OF_TICK(actors->host)};
	uint32_t number = look_up(actors, actor);
	if (number != NONE && actors->entries[number].process != NONE)
		return 0;
	number = number != NONE ? number : add(actors, actor);
	struct process *added = number == NONE ? NULL : vector_add(&actors->view->processes);
	if (!added)
		return -ENOMEM;
	*added = process;
	actors->entries[number].ppid = process.ppid;
	actors->entries[number].process = actors->view->processes.n - 1;
	return 0;
}

int actors_read_all(struct actors *actors)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	int r = proc_pids(actors->host, &pids);
	for (uint32_t i = 0; r >= 0 && i < pids.n && i < READ_AT_START; i++)
		r = read_one(actors, *(int32_t *)vector_at(&pids, i));
	for (uint32_t i = 0; r >= 0 && actors->needs & NEED_PARENTS && i < actors->n; i++)
		if (actors->entries[i].process != NONE)
			link_parent(actors, actors->entries[i].process);
	return r;
}

/* ---- another view ---- */

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_intern_string(arena, text) : NULL;
}

static int take_along(const struct snapshot *from, struct snapshot *to, struct entry *entry)
{
	struct process *copy = vector_add(&to->processes);
	if (!copy)
		return -ENOMEM;
	const struct process *process = snapshot_process(from, entry->process);
	struct arena *arena = &to->arena;
	*copy = *process;
	copy->name = copy_text(arena, process->name);
	copy->exe = copy_text(arena, process->exe);
	copy->cmdline = copy_text(arena, process->cmdline);
	copy->cwd = copy_text(arena, process->cwd);
	copy->unit = copy_text(arena, process->unit);
	copy->runs = copy_text(arena, process->runs);
	copy->from = copy_text(arena, process->from);
	copy->is = NULL;
	copy->parent = copy->container = NONE;
	const struct container *container = snapshot_container(from, process->container);
	struct container *added = container ? vector_add(&to->containers) : NULL;
	if (added) {
		*added = (struct container){.id = copy_text(arena, container->id),
					    .name = copy_text(arena, container->name),
					    .engine = container->engine};
		copy->container = to->containers.n - 1;
	}
	entry->process = to->processes.n - 1;
	return 0;
}

int actors_move(struct actors *actors, struct snapshot *view)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < actors->n; i++) {
		struct entry *entry = &actors->entries[i];
		if (entry->process == NONE)
			continue;
		if (entry->n_holds || !entry->dossier)
			r = take_along(actors->view, view, entry);
		else
			entry->process = NONE;
	}
	actors->view = view;
	return r;
}

struct actors *actors_new(struct host *host, uint32_t needs, struct snapshot *view)
{
	struct actors *actors = calloc(1, sizeof(*actors));
	if (!actors)
		return NULL;
	actors->host = host;
	actors->needs = needs;
	actors->view = view;
	return actors;
}

void actors_free(struct actors *actors)
{
	if (!actors)
		return;
	for (uint32_t i = 0; i < actors->n; i++)
		drop_dossier(actors->entries[i].dossier);
	free(actors->entries);
	free(actors->heads);
	free(actors);
}
