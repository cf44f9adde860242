/* What follows from the whole of a stream: other ends, listeners, two owners. The same as seal.c
 * works out of an array, from sockets that are packed, with at most 10 bytes for each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/ends.h"
#include "model/field.h"
#include "model/seal.h"
#include "model/stream-seal.h"

/* ---- the other end of a connection within this host ---- */

/* While they are joined. Of a connection that waits for its other end the place in @peers has part
 * of its hash, so that few are read to be compared. */
struct joining {
	const struct packed *packed;
	uint32_t *peers;
	uint8_t *is_joined; /* a bit each */
	struct slots waiting;
};

static bool is_joined(const struct joining *joining, uint32_t record)
{
	return joining->is_joined[record / 8] >> record % 8 & 1;
}

static void join(struct joining *joining, uint32_t a, uint32_t b)
{
	joining->peers[a] = b;
	joining->peers[b] = a;
	joining->is_joined[a / 8] |= (uint8_t)(1u << a % 8);
	joining->is_joined[b / 8] |= (uint8_t)(1u << b % 8);
}

static uint64_t pair_hash(const struct socket *socket)
{
	return table_mix(ends_pair_key(socket));
}

/* @record still waits, and may be what has @hash; then it is read. */
static bool read_waiting(const struct joining *joining, uint32_t record, uint64_t hash,
			 struct packed_one *ret)
{
	if (is_joined(joining, record) || joining->peers[record] != (uint32_t)hash)
		return false;
	packed_get(joining->packed, record, ret);
	return true;
}

/* With the end that came before it in the same namespace; else it waits itself. A connection to
 * itself is its own peer. */
static void join_here(struct joining *joining, const struct packed_one *one)
{
	uint64_t hash = pair_hash(&one->socket);
	uint32_t place;
	struct packed_one other;
	if (ends_are_mirror(&one->socket, &one->socket)) {
		join(joining, one->record, one->record);
		return;
	}
	for (uint32_t i = slots_find(&joining->waiting, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&joining->waiting, hash, &place)) {
		if (read_waiting(joining, i, hash, &other) &&
		    ends_are_mirror(&one->socket, &other.socket) &&
		    other.socket.netns == one->socket.netns) {
			join(joining, i, one->record);
			return;
		}
	}
	joining->peers[one->record] = (uint32_t)hash;
	slots_add(&joining->waiting, hash, one->record);
}

/* The only other end in another namespace that has none in its own; what is loopback stays at home.
 */
static uint32_t find_elsewhere(const struct joining *joining, const struct socket *socket)
{
	uint64_t hash = pair_hash(socket);
	uint32_t place, found = NONE;
	struct packed_one other;
	if (ip_reach(&socket->peer) == REACH_LOOPBACK)
		return NONE;
	for (uint32_t i = slots_find(&joining->waiting, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&joining->waiting, hash, &place)) {
		if (!read_waiting(joining, i, hash, &other) ||
		    !ends_are_mirror(socket, &other.socket) || other.socket.netns == socket->netns)
			continue;
		if (found != NONE)
			return NONE;
		found = i;
	}
	return found;
}

static void join_elsewhere(struct joining *joining)
{
	struct packed_one one = {.packed = joining->packed}, other;
	while (packed_next(&one)) {
		if (is_joined(joining, one.record) || !socket_is_connection(&one.socket))
			continue;
		uint32_t record = find_elsewhere(joining, &one.socket);
		if (record == NONE)
			continue;
		packed_get(joining->packed, record, &other);
		if (find_elsewhere(joining, &other.socket) == one.record)
			join(joining, one.record, record);
	}
}

static int join_peers(struct stream *stream, uint32_t n_connections)
{
	uint32_t n = packed_n(stream->packed);
	cleanup(freep) uint8_t *bits = calloc(n / 8 + 1, 1);
	struct joining joining = {.packed = stream->packed, .is_joined = bits};
	slots_init(&joining.waiting);
	if (!bits || vector_reserve(&stream->peers, n + 1) < 0 ||
	    slots_start(&joining.waiting, n_connections, n) < 0)
		return -ENOMEM;
	joining.peers = stream->peers.data;

	struct packed_one one = {.packed = stream->packed};
	while (packed_next(&one))
		if (socket_is_connection(&one.socket))
			join_here(&joining, &one);
	if (stream->snapshot->netns.n > 1)
		join_elsewhere(&joining);
	for (uint32_t i = 0; i < n; i++)
		if (!is_joined(&joining, i))
			joining.peers[i] = NONE;
	slots_done(&joining.waiting);
	return 0;
}

