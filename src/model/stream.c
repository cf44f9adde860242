/* The sockets of a host one after another. */
#include <errno.h>
#include <stdlib.h>

#include "model/ends.h"
#include "model/field.h"
#include "model/stream-seal.h"

struct stream *stream_new(void)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	vector_init(&stream->whole, sizeof(uint32_t));
	vector_init(&stream->peers, sizeof(uint32_t));
	slots_init(&stream->listeners);
	stream->packed = packed_new();
	if (!stream->packed) {
		stream_free(stream);
		return NULL;
	}
	return stream;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	packed_free(stream->packed);
	snapshot_free(stream->snapshot);
	vector_done(&stream->whole);
	vector_done(&stream->peers);
	slots_done(&stream->listeners);
	free(stream);
}

int stream_hold(struct snapshot *snapshot, uint32_t socket, const struct packed_one *one)
{
	uint32_t n;
	const struct packed_holder *more = packed_holders(one, &n);
	if (one->process != NONE &&
	    snapshot_add_holder(snapshot, socket, one->process, one->fd) == NONE)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (snapshot_add_holder(snapshot, socket, more[i].process, more[i].fd) == NONE)
			return -ENOMEM;
	return 0;
}

int stream_add_whole(struct stream *stream, const struct packed_one *one)
{
	uint32_t *added = vector_add(&stream->whole);
	uint32_t index =
		added ? snapshot_add_socket(stream->snapshot, &one->socket) : (uint32_t)NONE;
	if (index == NONE)
		return -ENOMEM;
	*added = one->record;
	return stream_hold(stream->snapshot, index, one);
}

uint32_t stream_whole(const struct stream *stream, uint32_t record)
{
	const uint32_t *whole = stream->whole.data;
	uint32_t low = 0, high = stream->whole.n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (whole[middle] == record)
			return middle;
		if (whole[middle] < record)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

static uint32_t first_process(const struct packed_one *one)
{
	uint32_t n;
	const struct packed_holder *more = packed_holders(one, &n);
	return one->process != NONE ? one->process : n ? more->process : NONE;
}

/* Role and other end of the current socket: see tell_roles() in seal.c. */
static void tell_other_end(const struct stream *stream, struct socket *socket,
			   uint32_t *ret_process)
{
	struct packed_one peer;
	uint32_t collected = stream->snapshot->collected,
		 record = collected & NEED_PEERS
				  ? *(uint32_t *)vector_at(&stream->peers, stream->one.record)
				  : NONE;
	*ret_process = NONE;
	if (record != NONE) {
		packed_get(stream->packed, record, &peer);
		*ret_process = first_process(&peer);
	}
	if (!(collected & NEED_ROLE) || !socket_is_connection(socket))
		return;
	bool is_accepted = socket->state == STATE_SYN_RECV || stream_has_listener(stream, socket);
	bool is_local = record != NONE && socket->state != STATE_SYN_SENT &&
			!stream_has_listener(stream, &peer.socket);
	socket->role = is_accepted ? ROLE_ACCEPTED : is_local ? ROLE_LOCAL : ROLE_DIALLED;
}

int stream_next(struct stream *stream, uint32_t *ret_index)
{
	struct snapshot *snapshot = stream->snapshot;
	struct packed_one *one = &stream->one;
	if (!packed_next(one))
		return 0;
	const uint32_t *whole = stream->whole.data;
	bool is_whole = stream->n_told < stream->n_whole && whole[stream->n_told] == one->record;
	uint32_t index = is_whole ? stream->n_told++ : stream->n_whole;
	struct socket *socket = vector_at(&snapshot->sockets, index);
	uint32_t holder = is_whole ? socket->holder : NONE;

	*socket = one->socket;
	socket->holder = holder;
	socket->flags |= one->has_two_owners ? SOCKET_TWO_OWNERS : 0;
	tell_other_end(stream, socket, &snapshot->peer_processes[index]);
	snapshot->holders.n = stream->n_holders;
	if (!is_whole && stream_hold(snapshot, index, one) < 0)
		return -ENOMEM;
	*ret_index = index;
	return 1;
}

int stream_break(struct stream *stream)
{
	stream->snapshot->is_complete = false;
	return snapshot_add_missing(
		stream->snapshot, &(struct missing){.what = WHAT_SOCKETS, .why = WHY_INTERRUPTED});
}
