/* Events that are kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "model/events.h"

#define NEAR 64		/* processes that are looked through for one that is known already */
#define DEPTH_MAX 64	/* of parents */
#define PLACES_MAX 4096 /* namespaces that are looked through */

/* ---- what an event borrows ---- */

static bool intern(struct snapshot *to, const char **text)
{
	if (!*text)
		return true;
	*text = arena_intern_string(&to->arena, *text);
	return *text;
}

static void *copy_array(struct snapshot *to, const void *from, size_t n, size_t size)
{
	void *copy = n ? arena_alloc(&to->arena, n * size) : NULL;
	if (copy)
		memcpy(copy, from, n * size);
	return copy;
}

static bool is_same_place(const struct netns *a, const struct netns *b)
{
	return a->inode == b->inode && a->is_detailed == b->is_detailed &&
	       a->n_addresses == b->n_addresses && a->n_interfaces == b->n_interfaces &&
	       !a->name == !b->name;
}

static int copy_netns(struct snapshot *to, const struct snapshot *from, uint32_t index,
		      uint32_t *ret)
{
	const struct netns *netns = snapshot_netns(from, index);
	*ret = NONE;
	if (!netns)
		return 0;
	for (uint32_t i = to->netns.n, n = 0; i-- && n < PLACES_MAX; n++)
		if (is_same_place(netns, snapshot_netns(to, i))) {
			*ret = i;
			return 0;
		}
	struct netns copy = *netns;
	copy.interfaces =
		copy_array(to, netns->interfaces, netns->n_interfaces, sizeof(*netns->interfaces));
	copy.addresses =
		copy_array(to, netns->addresses, netns->n_addresses, sizeof(*netns->addresses));
	copy.reserved =
		copy_array(to, netns->reserved, netns->n_reserved, sizeof(*netns->reserved));
	if (!intern(to, &copy.name) || (netns->n_interfaces && !copy.interfaces) ||
	    (netns->n_addresses && !copy.addresses) || (netns->n_reserved && !copy.reserved))
		return -ENOMEM;
	for (uint32_t i = 0; i < copy.n_interfaces; i++)
		if (!intern(to, (const char **)&copy.interfaces[i].name))
			return -ENOMEM;
	struct netns *added = vector_add(&to->netns);
	if (!added)
		return -ENOMEM;
	*added = copy;
	*ret = to->netns.n - 1;
	return 0;
}

static int copy_container(struct snapshot *to, const struct snapshot *from, uint32_t index,
			  uint32_t *ret)
{
	const struct container *container = snapshot_container(from, index);
	*ret = NONE;
	if (!container)
		return 0;
	struct container copy = *container;
	if (!intern(to, &copy.id) || !intern(to, &copy.name))
		return -ENOMEM;
	for (uint32_t i = 0; i < to->containers.n; i++) {
		const struct container *known = snapshot_container(to, i);
		if (known->id == copy.id && known->name == copy.name) {
			*ret = i;
			return 0;
		}
	}
	struct container *added = vector_add(&to->containers);
	if (!added)
		return -ENOMEM;
	*added = copy;
	*ret = to->containers.n - 1;
	return 0;
}

/* Sorted by number, so that snapshot_user finds it. */
static int copy_user(struct snapshot *to, const struct snapshot *from, uint32_t uid)
{
	const char *name = snapshot_user(from, uid);
	if (!name || snapshot_user(to, uid))
		return 0;
	name = arena_intern_string(&to->arena, name);
	if (!name || !vector_add(&to->users))
		return -ENOMEM;
	struct user *users = to->users.data;
	uint32_t at = to->users.n - 1;
	for (; at && users[at - 1].uid > uid; at--)
		users[at] = users[at - 1];
	users[at] = (struct user){.uid = uid, .name = name};
	return 0;
}

/* Its strings are of one arena, where equal ones are one. */
static bool is_same_process(const struct process *a, const struct process *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks && a->ppid == b->ppid &&
	       a->uid == b->uid && a->known == b->known && a->name == b->name && a->exe == b->exe &&
	       a->cmdline == b->cmdline && a->cwd == b->cwd && a->unit == b->unit &&
	       a->runs == b->runs && a->from == b->from && a->is == b->is &&
	       a->container == b->container && a->parent == b->parent && a->netns == b->netns &&
	       a->exe_deleted == b->exe_deleted;
}

