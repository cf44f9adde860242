/* An event put together: one snapshot serves all, in which processes and namespaces stay and the
 * socket changes. */
#include <errno.h>

#include "collect/following.h"
#include "source/interfaces.h"
#include "source/netns.h"
#include "source/users.h"

#define DETAILS_OLD_NS 1000000000u
#define VIEW_MAX (32 << 20)
#define VIEW_PROCESSES_MAX 65536
/* What follows from a whole listing only. */
#define NEEDS_OF_LISTING (NEED_PEERS | NEED_ROLE | NEED_ANSWERS | NEED_TCP_INFO)

/* ---- namespaces ---- */

static void read_details(struct follow *follow, const struct found_netns *place, uint32_t index)
{
	if (!(follow->wish.needs & NEED_ADDRESSES))
		return;
	struct netns *netns = vector_at(&follow->view->netns, index);
	netns->is_detailed =
		interfaces_read(follow->host, place, &follow->view->arena, netns, NULL) >= 0;
}

/* Its name and its addresses, where it can be found. */
static void find_place(struct follow *follow, uint32_t index)
{
	static const struct netns_scope all = {.choice = NETNS_ALL};
	cleanup(netns_list_done) struct vector found;
	struct netns *netns = vector_at(&follow->view->netns, index);
	vector_init(&found, sizeof(struct found_netns));
	if (netns_find(follow->host, &all, NULL, &found, NULL, NULL) < 0)
		return;
	for (uint32_t i = 0; i < found.n; i++) {
		const struct found_netns *place = vector_at(&found, i);
		if (place->inode != netns->inode)
			continue;
		netns->is_self = place->is_self;
		netns->is_initial = place->is_initial;
		if (place->name[0])
			netns->name = arena_intern_string(&follow->view->arena, place->name);
		read_details(follow, place, index);
	}
}

static uint32_t tell_netns(struct follow *follow, uint64_t inode)
{
	struct vector *all = &follow->view->netns;
	if (!inode)
		return NONE;
	for (uint32_t i = 0; i < all->n; i++)
		if (((struct netns *)vector_at(all, i))->inode == inode)
			return i;
	struct netns *added = vector_add(all);
	if (!added)
		return NONE;
	*added = (struct netns){.inode = inode};
	find_place(follow, all->n - 1);
	return all->n - 1;
}

/* Addresses come and go: those of our own namespace are read again for what is opened. */
static void refresh_details(struct follow *follow, uint32_t index)
{
	struct netns *netns = vector_at(&follow->view->netns, index);
	if (!netns->is_self || follow->now_ns - follow->details_ns < DETAILS_OLD_NS)
		return;
	struct found_netns place = {.inode = netns->inode, .fd = -1, .is_self = true};
	follow->details_ns = follow->now_ns;
	read_details(follow, &place, index);
}

const struct netns *follow_netns(struct follow *follow, uint64_t inode)
{
	uint32_t index = tell_netns(follow, inode);
	if (index == NONE)
		return NULL;
	refresh_details(follow, index);
	return snapshot_netns(follow->view, index);
}

/* ---- users ---- */

static bool has_user(const struct snapshot *view, uint32_t uid)
{
	for (uint32_t i = 0; i < view->users.n; i++)
		if (((struct user *)vector_at(&view->users, i))->uid == uid)
			return true;
	return false;
}