/* ---- listeners ---- */

static uint64_t listener_hash(const struct socket *server, const struct ip *ip)
{
	return table_mix(end_key(ip, server->local_port) + server->proto) ^
	       table_mix(server->netns);
}

/* A server at @ip that takes @connection. */
static bool is_taken_at(const struct stream *stream, const struct socket *connection,
			const struct ip *ip)
{
	uint64_t hash = listener_hash(connection, ip);
	uint32_t place;
	for (uint32_t i = slots_find(&stream->listeners, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&stream->listeners, hash, &place)) {
		struct packed_one one;
		packed_get(stream->packed, i, &one);
		if (ip_equal(&one.socket.local, ip) && listener_takes(&one.socket, connection))
			return true;
	}
	return false;
}

bool stream_has_listener(const struct stream *stream, const struct socket *connection)
{
	static const struct ip any_v6;
	struct ip any_v4 = ip_from_v4((const uint8_t[]){0, 0, 0, 0});
	return is_taken_at(stream, connection, &connection->local) ||
	       is_taken_at(stream, connection, &any_v4) || is_taken_at(stream, connection, &any_v6);
}

/* Of a REUSEPORT group one tells as much as all: so many equal ones would be slow. */
static bool is_listed(const struct stream *stream, const struct socket *server, uint64_t hash)
{
	uint32_t place;
	for (uint32_t i = slots_find(&stream->listeners, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&stream->listeners, hash, &place)) {
		struct packed_one one;
		packed_get(stream->packed, i, &one);
		const struct socket *other = &one.socket;
		if (ip_equal(&other->local, &server->local) && other->flags == server->flags &&
		    other->local_port == server->local_port && other->proto == server->proto &&
		    other->netns == server->netns && other->family == server->family)
			return true;
	}
	return false;
}

static int list_listeners(struct stream *stream, uint32_t n_servers)
{
	if (slots_start(&stream->listeners, n_servers, packed_n(stream->packed)) < 0)
		return -ENOMEM;
	struct packed_one one = {.packed = stream->packed};
	while (packed_next(&one)) {
		if (!socket_is_server(&one.socket))
			continue;
		uint64_t hash = listener_hash(&one.socket, &one.socket.local);
		if (!is_listed(stream, &one.socket, hash))
			slots_add(&stream->listeners, hash, one.record);
	}
	return 0;
}

/* ---- one number, two owners ---- */

static bool may_have_two_owners(const struct socket *socket)
{
	return socket_is_open(socket) && socket->proto != PROTO_RAW && socket->local_port;
}

/* The records of open sockets by port, those of one port in their order: @ret_start has 65,537
 * offsets into @ret_order. */
static int order_by_port(const struct packed *packed, uint32_t *start, struct vector *order)
{
	struct packed_one one = {.packed = packed};
	while (packed_next(&one))
		if (may_have_two_owners(&one.socket))
			start[one.socket.local_port]++;
	for (uint32_t port = 0, before = 0; port <= UINT16_MAX + 1u; port++) {
		uint32_t n = start[port];
		start[port] = before;
		before += n;
	}
	if (vector_reserve(order, start[UINT16_MAX + 1u] + 1) < 0)
		return -ENOMEM;
	one = (struct packed_one){.packed = packed};
	while (packed_next(&one))
		if (may_have_two_owners(&one.socket))
			((uint32_t *)order->data)[start[one.socket.local_port]++] = one.record;
	memmove(start + 1, start, (UINT16_MAX + 1u) * sizeof(*start));
	start[0] = 0;
	return 0;
}

/* One socket that the next of its port are compared with. */
struct compared {
	uint32_t index, record;
};

static struct socket *at(struct snapshot *snapshot, uint32_t index)
{
	return vector_at(&snapshot->sockets, index);
}

/* Compares socket @index with those before it; how many of these share its namespace and protocol.
 */
static uint32_t compare(struct snapshot *snapshot, const struct vector *before, uint32_t index)
{
	uint32_t n = 0;
	struct socket *socket = at(snapshot, index);
	for (uint32_t i = 0; i < before->n; i++) {
		struct socket *other =
			at(snapshot, ((struct compared *)vector_at(before, i))->index);
		if (other->netns != socket->netns || other->proto != socket->proto)
			continue;
		if (n++ == SEAL_SAME_PORT_MAX)
			break;
		bool is_told = socket->flags & other->flags & SOCKET_TWO_OWNERS;
		if (is_told || !seal_are_two_owners(snapshot, socket, other))
			continue;
		socket->flags |= SOCKET_TWO_OWNERS;
		other->flags |= SOCKET_TWO_OWNERS;
	}
	return n;
}

