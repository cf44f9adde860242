/* What the sources found, united by inode or by both ends. */
#include <errno.h>
#include <stddef.h>

#include "base/debug.h"
#include "base/privilege.h"
#include "collect/join.h"

#define JOIN_OF(sink) ((struct join *)((char *)(sink)-offsetof(struct join, sink)))

static uint64_t inode_key(const void *owner, uint32_t index)
{
	return snapshot_socket(owner, index)->inode;
}

static uint64_t ends_hash(const struct socket *socket)
{
	uint64_t words[4];
	memcpy(words, &socket->local, sizeof(socket->local));
	memcpy(words + 2, &socket->peer, sizeof(socket->peer));
	uint64_t ports = (uint64_t)socket->local_port << 32 | (uint64_t)socket->peer_port << 8 |
			 socket->proto;
	return table_mix(words[0] ^
			 table_mix(words[1] ^ table_mix(words[2] ^ table_mix(words[3] ^ ports)))) ^
	       socket->netns;
}

static uint64_t ends_key(const void *owner, uint32_t index)
{
	return ends_hash(snapshot_socket(owner, index));
}

static uint64_t pid_key(const void *owner, uint32_t index)
{
	return (uint64_t)snapshot_process(owner, index)->pid;
}

static bool ends_equal(const struct socket *a, const struct socket *b)
{
	return a->local_port == b->local_port && a->peer_port == b->peer_port &&
	       a->proto == b->proto && a->netns == b->netns && ip_equal(&a->local, &b->local) &&
	       ip_equal(&a->peer, &b->peer);
}

static uint32_t find_netns(struct join *join, uint64_t inode)
{
	const struct vector *all = &join->snapshot->netns;
	const struct netns *last = snapshot_netns(join->snapshot, join->last_netns);
	if (last && last->inode == inode)
		return join->last_netns;

	for (uint32_t i = 0; i < all->n; i++)
		if (snapshot_netns(join->snapshot, i)->inode == inode)
			return join->last_netns = i;
	return NONE;
}

uint32_t join_netns(struct join *join, uint64_t inode)
{
	const struct vector *all = &join->snapshot->netns;
	uint32_t index = find_netns(join, inode);
	if (index != NONE)
		return index;

	struct netns *added = vector_add(&join->snapshot->netns);
	if (!added)
		return NONE;
	*added = (struct netns){.inode = inode};
	return join->last_netns = all->n - 1;
}

static uint32_t find_process(const struct join *join, int32_t pid)
{
	uint32_t place;
	uint64_t key = (uint64_t)pid;
	for (uint32_t i = table_find(&join->by_pid, key, &place); i != TABLE_NONE;
	     i = table_next(&join->by_pid, key, &place))
		if (snapshot_process(join->snapshot, i)->pid == pid)
			return i;
	return NONE;
}

uint32_t join_process(struct join *join, int32_t pid)
{
	const struct process *last = snapshot_process(join->snapshot, join->last_process);
	if (last && last->pid == pid)
		return join->last_process;

	uint64_t key = (uint64_t)pid;
	uint32_t known = find_process(join, pid);
	if (known != NONE)
		return join->last_process = known;

	struct process *added = vector_add(&join->snapshot->processes);
	if (!added)
		return NONE;
	*added = (struct process){.pid = pid, .container = NONE, .parent = NONE, .netns = NONE};
	uint32_t index = join->snapshot->processes.n - 1;
	if (table_add(&join->by_pid, key, index) < 0)
		return NONE;
	return join->last_process = index;
}

uint32_t join_find(const struct join *join, uint32_t inode)
{
	uint32_t place;
	if (join->packed)
		return packed_find_inode(join->packed, inode);
	for (uint32_t i = table_find(&join->by_inode, inode, &place); i != TABLE_NONE;
	     i = table_next(&join->by_inode, inode, &place))
		if (snapshot_socket(join->snapshot, i)->inode == inode)
			return i;
	return NONE;
}

static uint32_t find_by_ends(const struct join *join, const struct socket *socket)
{
	uint32_t place;
	uint64_t key = ends_hash(socket);
	for (uint32_t i = table_find(&join->by_ends, key, &place); i != TABLE_NONE;
	     i = table_next(&join->by_ends, key, &place))
		if (ends_equal(snapshot_socket(join->snapshot, i), socket))
			return i;
	return NONE;
}