static int copy_process(struct snapshot *to, const struct snapshot *from, uint32_t index,
			unsigned depth, uint32_t *ret)
{
	const struct process *process = snapshot_process(from, index);
	*ret = NONE;
	if (!process)
		return 0;
	struct process copy = *process;
	copy.parent = NONE;
	int r = 0;
	if (process->parent != index && depth < DEPTH_MAX)
		r = copy_process(to, from, process->parent, depth + 1, &copy.parent);
	if (r >= 0)
		r = copy_container(to, from, process->container, &copy.container);
	if (r >= 0)
		r = copy_netns(to, from, process->netns, &copy.netns);
	if (r >= 0 && process->known & KNOWN_UID)
		r = copy_user(to, from, process->uid);
	if (r < 0 || !intern(to, &copy.name) || !intern(to, &copy.exe) ||
	    !intern(to, &copy.cmdline) || !intern(to, &copy.cwd) || !intern(to, &copy.unit) ||
	    !intern(to, &copy.runs) || !intern(to, &copy.from) || !intern(to, &copy.is))
		return -ENOMEM;
	for (uint32_t i = to->processes.n, n = 0; i-- && n < NEAR; n++)
		if (is_same_process(&copy, snapshot_process(to, i))) {
			*ret = i;
			return 0;
		}
	struct process *added = vector_add(&to->processes);
	if (!added)
		return -ENOMEM;
	*added = copy;
	*ret = to->processes.n - 1;
	return 0;
}

static int copy_holders(struct snapshot *to, const struct snapshot *from, uint32_t holder,
			uint32_t socket)
{
	for (; holder != NONE; holder = snapshot_holder(from, holder)->next) {
		const struct holder *of = snapshot_holder(from, holder);
		uint32_t process;
		int r = copy_process(to, from, of->process, 0, &process);
		if (r < 0 ||
		    (process != NONE && snapshot_add_holder(to, socket, process, of->fd) == NONE))
			return -ENOMEM;
	}
	return 0;
}

static int copy_socket(struct snapshot *to, const struct snapshot *from, uint32_t index)
{
	struct socket copy = {.netns = NONE, .holder = NONE, .tcp_info = NONE};
	uint32_t holder = NONE;
	int r = 0;
	if (index != NONE) {
		copy = *snapshot_socket(from, index);
		holder = copy.holder;
		copy.holder = copy.tcp_info = NONE;
		r = copy_netns(to, from, copy.netns, &copy.netns);
	}
	if (r >= 0 && copy.flags & SOCKET_UID_KNOWN)
		r = copy_user(to, from, copy.uid);
	uint32_t added = r < 0 ? NONE : snapshot_add_socket(to, &copy);
	return added == NONE ? -ENOMEM : copy_holders(to, from, holder, added);
}

/* ---- the list ---- */

static int add(struct snapshot *to, const struct event *event, uint32_t socket, uint32_t by)
{
	struct event *added = vector_add(&to->events);
	if (!added)
		return -ENOMEM;
	*added = *event;
	added->snapshot = to;
	added->socket = socket;
	added->by = by;
	added->in_the_way = NONE;
	return 0;
}

static int add_in_the_way(struct snapshot *to, const struct event *event)
{
	struct event other = {.time_ns = event->time_ns,
			      .uptime_ns = event->uptime_ns,
			      .number = event->number,
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = EVENT_STANDING,
			      .told_by = event->told_by};
	uint32_t at = to->sockets.n;
	int r = copy_socket(to, event->snapshot, event->in_the_way);
	if (r >= 0)
		r = add(to, &other, at, NONE);
	if (r >= 0)
		((struct event *)vector_at(&to->events, at - 1))->in_the_way = at;
	return r;
}

static int add_all(struct snapshot *to, const struct event *event, uint64_t number)
{
	uint32_t at = to->sockets.n, by = NONE;
	struct event copy = *event;
	copy.number = number;
	int r = copy_socket(to, event->snapshot, event->socket);
	if (r >= 0 && event->by != NONE)
		r = copy_process(to, event->snapshot, event->by, 0, &by);
	if (r >= 0 && copy.why && !intern(to, &copy.why))
		r = -ENOMEM;
	if (r >= 0)
		r = add(to, &copy, event->socket == NONE ? NONE : at, by);
	if (r >= 0 && event->in_the_way != NONE)
		r = add_in_the_way(to, event);
	return r;
}

