/* What follows from the whole of a snapshot: other ends, roles, two owners, completeness. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "model/ends.h"
#include "model/field.h"
#include "model/seal.h"
#include "model/snapshot.h"

/* ---- the other end of a connection within this host ---- */

static uint64_t pair_key(const void *owner, uint32_t index)
{
	return ends_pair_key(snapshot_socket(owner, index));
}

/* Joined with the end that came before it in the same namespace, which is then in the table; else
 * it waits there itself. A connection to itself is its own peer. */
static int join_here(struct snapshot *snapshot, struct table *waiting, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	uint64_t key = pair_key(snapshot, index);
	uint32_t place;
	if (ends_are_mirror(socket, socket)) {
		snapshot->peers[index] = index;
		return 0;
	}
	for (uint32_t i = table_find(waiting, key, &place); i != TABLE_NONE;
	     i = table_next(waiting, key, &place)) {
		const struct socket *other = snapshot_socket(snapshot, i);
		if (ends_are_mirror(socket, other) && other->netns == socket->netns &&
		    snapshot->peers[i] == NONE) {
			snapshot->peers[i] = index;
			snapshot->peers[index] = i;
			return 0;
		}
	}
	return table_add(waiting, key, index);
}

/* The only other end in another namespace that has none in its own; what is loopback stays at home.
 */
static uint32_t find_elsewhere(const struct snapshot *snapshot, const struct table *waiting,
			       uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	uint64_t key = pair_key(snapshot, index);
	uint32_t place, found = NONE;
	if (ip_reach(&socket->peer) == REACH_LOOPBACK)
		return NONE;
	for (uint32_t i = table_find(waiting, key, &place); i != TABLE_NONE;
	     i = table_next(waiting, key, &place)) {
		const struct socket *other = snapshot_socket(snapshot, i);
		if (!ends_are_mirror(socket, other) || other->netns == socket->netns ||
		    (snapshot->peers[i] != NONE && snapshot->peers[i] != index))
			continue;
		if (found != NONE)
			return NONE;
		found = i;
	}
	return found;
}

/* Nothing lies elsewhere where there is only one namespace: no need to look. */
static void join_elsewhere(struct snapshot *snapshot, const struct table *waiting)
{
	if (snapshot->netns.n < 2)
		return;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		if (snapshot->peers[i] != NONE ||
		    !socket_is_connection(snapshot_socket(snapshot, i)))
			continue;
		uint32_t other = find_elsewhere(snapshot, waiting, i);
		if (other != NONE && find_elsewhere(snapshot, waiting, other) == i) {
			snapshot->peers[i] = other;
			snapshot->peers[other] = i;
		}
	}
}

static int join_peers(struct snapshot *snapshot)
{
	uint32_t n = snapshot->sockets.n, n_connections = 0;
	for (uint32_t i = 0; i < n; i++)
		n_connections += socket_is_connection(snapshot_socket(snapshot, i));

	struct table waiting;
	table_init(&waiting, pair_key, snapshot);
	int r = snapshot_take_peers(snapshot);
	if (r >= 0)
		r = table_reserve(&waiting, n_connections);
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		if (socket_is_connection(snapshot_socket(snapshot, i)))
			r = join_here(snapshot, &waiting, i);
	if (r >= 0)
		join_elsewhere(snapshot, &waiting);
	table_done(&waiting);
	return r;
}

/* ---- roles ---- */

static uint64_t listener_key(const void *owner, uint32_t index)
{
	const struct socket *s = snapshot_socket(owner, index);
	return (uint64_t)s->netns << 32 | (uint32_t)s->local_port << 8 | s->proto;
}

static bool has_listener(const struct snapshot *snapshot, const struct table *listeners,
			 const struct socket *socket)
{
	uint32_t place;
	uint64_t key =
		(uint64_t)socket->netns << 32 | (uint32_t)socket->local_port << 8 | socket->proto;
	for (uint32_t i = table_find(listeners, key, &place); i != TABLE_NONE;
	     i = table_next(listeners, key, &place))
		if (listener_takes(snapshot_socket(snapshot, i), socket))
			return true;
	return false;
}

/* Of a REUSEPORT group one tells as much as all: a table of equal keys would be slow. */
static int add_listener(const struct snapshot *snapshot, struct table *listeners, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	uint64_t key = listener_key(snapshot, index);
	uint32_t place;
	for (uint32_t i = table_find(listeners, key, &place); i != TABLE_NONE;
	     i = table_next(listeners, key, &place)) {
		const struct socket *other = snapshot_socket(snapshot, i);
		if (listener_key(snapshot, i) == key && ip_equal(&other->local, &socket->local) &&
		    other->flags == socket->flags)
			return 0;
	}
	return table_add(listeners, key, index);
}

/* Accepted where a listener has this end, dialled where one has the other end or the peer is
 * elsewhere; what has neither although both ends are here is local. */
static int tell_roles(struct snapshot *snapshot)
{
	struct table listeners;
	table_init(&listeners, listener_key, snapshot);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		if (socket_is_server(snapshot_socket(snapshot, i)))
			r = add_listener(snapshot, &listeners, i);
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&snapshot->sockets, i);
		if (!socket_is_connection(socket))
			continue;
		if (socket->state == STATE_SYN_RECV || has_listener(snapshot, &listeners, socket)) {
			socket->role = ROLE_ACCEPTED;
			continue;
		}
		uint32_t peer = snapshot->peers ? snapshot->peers[i] : NONE;
		bool is_local =
			peer != NONE && socket->state != STATE_SYN_SENT &&
			!has_listener(snapshot, &listeners, snapshot_socket(snapshot, peer));
		socket->role = is_local ? ROLE_LOCAL : ROLE_DIALLED;
	}
	table_done(&listeners);
	return r;
}