static bool is_wanted(const struct join *join, const struct socket *socket)
{
	const struct bounds *bounds = &join->query->bounds;
	if (!(bounds->protos & 1u << socket->proto) || !(bounds->states & 1u << socket->state) ||
	    !(bounds->families & 1u << socket->family))
		return false;
	bool is_local =
		socket->local_port >= bounds->port_first && socket->local_port <= bounds->port_last;
	bool is_peer = bounds->either_end && socket->peer_port >= bounds->port_first &&
		       socket->peer_port <= bounds->port_last;
	return is_local || is_peer;
}

/* What a second source knows of a socket that is there already. */
static void complete(struct socket *known, const struct found_socket *found)
{
	const struct socket *more = &found->socket;
	if (!known->cookie)
		known->cookie = more->cookie;
	/* the TCP connection that has its inode came first: the socket itself is meant */
	if (more->flags & SOCKET_MPTCP && !(known->flags & SOCKET_MPTCP)) {
		known->cookie = more->cookie;
		known->recv_queue = more->recv_queue;
		known->send_queue = more->send_queue;
	}
	if (found->has_file)
		known->held_by = found->has_file == FILE_KERNEL ? HELD_KERNEL : known->held_by;
	known->flags |= more->flags;
	known->interface = known->interface ? known->interface : more->interface;
}

static int keep_info(struct join *join, struct socket *socket, const struct tcp_info_part *info)
{
	if (!info || socket->tcp_info != NONE)
		return 0;
	struct tcp_info_part *kept = vector_add(&join->snapshot->tcp_infos);
	if (!kept)
		return -ENOMEM;
	*kept = *info;
	socket->tcp_info = join->snapshot->tcp_infos.n - 1;
	return 0;
}

static int64_t unite_packed(struct join *join, const struct found_socket *found,
			    struct socket *socket, bool may_add)
{
	uint32_t record = packed_find(join->packed, socket);
	if (record == NONE) {
		if (!may_add)
			return NONE;
		if (found->has_file == FILE_KERNEL)
			socket->held_by = HELD_KERNEL;
		const struct tcp_info_part *info = found->info;
		const struct byte_counts counts = {info ? info->bytes_acked : 0,
						   info ? info->bytes_received : 0};
		record = packed_add(join->packed, socket, info ? &counts : NULL);
		return record == NONE ? -ENOMEM : (int64_t)record;
	}
	struct packed_one one;
	packed_get(join->packed, record, &one);
	complete(&one.socket, found);
	int r = packed_change(join->packed, record, &one.socket);
	return r < 0 ? r : (int64_t)record;
}

/* The index of the socket, added where it is new, NONE where it is not wanted; or negative errno.
 */
static int64_t unite(struct join *join, const struct found_socket *found, bool may_add)
{
	if (unlikely(stop_wanted(join->stop)))
		return -ECANCELED;
	struct socket socket = found->socket;
	if (!is_wanted(join, &socket))
		return NONE;
	/* the pass over descriptors goes through all namespaces, whichever were asked for */
	if (join->is_scoped && found->netns_inode && find_netns(join, found->netns_inode) == NONE)
		return NONE;
	if (found->netns_inode == NETNS_UNKNOWN)
		socket.netns = NONE;
	else
		socket.netns =
			found->netns_inode ? join_netns(join, found->netns_inode) : join->current;
	socket.holder = NONE;
	socket.tcp_info = NONE;

	if (join->packed)
		return unite_packed(join, found, &socket, may_add);
	uint32_t index = socket.inode ? join_find(join, socket.inode) : find_by_ends(join, &socket);
	if (index == NONE) {
		if (!may_add)
			return NONE;
		if (found->has_file == FILE_KERNEL)
			socket.held_by = HELD_KERNEL;
		index = snapshot_add_socket(join->snapshot, &socket);
		if (index == NONE)
			return -ENOMEM;
		struct table *table = socket.inode ? &join->by_inode : &join->by_ends;
		if (table_add(table, socket.inode ? socket.inode : ends_hash(&socket), index) < 0)
			return -ENOMEM;
	} else {
		complete(vector_at(&join->snapshot->sockets, index), found);
	}
	int r = keep_info(join, vector_at(&join->snapshot->sockets, index), found->info);
	return r < 0 ? r : (int64_t)index;
}

static int add_holder(struct join *join, uint32_t socket, int32_t pid, int32_t fd)
{
	uint32_t process = join_process(join, pid);
	if (process == NONE)
		return -ENOMEM;
	if (join->packed)
		return packed_hold(join->packed, socket, process, fd);

	/* a process without a leader is reported once a thread */
	for (const struct holder *holder = snapshot_holder(
		     join->snapshot, snapshot_socket(join->snapshot, socket)->holder);
	     holder; holder = snapshot_holder(join->snapshot, holder->next))
		if (holder->process == process && (holder->fd == fd || fd < 0))
			return 0;
	return snapshot_add_holder(join->snapshot, socket, process, fd) == NONE ? -ENOMEM : 0;
}

