/* A snapshot from its first socket to its sealing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/field.h"
#include "model/snapshot.h"

struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return NULL;
	arena_init(&snapshot->arena);
	vector_init(&snapshot->sockets, sizeof(struct socket));
	vector_init(&snapshot->holders, sizeof(struct holder));
	vector_init(&snapshot->processes, sizeof(struct process));
	vector_init(&snapshot->netns, sizeof(struct netns));
	vector_init(&snapshot->containers, sizeof(struct container));
	vector_init(&snapshot->users, sizeof(struct user));
	vector_init(&snapshot->missing, sizeof(struct missing));
	vector_init(&snapshot->tcp_infos, sizeof(struct tcp_info_part));
	vector_init(&snapshot->answers, sizeof(struct answer_for));
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	struct vector *vectors[] = {&snapshot->sockets, &snapshot->holders,    &snapshot->processes,
				    &snapshot->netns,	&snapshot->containers, &snapshot->users,
				    &snapshot->missing, &snapshot->tcp_infos,  &snapshot->answers};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	free(snapshot->peers);
	free(snapshot->peer_processes);
	arena_done(&snapshot->arena);
	free(snapshot);
}

uint32_t snapshot_add_socket(struct snapshot *snapshot, const struct socket *socket)
{
	struct socket *added = vector_add(&snapshot->sockets);
	if (!added)
		return NONE;
	*added = *socket;
	return snapshot->sockets.n - 1;
}

uint32_t snapshot_add_holder(struct snapshot *snapshot, uint32_t socket, uint32_t process,
			     int32_t fd)
{
	struct holder *added = vector_add(&snapshot->holders);
	if (!added)
		return NONE;
	*added = (struct holder){.process = process, .fd = fd, .next = NONE};
	uint32_t index = snapshot->holders.n - 1;

	uint32_t *link = &((struct socket *)vector_at(&snapshot->sockets, socket))->holder;
	while (*link != NONE)
		link = &((struct holder *)vector_at(&snapshot->holders, *link))->next;
	*link = index;
	return index;
}

int snapshot_add_missing(struct snapshot *snapshot, const struct missing *missing)
{
	for (uint32_t i = 0; i < snapshot->missing.n; i++) {
		struct missing *known = vector_at(&snapshot->missing, i);
		if (known->what == missing->what && known->why == missing->why &&
		    known->hint == missing->hint) {
			known->count += missing->count;
			return 0;
		}
	}
	struct missing *added = vector_add(&snapshot->missing);
	if (!added)
		return -ENOMEM;
	*added = *missing;
	return 0;
}

static int compare_users(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

const char *snapshot_user(const struct snapshot *snapshot, uint32_t uid)
{
	uint32_t low = 0, high = snapshot->users.n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const struct user *user = vector_at(&snapshot->users, middle);
		if (user->uid == uid)
			return user->name;
		if (user->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int compare_answers(const void *a, const void *b)
{
	const struct answer_for *x = a, *y = b;
	return (x->socket > y->socket) - (x->socket < y->socket);
}

const struct answer_for *snapshot_answer(const struct snapshot *snapshot, uint32_t socket)
{
	if (!snapshot->answers.n)
		return NULL;
	const struct answer_for key = {.socket = socket};
	return bsearch(&key, snapshot->answers.data, snapshot->answers.n, sizeof(key),
		       compare_answers);
}

/* ---- the other end of a connection within this host ---- */

static uint64_t mix_end(const struct ip *ip, uint16_t port)
{
	uint64_t words[2];
	memcpy(words, ip, sizeof(words));
	return table_mix(words[0] ^ table_mix(words[1] ^ port));
}

static uint64_t ends_key(const void *owner, uint32_t index)
{
	const struct socket *s = snapshot_socket(owner, index);
	return mix_end(&s->local, s->local_port) + 3 * mix_end(&s->peer, s->peer_port) + s->proto;
}

static bool is_mirror(const struct socket *a, const struct socket *b)
{
	return a->proto == b->proto && a->local_port == b->peer_port &&
	       a->peer_port == b->local_port && ip_equal(&a->local, &b->peer) &&
	       ip_equal(&a->peer, &b->local);
}

static bool is_connection(const struct socket *socket)
{
	return socket->peer_port && socket->state != STATE_LISTEN;
}

