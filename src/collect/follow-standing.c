/* What a listing of all sockets has: what is open already as the watching begins, and, where events
 * were lost, what was opened and closed unseen. */
#include <errno.h>

#include "base/table.h"
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

uint32_t follow_actor_of(struct follow *follow, const struct snapshot *snapshot,
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

/* ---- what stands in the ring as yet ---- */

enum early_flag { EARLY_BEGINS = 1, EARLY_ENDS = 2 };

struct early {
	struct table table;
	const struct vector *events; /* struct early_event */
};

static const struct found_event *early_at(const struct vector *events, uint32_t index)
{
	return &((const struct early_event *)vector_at(events, index))->found;
}

static uint64_t early_key(const void *owner, uint32_t index)
{
	return early_at(owner, index)->socket.cookie;
}

static int early_init(struct early *early, const struct vector *events)
{
	early->events = events;
	table_init(&early->table, early_key, events);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < events->n; i++)
		r = table_add(&early->table, early_key(events, i), i);
	return r;
}

static unsigned flag_of(const struct found_event *found)
{
	if (found->is_again)
		return 0;
	switch (found->deed) {
	case DEED_BOUND:
	case DEED_LISTENING:
	case DEED_ESTABLISHED:
		return EARLY_BEGINS;
	case DEED_CLOSED:
	case DEED_ENDED:
		return EARLY_ENDS;
	default:
		return 0;
	}
}

/* What will be told of it from there. */
static unsigned early_find(const struct early *early, uint64_t cookie)
{
	unsigned flags = 0;
	uint32_t place;
	for (uint32_t i = table_find(&early->table, cookie, &place); i != TABLE_NONE;
	     i = table_next(&early->table, cookie, &place)) {
		const struct found_event *found = early_at(early->events, i);
		if (found->socket.cookie == cookie)
			flags |= flag_of(found);
	}
	return flags;
}

/* ---- as the watching begins ---- */

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

static uint64_t netns_of(const struct snapshot *snapshot, const struct socket *socket)
{
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	return netns ? netns->inode : 0;
}

static int take_standing(struct follow *follow, const struct snapshot *snapshot,
			 const struct early *early, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	if (!lasts(socket) || early_find(early, socket->cookie) & EARLY_BEGINS)
		return 0;
	struct door *door = doors_add(&follow->doors, socket, netns_of(snapshot, socket),
				      follow_actor_of(follow, snapshot, socket));
	if (!door)
		return -ENOMEM;
	door->flags = DOOR_STANDING;
	return follow_wants(follow, EVENT_STANDING) ? tell_standing(follow, snapshot, index) : 0;
}

static int keep_missing(struct follow *follow, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->missing.n; i++) {
		const struct missing *missing = vector_at(&snapshot->missing, i);
		int r = follow_add_missing(follow, missing);
		if (r < 0)
			return r;
	}
	return 0;
}

static int keep_places(struct follow *follow, const struct snapshot *snapshot)
{
	if (follow->wish.scope.choice == NETNS_ALL)
		return 0;
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		uint64_t *place = vector_add(&follow->places);
		if (!place)
			return -ENOMEM;
		*place = snapshot_netns(snapshot, i)->inode;
	}
	if (follow->events && follow->places.n == 1)
		events_narrow(follow->events, *(uint64_t *)vector_at(&follow->places, 0));
	return 0;
}

static int list_all(struct follow *follow, uint32_t needs, struct snapshot **ret)
{
	struct query query = {.bounds = BOUNDS_ALL,
			      .needs = needs | NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_COOKIE |
				       NEED_ROLE | NEED_V6ONLY,
			      .scope = follow->wish.scope,
			      .source = follow->events ? SOURCE_AUTO : SOURCE_PROC};
	query.bounds.protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_UDPLITE;
	return collect_snapshot(follow->host, &query, ret, follow->err);
}