static int sink_socket(struct sink *sink, const struct found_socket *found)
{
	int64_t index = unite(JOIN_OF(sink), found, JOIN_OF(sink)->takes_unheld);
	return index < 0 ? (int)index : 0;
}

static int sink_tally(struct sink *sink, const struct tallied_socket *socket)
{
	return tally_add(&JOIN_OF(sink)->tally, socket);
}

/* The kernel thought that it was. */
static int tally_unwanted(struct join *join, const struct found_socket *found)
{
	const struct socket *socket = &found->socket;
	if (!join->tally.is_wanted)
		return 0;
	return tally_add(&join->tally, &(struct tallied_socket){
					       .netns_inode = (uint32_t)found->netns_inode,
					       .inode = socket->inode,
					       .is_hashed_tcp = socket->proto == PROTO_TCP &&
								!(socket->flags & SOCKET_MPTCP) &&
								socket->state != STATE_BOUND});
}

static int sink_held(struct sink *sink, const struct found_socket *found, int32_t pid, int32_t fd)
{
	struct join *join = JOIN_OF(sink);
	int64_t index = unite(join, found, true);
	if (index == NONE)
		return tally_unwanted(join, found);
	if (index >= 0 && unlikely(found->half_open))
		index = tally_add_half_open(&join->tally, found->netns_inode) < 0 ? -ENOMEM : index;
	return index < 0 ? (int)index : add_holder(join, (uint32_t)index, pid, fd);
}

static int sink_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct join *join = JOIN_OF(sink);
	if (unlikely(stop_wanted(join->stop)))
		return -ECANCELED;
	uint32_t index = join_find(join, inode);
	if (index != NONE)
		return add_holder(join, index, pid, fd);

	struct stray *stray = vector_add(&join->strays);
	if (!stray)
		return -ENOMEM;
	*stray = (struct stray){.inode = inode, .pid = pid, .fd = fd};
	return 0;
}

static int sink_netns(struct sink *sink, uint64_t inode, int32_t pid, int32_t fd)
{
	struct join *join = JOIN_OF(sink);
	struct stray *door = vector_add(&join->doors);
	if (!door)
		return -ENOMEM;
	*door = (struct stray){.inode = (uint32_t)inode, .pid = pid, .fd = fd};
	return 0;
}

static void sink_expect(struct sink *sink, uint32_t inode)
{
	if (!JOIN_OF(sink)->packed)
		table_expect(&JOIN_OF(sink)->by_inode, inode);
}

static int sink_missing(struct sink *sink, const struct missing *missing)
{
	JOIN_OF(sink)->has_refused |= missing->what == WHAT_PROCESSES;
	return snapshot_add_missing(JOIN_OF(sink)->snapshot, missing);
}

int join_init(struct join *join, struct snapshot *snapshot, const struct query *query)
{
	*join = (struct join){
		.sink = {.socket = sink_socket,
			 .holder = sink_holder,
			 .held = sink_held,
			 .netns = sink_netns,
			 .tally = sink_tally,
			 .expect = sink_expect,
			 .missing = sink_missing},
		.snapshot = snapshot,
		.query = query,
		.current = NONE,
		.last_process = NONE,
		.told_tcp = NONE,
		.last_netns = NONE,
		.takes_unheld = true,
	};
	table_init(&join->by_inode, inode_key, snapshot);
	table_init(&join->by_ends, ends_key, snapshot);
	table_init(&join->by_pid, pid_key, snapshot);
	tally_init(&join->tally);
	vector_init(&join->strays, sizeof(struct stray));
	vector_init(&join->doors, sizeof(struct stray));
	return 0;
}

void join_done(struct join *join)
{
	table_done(&join->by_inode);
	table_done(&join->by_ends);
	table_done(&join->by_pid);
	tally_done(&join->tally);
	vector_done(&join->strays);
	vector_done(&join->doors);
}

int join_reserve(struct join *join, uint32_t n)
{
	int r = join->packed ? 0 : table_reserve(&join->by_inode, n);
	if (join->packed)
		return packed_reserve(join->packed, n);
	if (r >= 0)
		r = vector_reserve(&join->snapshot->sockets, n);
	return r < 0 ? r : vector_reserve(&join->snapshot->holders, n);
}

bool join_walk(const struct join *join, struct join_walk *walk)
{
	if (join->packed) {
		walk->one.packed = join->packed;
		walk->socket = &walk->one.socket;
		bool is_one = packed_next(&walk->one);
		walk->is_held = walk->one.is_held;
		walk->index = walk->one.record;
		return is_one;
	}
	if (walk->n == join->snapshot->sockets.n)
		return false;
	walk->index = walk->n;
	walk->socket = snapshot_socket(join->snapshot, walk->n++);
	walk->is_held = walk->socket->holder != NONE;
	return true;
}