/* ---- one number, two owners ---- */

/* Who a person would say it is: the unit, else the program. */
static const char *owner_of(const struct snapshot *snapshot, const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	const struct process *process = holder ? snapshot_process(snapshot, holder->process) : NULL;
	if (!process)
		return NULL;
	return process->unit ? process->unit : process->exe ? process->exe : process->name;
}

/* One address, or any address in both families. */
static bool is_same_place(const struct socket *a, const struct socket *b)
{
	return ip_equal(&a->local, &b->local) || (ip_is_any(&a->local) && ip_is_any(&b->local));
}

static bool share_a_process(const struct snapshot *snapshot, const struct socket *a,
			    const struct socket *b)
{
	for (const struct holder *x = snapshot_holder(snapshot, a->holder); x;
	     x = snapshot_holder(snapshot, x->next))
		for (const struct holder *y = snapshot_holder(snapshot, b->holder); y;
		     y = snapshot_holder(snapshot, y->next)) {
			const struct process *p = snapshot_process(snapshot, x->process),
					     *q = snapshot_process(snapshot, y->process);
			/* workers of one parent, and a parent and its worker, are one owner */
			if (p == q || p->ppid == q->pid || q->ppid == p->pid ||
			    (p->ppid == q->ppid && p->ppid > 1 && p->exe == q->exe &&
			     (a->flags & b->flags & SOCKET_REUSEPORT) && is_same_place(a, b)))
				return true;
		}
	return false;
}

/* Two processes of one program in one service: a proxy for each family. A scope is no such bond:
 * whatever was started in a session is in it. */
static bool is_one_service(const struct snapshot *snapshot, const struct socket *a,
			   const struct socket *b)
{
	const struct holder *x = snapshot_holder(snapshot, a->holder),
			    *y = snapshot_holder(snapshot, b->holder);
	const struct process *p = snapshot_process(snapshot, x->process),
			     *q = snapshot_process(snapshot, y->process);
	const char *dot = p->unit ? strrchr(p->unit, '.') : NULL;
	return dot && strcmp(dot, ".service") == 0 && strncmp(p->unit, "user@", 5) != 0 &&
	       p->unit == q->unit && p->exe == q->exe && p->runs == q->runs &&
	       p->container == q->container;
}

/* Both are held for the same container: by a proxy for each family. */
static bool share_an_answer(const struct snapshot *snapshot, const struct socket *a,
			    const struct socket *b)
{
	const struct socket *first = snapshot->sockets.data;
	const struct answer_for *one = snapshot_answer(snapshot, (uint32_t)(a - first)),
				*other = snapshot_answer(snapshot, (uint32_t)(b - first));
	return one && other && one->container != NONE && one->container == other->container;
}

bool seal_are_two_owners(const struct snapshot *snapshot, const struct socket *a,
			 const struct socket *b)
{
	if (a->netns != b->netns || a->local_port != b->local_port || a->proto != b->proto ||
	    a->holder == NONE || b->holder == NONE || share_a_process(snapshot, a, b))
		return false;
	bool is_same_end = ip_equal(&a->local, &b->local) && a->interface == b->interface;
	return !(is_same_end && owner_of(snapshot, a) == owner_of(snapshot, b)) &&
	       !is_one_service(snapshot, a, b) && !share_an_answer(snapshot, a, b);
}

static int mark_two_owners(struct snapshot *snapshot)
{
	struct table ports;
	table_init(&ports, listener_key, snapshot);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&snapshot->sockets, i);
		if (!socket_is_open(socket) || socket->proto == PROTO_RAW || !socket->local_port)
			continue;
		uint64_t key = listener_key(snapshot, i);
		uint32_t place, n = 0;
		for (uint32_t k = table_find(&ports, key, &place);
		     k != TABLE_NONE && n < SEAL_SAME_PORT_MAX;
		     k = table_next(&ports, key, &place)) {
			struct socket *other = vector_at(&snapshot->sockets, k);
			n += other->local_port == socket->local_port;
			if (seal_are_two_owners(snapshot, socket, other)) {
				socket->flags |= SOCKET_TWO_OWNERS;
				other->flags |= SOCKET_TWO_OWNERS;
			}
		}
		if (n < SEAL_SAME_PORT_MAX)
			r = table_add(&ports, key, i);
	}
	table_done(&ports);
	return r;
}

static int by_uid(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_socket(const void *a, const void *b)
{
	const struct answer_for *x = a, *y = b;
	return (x->socket > y->socket) - (x->socket < y->socket);
}

int snapshot_seal(struct snapshot *snapshot)
{
	int r = 0;
	if (snapshot->users.n)
		qsort(snapshot->users.data, snapshot->users.n, sizeof(struct user), by_uid);
	if (snapshot->answers.n)
		qsort(snapshot->answers.data, snapshot->answers.n, sizeof(struct answer_for),
		      by_socket);
	if (snapshot->collected & NEED_PEERS)
		r = join_peers(snapshot);
	if (r >= 0 && snapshot->collected & NEED_ROLE)
		r = tell_roles(snapshot);
	if (r >= 0 && snapshot->collected & NEED_HOLDERS)
		r = mark_two_owners(snapshot);
	if (r < 0)
		return r;

	snapshot->is_complete = true;
	for (uint32_t i = 0; i < snapshot->missing.n; i++)
		if (((struct missing *)vector_at(&snapshot->missing, i))->what != WHAT_NAMES)
			snapshot->is_complete = false;
	snapshot->is_sealed = true;
	return 0;
}