int follow_list_standing(struct follow *follow)
{
	struct snapshot *snapshot = NULL;
	struct early early = {.events = NULL};
	int r = list_all(follow, follow->wish.needs, &snapshot);
	if (r < 0)
		return r;
	r = early_init(&early, follow->early);
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = take_standing(follow, snapshot, &early, i);
	if (r >= 0)
		r = keep_places(follow, snapshot);
	if (r >= 0)
		r = keep_missing(follow, snapshot);
	table_done(&early.table);
	snapshot_free(snapshot);
	return r;
}

/* ---- what happened unseen ---- */

static bool is_open_kind(const struct socket *socket)
{
	return socket->state == STATE_LISTEN || socket->state == STATE_BOUND ||
	       socket->state == STATE_UNCONN;
}

int follow_tell_difference(struct follow *follow, const struct door *door, bool begins)
{
	bool is_open = is_open_kind(&door->socket);
	enum event_kind kind = is_open	? begins ? EVENT_OPENED : EVENT_CLOSED
			       : begins ? EVENT_ESTABLISHED
					: EVENT_ENDED;
	struct telling telling = {
		.event = {.uptime_ns = follow->now_ns,
			  .kind = (uint8_t)kind,
			  .sure = SURE_PROBABLE,
			  .opened_ns = door->opened_ns,
			  .duration_ns = EVENT_UNKNOWN,
			  .bytes_sent = EVENT_UNKNOWN,
			  .bytes_received = EVENT_UNKNOWN},
		.socket = door->socket,
		.netns = door->netns,
		.actor = door->actor,
		.by = NONE,
	};
	return follow_tell(follow, &telling);
}

/* It is in the listing: known as it is, known as something else, or unknown. */
static int compare(struct follow *follow, const struct snapshot *snapshot,
		   const struct early *early, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	if (!lasts(socket))
		return 0;
	struct door *door = doors_find(&follow->doors, socket->cookie);
	if (door) {
		door->flags |= DOOR_SEEN;
		if (socket->state != STATE_LISTEN || door->socket.state == STATE_LISTEN)
			return 0;
	}
	if (early_find(early, socket->cookie) & EARLY_BEGINS)
		return 0;
	door = doors_add(&follow->doors, socket, netns_of(snapshot, socket),
			 follow_actor_of(follow, snapshot, socket));
	if (!door)
		return -ENOMEM;
	door->flags |= DOOR_SEEN;
	struct door told = *door;
	return follow_tell_difference(follow, &told, true);
}

static int tell_gone(struct follow *follow, const struct early *early)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < follow->doors.all.n; i++) {
		struct door *door = doors_at(&follow->doors, i);
		if (!door->is_used)
			continue;
		bool is_there = door->flags & DOOR_SEEN ||
				early_find(early, door->socket.cookie) & EARLY_ENDS;
		door->flags &= (uint8_t)~DOOR_SEEN;
		if (is_there)
			continue;
		struct door gone = *door;
		r = follow_tell_difference(follow, &gone, false);
		doors_remove(&follow->doors, doors_at(&follow->doors, i));
	}
	return r;
}

int follow_resync(struct follow *follow, enum told_by told_by)
{
	cleanup(vector_done) struct vector waiting = {.data = NULL};
	struct snapshot *snapshot = NULL;
	struct early early = {.events = NULL};
	int r = list_all(follow, 0, &snapshot);
	if (r < 0)
		return r;
	/* what the ring has by now may be in the listing or not: it is told from there */
	follow_read_early(follow, &waiting);
	r = follow_drain(follow);
	follow->early = NULL;
	if (r >= 0)
		r = early_init(&early, &waiting);
	enum told_by usual = follow->told_by;
	follow->told_by = told_by;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = compare(follow, snapshot, &early, i);
	if (r >= 0)
		r = tell_gone(follow, &early);
	follow->told_by = usual;
	if (r >= 0)
		r = follow_tell_early(follow, &waiting);
	follow->is_behind = false;
	table_done(&early.table);
	snapshot_free(snapshot);
	return r;
}
