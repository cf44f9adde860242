/* What is open already as the watching begins. */
#include <errno.h>

#include "collect/collect.h"
#include "collect/following.h"

/* Without a struct of its own that lasts, or not yet a connection. */
static bool lasts(const struct socket *socket)
{
	return socket->cookie && socket->state != STATE_TIME_WAIT &&
	       socket->state != STATE_SYN_RECV && socket->state != STATE_SYN_SENT &&
	       (socket->proto == PROTO_TCP || socket->proto == PROTO_UDP ||
		socket->proto == PROTO_UDPLITE);
}

static uint32_t actor_of(struct follow *follow, const struct snapshot *snapshot,
			 const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	const struct process *process = holder ? snapshot_process(snapshot, holder->process) : NULL;
	if (!process || !(process->known & KNOWN_STAT))
		return NONE;
	uint64_t tick_ns = 1000000000u / (uint64_t)follow->host->ticks;
	return actors_find(follow->actors,
			   (struct actor){process->pid, process->start_ticks * tick_ns});
}

/* Its beginning stands in the ring and will be told from there. */
static bool is_early(const struct follow *follow, uint64_t cookie)
{
	for (uint32_t i = 0; follow->early && i < follow->early->n; i++) {
		const struct found_event *found = vector_at(follow->early, i);
		if (found->socket.cookie == cookie &&
		    (found->deed == DEED_BOUND || found->deed == DEED_LISTENING ||
		     found->deed == DEED_ESTABLISHED))
			return true;
	}
	return false;
}

static int tell_standing(struct follow *follow, const struct snapshot *snapshot, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	struct event event = {
		.uptime_ns = snapshot->uptime_ns,
		.time_ns = (uint64_t)((int64_t)snapshot->uptime_ns + follow->offset_ns),
		.kind = EVENT_STANDING,
		.sure = socket->holder == NONE ? SURE_PROBABLE : SURE_EXACT,
		.told_by = follow->told_by,
		.duration_ns = EVENT_UNKNOWN,
		.bytes_sent = EVENT_UNKNOWN,
		.bytes_received = EVENT_UNKNOWN,
		.snapshot = snapshot,
		.socket = index,
		.by = NONE,
		.in_the_way = NONE,
	};
	return follow->sink->event(follow->sink, &event);
}

static int take_one(struct follow *follow, const struct snapshot *snapshot, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	if (!lasts(socket) || is_early(follow, socket->cookie))
		return 0;
	struct door *door = doors_add(&follow->doors, socket, netns ? netns->inode : 0,
				      actor_of(follow, snapshot, socket));
	if (!door)
		return -ENOMEM;
	door->flags = DOOR_STANDING;
	return follow_wants(follow, EVENT_STANDING) ? tell_standing(follow, snapshot, index) : 0;
}

int follow_list_standing(struct follow *follow)
{
	struct query query = {.bounds = BOUNDS_ALL,
			      .needs = follow->wish.needs | NEED_HOLDERS | NEED_STAT | NEED_EXE |
				       NEED_COOKIE | NEED_ROLE,
			      .scope = follow->wish.scope,
			      .source = follow->wish.source};
	struct snapshot *snapshot = NULL;
	int r = collect_snapshot(follow->host, &query, &snapshot, follow->err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = take_one(follow, snapshot, i);
	if (follow->wish.scope.choice != NETNS_ALL)
		for (uint32_t i = 0; r >= 0 && i < snapshot->netns.n; i++) {
			uint64_t *place = vector_add(&follow->places);
			r = place ? 0 : -ENOMEM;
			if (place)
				*place = snapshot_netns(snapshot, i)->inode;
		}
	for (uint32_t i = 0; r >= 0 && i < snapshot->missing.n; i++) {
		struct missing *missing = vector_add(&follow->missing);
		r = missing ? 0 : -ENOMEM;
		if (missing) {
			*missing = *(struct missing *)vector_at(&snapshot->missing, i);
			if (missing->hint)
				missing->hint =
					arena_intern_string(&follow->view->arena, missing->hint);
		}
	}
	snapshot_free(snapshot);
	return r;
}