/* In the same namespace, else the only one in any other. A connection to itself is its own peer. */
static uint32_t find_peer(const struct snapshot *snapshot, const struct table *table,
			  uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	uint64_t key = mix_end(&socket->peer, socket->peer_port) +
		       3 * mix_end(&socket->local, socket->local_port) + socket->proto;
	uint32_t place, elsewhere = NONE, n_elsewhere = 0;
	for (uint32_t i = table_find(table, key, &place); i != TABLE_NONE;
	     i = table_next(table, key, &place)) {
		const struct socket *other = snapshot_socket(snapshot, i);
		if (!is_mirror(socket, other))
			continue;
		if (other->netns == socket->netns)
			return i;
		elsewhere = i;
		n_elsewhere++;
	}
	return n_elsewhere == 1 && ip_reach(&socket->peer) != REACH_LOOPBACK ? elsewhere : NONE;
}

static int join_peers(struct snapshot *snapshot)
{
	uint32_t n = snapshot->sockets.n;
	snapshot->peers = malloc(((size_t)n + 1) * sizeof(*snapshot->peers));
	if (!snapshot->peers)
		return -ENOMEM;

	struct table table;
	table_init(&table, ends_key, snapshot);
	int r = table_reserve(&table, n);
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		if (is_connection(snapshot_socket(snapshot, i)))
			r = table_add(&table, ends_key(snapshot, i), i);
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		snapshot->peers[i] = is_connection(snapshot_socket(snapshot, i))
					     ? find_peer(snapshot, &table, i)
					     : NONE;
	table_done(&table);
	return r;
}

/* ---- roles ---- */

static uint64_t listener_key(const void *owner, uint32_t index)
{
	const struct socket *s = snapshot_socket(owner, index);
	return (uint64_t)s->netns << 32 | (uint32_t)s->local_port << 8 | s->proto;
}

static bool takes(const struct socket *listener, const struct socket *connection)
{
	if (listener->netns != connection->netns ||
	    listener->local_port != connection->local_port || listener->proto != connection->proto)
		return false;
	if (ip_equal(&listener->local, &connection->local))
		return true;
	if (!ip_is_any(&listener->local))
		return false;
	bool is_v4 = socket_is_v4(connection);
	return socket_is_v4(listener) ? is_v4 : !is_v4 || !(listener->flags & SOCKET_V6ONLY);
}

static bool has_listener(const struct snapshot *snapshot, const struct table *listeners,
			 const struct socket *socket)
{
	uint32_t place;
	uint64_t key =
		(uint64_t)socket->netns << 32 | (uint32_t)socket->local_port << 8 | socket->proto;
	for (uint32_t i = table_find(listeners, key, &place); i != TABLE_NONE;
	     i = table_next(listeners, key, &place))
		if (takes(snapshot_socket(snapshot, i), socket))
			return true;
	return false;
}

/* It takes what comes to its port: a listener, or UDP and the like without a peer. */
static bool is_server(const struct socket *socket)
{
	return socket_is_open(socket) && socket->local_port && socket->proto != PROTO_RAW &&
	       !socket->peer_port;
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
		if (is_server(snapshot_socket(snapshot, i)))
			r = add_listener(snapshot, &listeners, i);
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&snapshot->sockets, i);
		if (!is_connection(socket))
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

static bool are_two_owners(const struct snapshot *snapshot, const struct socket *a,
			   const struct socket *b)
{
	if (a->netns != b->netns || a->local_port != b->local_port || a->proto != b->proto ||
	    a->holder == NONE || b->holder == NONE || share_a_process(snapshot, a, b))
		return false;
	bool is_same_end = ip_equal(&a->local, &b->local) && a->interface == b->interface;
	return !(is_same_end && owner_of(snapshot, a) == owner_of(snapshot, b)) &&
	       !is_one_service(snapshot, a, b);
}

#define SAME_PORT_MAX 64 /* a larger REUSEPORT group is compared with its first so many */

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
		     k != TABLE_NONE && n < SAME_PORT_MAX; k = table_next(&ports, key, &place)) {
			struct socket *other = vector_at(&snapshot->sockets, k);
			n += other->local_port == socket->local_port;
			if (are_two_owners(snapshot, socket, other)) {
				socket->flags |= SOCKET_TWO_OWNERS;
				other->flags |= SOCKET_TWO_OWNERS;
			}
		}
		if (n < SAME_PORT_MAX)
			r = table_add(&ports, key, i);
	}
	table_done(&ports);
	return r;
}

int snapshot_seal(struct snapshot *snapshot)
{
	int r = 0;
	if (snapshot->users.n)
		qsort(snapshot->users.data, snapshot->users.n, sizeof(struct user), compare_users);
	if (snapshot->answers.n)
		qsort(snapshot->answers.data, snapshot->answers.n, sizeof(struct answer_for),
		      compare_answers);
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