static int by_uid(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

static int tell_users(struct follow *follow, uint32_t uid, uint32_t process)
{
	struct snapshot *view = follow->view;
	const struct process *told = snapshot_process(view, process);
	if (!(follow->wish.needs & NEED_USERS) ||
	    (has_user(view, uid) && (!told || has_user(view, told->uid))))
		return 0;
	int r = users_read(follow->host, view, !(follow->wish.needs & NEED_NO_NSS), NULL);
	if (view->users.n)
		qsort(view->users.data, view->users.n, sizeof(struct user), by_uid);
	return r < 0 ? r : 0;
}

/* ---- the event ---- */

/* Without a process: what a listing said of it, else that nobody was seen. */
static uint8_t held_by(const struct socket *socket, uint32_t process)
{
	if (process != NONE)
		return HELD_PROCESS;
	bool is_told = socket->held_by == HELD_KERNEL || socket->held_by == HELD_NOBODY;
	return is_told ? socket->held_by : (uint8_t)HELD_UNSEEN;
}

static uint32_t put_socket(struct follow *follow, const struct socket *socket, uint64_t netns,
			   uint32_t process)
{
	struct snapshot *view = follow->view;
	uint32_t index = snapshot_add_socket(view, socket);
	if (index == NONE)
		return NONE;
	struct socket *put = vector_at(&view->sockets, index);
	put->netns = tell_netns(follow, netns);
	put->holder = put->tcp_info = NONE;
	put->held_by = held_by(socket, process);
	if (process == NONE)
		return index;
	struct holder *holder = vector_add(&view->holders);
	if (!holder)
		return NONE;
	*holder = (struct holder){.process = process, .fd = -1, .next = NONE};
	put->holder = view->holders.n - 1;
	return index;
}

static void empty_view(struct follow *follow)
{
	struct snapshot *view = follow->view;
	view->sockets.n = view->holders.n = 0;
	view->is_sealed = false;
}

static struct snapshot *make_view(const struct snapshot *from)
{
	struct snapshot *view = snapshot_new();
	if (!view)
		return NULL;
	view->origin = ORIGIN_HOST;
	view->is_privileged = from->is_privileged;
	view->services = from->services;
	view->host = from->host ? arena_intern_string(&view->arena, from->host) : NULL;
	view->boot_id = from->boot_id ? arena_intern_string(&view->arena, from->boot_id) : NULL;
	return view;
}

/* Another, empty view where the one has grown large. 0 or -ENOMEM. */
static int renew_view(struct follow *follow)
{
	struct snapshot *old = follow->view;
	if (arena_size(&old->arena) < VIEW_MAX && old->processes.n < VIEW_PROCESSES_MAX)
		return 0;
	struct snapshot *view = make_view(old);
	int r = view ? actors_move(follow->actors, view) : -ENOMEM;
	if (r < 0) {
		snapshot_free(view);
		return r;
	}
	follow->view = view;
	follow->details_ns = 0;
	snapshot_free(old);
	return 0;
}

static int hand_over(struct follow *follow, struct event *event)
{
	struct snapshot *view = follow->view;
	event->time_ns = (uint64_t)((int64_t)event->uptime_ns + follow->offset_ns);
	event->snapshot = view;
	view->time = (double)event->time_ns / 1e9;
	view->uptime_ns = event->uptime_ns;
	view->collected = follow->wish.needs & ~(uint32_t)NEEDS_OF_LISTING;
	view->is_sealed = view->is_complete = true;
	return follow->sink->event(follow->sink, event);
}

int follow_tell(struct follow *follow, struct telling *telling)
{
	struct event *event = &telling->event;
	if (!follow_wants(follow, event->kind) || !follow_wants_place(follow, telling->netns))
		return 0;
	if (renew_view(follow) < 0)
		return -ENOMEM;
	empty_view(follow);
	uint32_t process = actors_tell(follow->actors, telling->actor);
	event->by = actors_tell(follow->actors, telling->by);
	event->told_by = follow->told_by;
	event->in_the_way = NONE;
	event->socket = put_socket(follow, &telling->socket, telling->netns, process);
	if (event->socket == NONE)
		return -ENOMEM;
	const struct door *other = telling->in_the_way;
	if (other) {
		uint32_t holder = actors_tell(follow->actors, other->actor);
		event->in_the_way = put_socket(follow, &other->socket, other->netns, holder);
	}
	uint32_t netns = ((struct socket *)vector_at(&follow->view->sockets, 0))->netns;
	if (event->kind == EVENT_OPENED && netns != NONE)
		refresh_details(follow, netns);
	int r = tell_users(follow, telling->socket.uid, process);
	return r < 0 ? r : hand_over(follow, event);
}

int follow_tell_bare(struct follow *follow, enum event_kind kind, uint64_t count, const char *why)
{
	struct event event = {.uptime_ns = follow->now_ns,
			      .kind = (uint8_t)kind,
			      .told_by = follow->told_by,
			      .duration_ns = kind == EVENT_GAP ? follow->gap_ns : EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .count = count,
			      .why = why,
			      .socket = NONE,
			      .by = NONE,
			      .in_the_way = NONE};
	if (!follow_wants(follow, kind))
		return 0;
	empty_view(follow);
	return hand_over(follow, &event);
}