/* The socket of @record in the snapshot, put there where it is not; NONE: no memory. */
static uint32_t bring(struct stream *stream, uint32_t record)
{
	struct snapshot *snapshot = stream->snapshot;
	uint32_t index = stream_whole(stream, record);
	if (index != NONE)
		return index;
	struct packed_one one;
	packed_get(stream->packed, record, &one);
	index = snapshot_add_socket(snapshot, &one.socket);
	return index == NONE || stream_hold(snapshot, index, &one) < 0 ? NONE : index;
}

static void take_away(struct stream *stream, uint32_t n_sockets, uint32_t n_holders)
{
	stream->snapshot->sockets.n = n_sockets;
	stream->snapshot->holders.n = n_holders;
}

/* The sockets of one port. */
static int mark_port(struct stream *stream, const uint32_t *records, uint32_t n,
		     struct vector *before)
{
	struct snapshot *snapshot = stream->snapshot;
	uint32_t n_sockets = snapshot->sockets.n, n_holders = snapshot->holders.n;
	before->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t sockets_now = snapshot->sockets.n, holders_now = snapshot->holders.n;
		uint32_t index = bring(stream, records[i]);
		if (index == NONE)
			return -ENOMEM;
		if (compare(snapshot, before, index) < SEAL_SAME_PORT_MAX) {
			struct compared *added = vector_add(before);
			if (!added)
				return -ENOMEM;
			*added = (struct compared){index, records[i]};
			continue;
		}
		if (at(snapshot, index)->flags & SOCKET_TWO_OWNERS)
			packed_mark_two_owners(stream->packed, records[i]);
		take_away(stream, sockets_now, holders_now);
	}
	for (uint32_t i = 0; i < before->n; i++) {
		const struct compared *one = vector_at(before, i);
		if (at(snapshot, one->index)->flags & SOCKET_TWO_OWNERS)
			packed_mark_two_owners(stream->packed, one->record);
	}
	take_away(stream, n_sockets, n_holders);
	return 0;
}

static int mark_two_owners(struct stream *stream)
{
	cleanup(freep) uint32_t *start = calloc(UINT16_MAX + 2u, sizeof(*start));
	cleanup(vector_done) struct vector order, before;
	vector_init(&order, sizeof(uint32_t));
	vector_init(&before, sizeof(struct compared));
	int r = start ? order_by_port(stream->packed, start, &order) : -ENOMEM;
	const uint32_t *records = order.data;
	for (uint32_t port = 1; r >= 0 && port <= UINT16_MAX; port++)
		if (start[port + 1] - start[port] > 1)
			r = mark_port(stream, records + start[port], start[port + 1] - start[port],
				      &before);
	return r;
}

/* ---- the whole ---- */

/* Room in the snapshot for the current socket, behind those that stay. */
static int make_place(struct stream *stream)
{
	struct snapshot *snapshot = stream->snapshot;
	stream->n_whole = snapshot->sockets.n;
	stream->n_holders = snapshot->holders.n;
	stream->one = (struct packed_one){.packed = stream->packed};
	snapshot_drop_peers(snapshot);
	snapshot->peer_processes =
		malloc(((size_t)stream->n_whole + 1) * sizeof(*snapshot->peer_processes));
	return snapshot->peer_processes && vector_add(&snapshot->sockets) ? 0 : -ENOMEM;
}

int stream_seal(struct stream *stream)
{
	uint32_t n_connections = 0, n_servers = 0, needs = stream->snapshot->collected;
	struct packed_one one = {.packed = stream->packed};
	while (packed_next(&one)) {
		n_connections += socket_is_connection(&one.socket);
		n_servers += socket_is_server(&one.socket);
	}
	int r = 0;
	if (needs & NEED_HOLDERS)
		r = mark_two_owners(stream);
	if (r >= 0 && needs & NEED_PEERS)
		r = join_peers(stream, n_connections);
	if (r >= 0 && needs & NEED_ROLE && n_connections)
		r = list_listeners(stream, n_servers);
	return r < 0 ? r : make_place(stream);
}