int events_add(struct snapshot *to, const struct event *event, uint64_t number)
{
	uint32_t n = to->events.n, n_holders = to->holders.n;
	int r = add_all(to, event, number);
	if (r < 0) { /* both or neither */
		to->sockets.n = to->events.n = n;
		to->holders.n = n_holders;
		return r;
	}
	if (event->snapshot && event->socket != NONE) {
		to->collected |= event->snapshot->collected;
		to->services = event->snapshot->services ? event->snapshot->services : to->services;
	}
	return 0;
}

/* ---- views of it ---- */

static int copy_vector(struct vector *to, const struct vector *from, uint32_t first)
{
	uint32_t n = from->n - first;
	int r = n ? vector_reserve(to, n) : 0;
	if (r < 0 || !n)
		return r;
	memcpy(to->data, vector_at(from, first), (size_t)n * from->size);
	to->n = n;
	return 0;
}

static void point_to_itself(struct snapshot *view, uint32_t first)
{
	for (uint32_t i = 0; i < view->events.n; i++) {
		struct event *event = vector_at(&view->events, i);
		event->snapshot = view;
		event->socket -= event->socket == NONE ? 0 : first;
		event->in_the_way -= event->in_the_way == NONE ? 0 : first;
	}
}

static void copy_facts(struct snapshot *to, const struct snapshot *from)
{
	to->time = from->time;
	to->uptime_ns = from->uptime_ns;
	to->origin = from->origin;
	to->is_privileged = from->is_privileged;
	to->is_complete = from->is_complete;
	to->collected = from->collected;
	to->services = from->services;
}

struct snapshot *events_view(struct snapshot *from, uint32_t first)
{
	struct snapshot *view = snapshot_new();
	if (!view)
		return NULL;
	copy_facts(view, from);
	view->host = from->host;
	view->boot_id = from->boot_id;
	atomic_fetch_add(&from->n_owners, 1);
	view->texts_of = from;
	if (copy_vector(&view->sockets, &from->sockets, first) < 0 ||
	    copy_vector(&view->events, &from->events, first) < 0 ||
	    copy_vector(&view->holders, &from->holders, 0) < 0 ||
	    copy_vector(&view->processes, &from->processes, 0) < 0 ||
	    copy_vector(&view->netns, &from->netns, 0) < 0 ||
	    copy_vector(&view->containers, &from->containers, 0) < 0 ||
	    copy_vector(&view->users, &from->users, 0) < 0 ||
	    copy_vector(&view->missing, &from->missing, 0) < 0) {
		snapshot_free(view);
		return NULL;
	}
	point_to_itself(view, first);
	view->is_sealed = true;
	return view;
}

static int renew(struct snapshot *to, const struct snapshot *from, uint32_t first)
{
	copy_facts(to, from);
	if (!(to->host = from->host) || !intern(to, &to->host))
		to->host = NULL;
	if (!(to->boot_id = from->boot_id) || !intern(to, &to->boot_id))
		to->boot_id = NULL;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < from->missing.n; i++) {
		struct missing missing = *(const struct missing *)vector_at(&from->missing, i);
		r = intern(to, &missing.hint) ? snapshot_add_missing(to, &missing) : -ENOMEM;
	}
	for (uint32_t i = first; r >= 0 && i < from->events.n; i++) {
		const struct event *event = events_at(from, i);
		if (event->kind != EVENT_STANDING)
			r = events_add(to, event, event->number);
	}
	return r;
}

struct snapshot *events_renew(const struct snapshot *from, uint32_t first)
{
	struct snapshot *to = snapshot_new();
	if (!to || renew(to, from, first) >= 0)
		return to;
	snapshot_free(to);
	return NULL;
}

void rows_keep_events(struct rows *rows, uint64_t from_ns, uint64_t until_ns)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct event *event = events_at(rows->snapshot, rows->order[i]);
		if (event->kind != EVENT_STANDING && event->time_ns >= from_ns &&
		    (!until_ns || event->time_ns <= until_ns))
			rows->order[n++] = rows->order[i];
	}
	rows->n_sockets = rows->n_rows = n;
}
