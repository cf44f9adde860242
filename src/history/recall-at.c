/* What was open at a moment, as a listing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history/archive.h"
#include "model/filter.h"

struct listing {
	struct revival revival;
	const struct recall *recall;
	uint64_t at;
	uint32_t states; /* 1 << enum state, that are wanted */
};

static void listing_done(struct listing *listing)
{
	revival_done(&listing->revival);
}

static int keep(void *data, struct revived_row *row)
{
	struct listing *listing = data;
	struct revival *revival = &listing->revival;
	const struct filter *filter = listing->recall->filter;
	if (row->interval.opened_uptime_ns > listing->at)
		return 0;
	if (!revival_may_match(revival, row, filter))
		return revival->error;
	uint32_t n_holders = revival->snapshot->holders.n;
	uint32_t index = revive_socket(revival, row);
	if (index == NONE)
		return revival->error ? revival->error : -EBADMSG;
	bool is_wanted = listing->states >> snapshot_socket(revival->snapshot, index)->state & 1;
	if (!is_wanted || !filter_match(filter, revival->snapshot, index))
		revive_undo(revival, index, n_holders);
	return 0;
}

static int list(struct archive *archive, const struct moment *at, struct listing *listing,
		struct error *err)
{
	struct narrow narrow;
	const struct boot *last =
		archive->boots.n ? vector_at(&archive->boots, archive->boots.n - 1) : NULL;
	narrow_by(&narrow, archive->db, listing->recall->filter);
	int r = 0;
	if (last && last->id == at->boot)
		r = search_open(archive, at->boot, &narrow, keep, listing, err);
	for (uint32_t i = archive->parts.n; r == 0 && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		if (part->boot == at->boot)
			r = search_at(archive, part, at->uptime, &narrow, keep, listing, err);
	}
	if (r < 0 && r == listing->revival.error)
		error_set(err, r, "read %s", archive->path);
	return r;
}

/* ---- its namespaces ---- */

/* Of those with its inode the one that was told last. */
static uint32_t newest_of(const struct snapshot *snapshot, const uint32_t *ids, uint32_t netns)
{
	uint64_t inode = snapshot_netns(snapshot, netns)->inode;
	uint32_t newest = netns;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->inode == inode && ids[i] > ids[newest])
			newest = i;
	return newest;
}

/* One whose name or addresses changed while something was open in it was told each time; at one
 * moment it is one. */
static int join_namespaces(const struct revival *revival)
{
	struct snapshot *snapshot = revival->snapshot;
	uint32_t n = snapshot->netns.n, n_kept = 0;
	cleanup(freep) uint32_t *ids = calloc(n + 1u, sizeof(*ids));
	cleanup(freep) uint32_t *newest = calloc(n + 1u, sizeof(*newest));
	cleanup(freep) uint32_t *kept = calloc(n + 1u, sizeof(*kept));
	if (!ids || !newest || !kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < revival->by_netns.all.n; i++) {
		const struct numbered *numbered = vector_at(&revival->by_netns.all, i);
		ids[numbered->index] = numbered->id;
	}
	for (uint32_t i = 0; i < n; i++)
		newest[i] = newest_of(snapshot, ids, i);
	for (uint32_t i = 0; i < n; i++) {
		if (newest[i] != i)
			continue;
		*(struct netns *)vector_at(&snapshot->netns, n_kept) = *snapshot_netns(snapshot, i);
		kept[i] = n_kept++;
	}
	snapshot->netns.n = n_kept;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&snapshot->sockets, i);
		if (socket->netns != NONE)
			socket->netns = kept[newest[socket->netns]];
	}
	for (uint32_t i = 0; i < snapshot->processes.n; i++) {
		struct process *process = vector_at(&snapshot->processes, i);
		if (process->netns != NONE)
			process->netns = kept[newest[process->netns]];
	}
	return 0;
}

static int answer(struct archive *archive, uint64_t time_ns, const struct recall *recall,
		  struct snapshot **ret, struct error *err)
{
	cleanup(listing_done) struct listing listing = {.recall = recall, .states = UINT32_MAX};
	struct moment at = archive_moment(archive, time_ns);
	if (!recall->is_all_states && !filter_names_state(recall->filter))
		listing.states = STATES_OPEN;
	listing.at = at.uptime;
	int r = revival_init(&listing.revival, archive, err);
	if (r >= 0)
		r = list(archive, &at, &listing, err);
	struct snapshot *snapshot = listing.revival.snapshot;
	if (r >= 0)
		r = tell_unknown(archive, snapshot, &at, &at, time_ns, err);
	if (r < 0)
		return r;
	snapshot->collected = NEED_PEERS | NEED_HOLDERS;
	snapshot->time = (double)time_ns / 1e9;
	snapshot->uptime_ns = at.uptime;
	if (join_namespaces(&listing.revival) < 0 ||
	    archive_tell_host(archive, snapshot, at.boot) < 0 || snapshot_seal(snapshot) < 0)
		return error_set(err, -ENOMEM, "read %s", archive->path);
	*ret = TAKE_POINTER(listing.revival.snapshot);
	return 0;
}

int recall_at(struct archive *archive, uint64_t time_ns, const struct recall *recall,
	      struct snapshot **ret, struct error *err)
{
	int r = archive_begin(archive, err);
	if (r < 0)
		return r;
	r = answer(archive, time_ns, recall, ret, err);
	archive_end(archive);
	return r;
}