bool join_walk_holder(const struct join *join, const struct join_walk *walk, int32_t *ret_pid,
		      int32_t *ret_fd)
{
	const struct holder *holder = snapshot_holder(join->snapshot, walk->socket->holder);
	uint32_t process = join->packed ? walk->one.process : holder ? holder->process : NONE;
	if (process == NONE)
		return false;
	*ret_pid = snapshot_process(join->snapshot, process)->pid;
	*ret_fd = join->packed ? walk->one.fd : holder->fd;
	return true;
}

int join_change(struct join *join, uint32_t index, const struct socket *socket)
{
	if (join->packed)
		return packed_change(join->packed, index, socket);
	*(struct socket *)vector_at(&join->snapshot->sockets, index) = *socket;
	return 0;
}

bool join_is_held(const struct join *join, uint32_t index)
{
	struct packed_one one;
	if (!join->packed)
		return snapshot_socket(join->snapshot, index)->holder != NONE;
	packed_get(join->packed, index, &one);
	return one.is_held;
}

int join_strays(struct join *join)
{
	uint32_t n_kept = 0;
	for (uint32_t i = 0; i < join->strays.n; i++) {
		struct stray stray = *(struct stray *)vector_at(&join->strays, i);
		uint32_t index = join_find(join, stray.inode);
		if (index == NONE) {
			*(struct stray *)vector_at(&join->strays, n_kept++) = stray;
			continue;
		}
		int r = add_holder(join, index, stray.pid, stray.fd);
		if (r < 0)
			return r;
	}
	join->strays.n = n_kept;
	return 0;
}

/* Processes that may not be read are of no matter where every socket that was asked for has its
 * holder. */
static void forget_refused(struct snapshot *snapshot)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < snapshot->missing.n; i++) {
		struct missing missing = *(struct missing *)vector_at(&snapshot->missing, i);
		if (missing.what != WHAT_PROCESSES)
			*(struct missing *)vector_at(&snapshot->missing, n++) = missing;
	}
	snapshot->missing.n = n;
}

/* Nothing refers to sockets by their place yet but the tables, which are not asked any more. */
static void leave_out_gone(struct vector *sockets)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < sockets->n; i++) {
		const struct socket *socket = vector_at(sockets, i);
		if (unlikely(socket->state == STATE_GONE))
			continue;
		if (n != i)
			*(struct socket *)vector_at(sockets, n) = *socket;
		n++;
	}
	sockets->n = n;
}

/* Says of each socket what holds it; how many of those that may be shown are unseen. */
static uint64_t settle_sockets(struct join *join)
{
	uint64_t n_unseen = 0;
	leave_out_gone(&join->snapshot->sockets);
	for (uint32_t i = 0; i < join->snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&join->snapshot->sockets, i);
		if (socket->holder != NONE)
			socket->held_by = HELD_PROCESS;
		else if (socket->held_by == HELD_KERNEL)
			continue;
		else if (!socket->inode)
			socket->held_by = HELD_NOBODY;
		else
			socket->held_by = HELD_UNSEEN,
			n_unseen += filter_may_match(join->query->filter, join->snapshot, socket);
	}
	return n_unseen;
}

static uint64_t settle_packed(struct join *join)
{
	uint64_t n_unseen = 0;
	struct packed_one one = {.packed = join->packed};
	packed_settle(join->packed);
	while (packed_next(&one))
		n_unseen += one.socket.held_by == HELD_UNSEEN &&
			    filter_may_match(join->query->filter, join->snapshot, &one.socket);
	return n_unseen;
}

int join_settle(struct join *join)
{
	uint64_t n_unseen = join->packed ? settle_packed(join) : settle_sockets(join);
	bool sees_others = privilege_sees_others();
	if (!n_unseen) {
		forget_refused(join->snapshot);
		return 0;
	}

	struct missing missing = {.what = WHAT_HOLDERS, .why = WHY_UNSEEN, .count = n_unseen};
	if (!sees_others) {
		missing.why = WHY_PERMISSION;
		missing.hint = "run it with sudo";
	} else {
		missing.hint = n_unseen == 1
				       ? "it is on its way between processes, or of one in "
					 "another pid namespace; no right shows more"
				       : "they are on their way between processes, or of some "
					 "in another pid namespace; no right shows more";
	}
	return snapshot_add_missing(join->snapshot, &missing);
}
