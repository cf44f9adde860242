/* The engine: one snapshot of a host. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/debug.h"
#include "base/faults.h"
#include "base/privilege.h"
#include "collect/census.h"
#include "collect/collect.h"
#include "collect/details.h"
#include "collect/plan.h"
#include "collect/stream.h"
#include "collect/sweep.h"
#include "source/netns.h"

static double unix_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t uptime_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One line of a file, without its end, kept in the arena; NULL where it cannot be read. */
static const char *read_line(struct host *host, struct arena *arena, const char *path)
{
	char buffer[256];
	ssize_t n = host_read(host, buffer, sizeof(buffer), "%s", path);
	return n <= 0 ? NULL : arena_intern(arena, buffer, strcspn(buffer, "\n"));
}

static struct snapshot *start_snapshot(struct host *host)
{
	struct snapshot *snapshot = snapshot_new();
	if (!snapshot)
		return NULL;
	snapshot->time = unix_time();
	snapshot->uptime_ns = uptime_ns();
	snapshot->origin = ORIGIN_HOST;
	snapshot->host = read_line(host, &snapshot->arena, "proc/sys/kernel/hostname");
	snapshot->boot_id = read_line(host, &snapshot->arena, "proc/sys/kernel/random/boot_id");
	snapshot->is_privileged = privilege_sees_others();
	return snapshot;
}

/* The namespaces become known to the join under their names. */
static int name_namespaces(struct join *join, const struct vector *found)
{
	for (uint32_t i = 0; i < found->n; i++) {
		const struct found_netns *place = vector_at(found, i);
		uint32_t index = join_netns(join, place->inode);
		if (index == NONE)
			return -ENOMEM;
		struct netns *netns = vector_at(&join->snapshot->netns, index);
		netns->is_self = place->is_self;
		netns->is_initial = place->is_initial;
		if (place->name[0])
			netns->name = arena_intern_string(&join->snapshot->arena, place->name);
	}
	return 0;
}

static int collect_into(struct host *host, struct join *join, struct packing *packing,
			bool filters_early, struct error *err)
{
	cleanup(netns_list_done) struct vector found;
	cleanup(census_done) struct census census;
	vector_init(&found, sizeof(struct found_netns));

	struct files_pass *files = sweep_start(host, join->query);
	int r = census_take(host, join->query, details_needs(join->query), join->snapshot, &census);
	join->n_processes = census.tasks.n;
	if (r >= 0)
		r = netns_find(host, &join->query->scope, &census.places, &found, &join->sink, err);
	if (r >= 0)
		r = name_namespaces(join, &found);
	join->is_scoped = join->query->scope.choice != NETNS_ALL;
	if (r >= 0)
		r = sweep_sockets(host, join, &found, TAKE_POINTER(files), err);
	files_abandon(files);
	if (r == -ECANCELED) /* what came is shown, and said to be partial */
		r = 0;
	debug(PLAN, "sockets are collected");
	fault_wait("collected");
	if (r >= 0)
		r = join_settle(join);
	if (r >= 0)
		r = details_netns(host, join, &found, err);
	if (r >= 0)
		r = details_processes(host, join, &census, filters_early, err);
	if (r >= 0 && packing)
		r = packing->unpack(packing, join, err);
	if (r >= 0)
		r = details_names(host, join, err);
	if (r >= 0 && stop_wanted(host->stop))
		r = snapshot_add_missing(join->snapshot, &(struct missing){.what = WHAT_SOCKETS,
									   .why = WHY_INTERRUPTED});
	return r;
}

int collect_either(struct host *host, const struct query *query, struct packing *packing,
		   struct snapshot **ret, struct error *err)
{
	bool filters_early;
	struct query plan = plan_query(query, &filters_early);
	struct snapshot *snapshot = start_snapshot(host);
	if (!snapshot)
		return error_set(err, -ENOMEM, "collect the sockets");

	struct join join;
	int r = join_init(&join, snapshot, &plan);
	join.stop = host->stop;
	join.packed = packing ? packing->packed : NULL;
	snapshot->collected = plan.needs;
	snapshot->states = query->bounds.states;
	if (r >= 0)
		r = collect_into(host, &join, packing, filters_early, err);
	join_done(&join);
	debug(PLAN, "processes are told");
	if (r >= 0)
		r = snapshot_seal(snapshot);
	debug(PLAN, "sealed");
	if (r < 0) {
		snapshot_free(snapshot);
		return err && err->code ? r : error_set(err, r, "collect the sockets");
	}
	*ret = snapshot;
	return 0;
}

int collect_snapshot(struct host *host, const struct query *query, struct snapshot **ret,
		     struct error *err)
{
	return collect_either(host, query, NULL, ret, err);
}

int collect_for(const struct looking *looking, const struct filter *filter, struct bounds bounds,
		uint32_t needs, struct snapshot **ret, struct error *err)
{
	const struct query query = {.filter = filter,
				    .bounds = bounds,
				    .needs = needs | looking->needs,
				    .scope = looking->scope,
				    .source = looking->source};
	return collect_snapshot(looking->host, &query, ret, err);
}
