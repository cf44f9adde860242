/* Who is connected, grouped by the address at the other end. */
#include <errno.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "model/peers.h"

static int compare_numbers(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* Outgoing connections do not mix with clients; a port has groups of its own. */
static int compare_ends(const struct socket *a, const struct socket *b)
{
	int r = compare_numbers(a->proto, b->proto);
	if (!r)
		r = compare_numbers(a->local_port, b->local_port);
	if (!r)
		r = compare_numbers(a->netns, b->netns);
	if (!r)
		r = compare_numbers(a->role == ROLE_DIALLED, b->role == ROLE_DIALLED);
	return r ? r : memcmp(&a->peer, &b->peer, sizeof(a->peer));
}

static int by_ends(const void *a, const void *b, void *snapshot)
{
	return compare_ends(snapshot_socket(snapshot, *(const uint32_t *)a),
			    snapshot_socket(snapshot, *(const uint32_t *)b));
}

static int by_count(const void *a, const void *b)
{
	const struct peer_group *left = a, *right = b;
	int r = compare_numbers(right->count, left->count);
	return r ? r : memcmp(&left->ip, &right->ip, sizeof(left->ip));
}

static uint32_t first_process(const struct snapshot *snapshot, uint32_t socket)
{
	const struct holder *holder =
		snapshot_holder(snapshot, snapshot_socket(snapshot, socket)->holder);
	return holder ? holder->process : NONE;
}

static uint32_t process_at_other_end(const struct snapshot *snapshot, uint32_t index)
{
	uint32_t peer = snapshot->peers ? snapshot->peers[index] : NONE;
	return peer == NONE ? NONE : first_process(snapshot, peer);
}

static void add_to_group(const struct snapshot *snapshot, uint32_t index, struct peer_group *group)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	if (!group->count) {
		*group = (struct peer_group){
			.ip = socket->peer,
			.is_v4 = socket_is_v4(socket),
			.proto = socket->proto,
			.role = socket->role,
			.netns = socket->netns,
			.process = NONE,
			.mine = NONE,
			.port = socket->peer_port,
			.my_port = socket->local_port,
		};
	}
	group->count++;
	group->states |= 1u << socket->state;
	if (group->port != socket->peer_port)
		group->port = 0;
	if (snapshot->peers && snapshot->peers[index] != NONE)
		group->n_local++;
	if (group->mine == NONE)
		group->mine = first_process(snapshot, index);
	if (group->process == NONE)
		group->process = process_at_other_end(snapshot, index);
}

int peers_group(const struct rows *rows, struct vector *ret)
{
	const struct snapshot *snapshot = rows->snapshot;
	cleanup(freep) uint32_t *order = calloc(rows->n_sockets + 1, sizeof(*order));
	uint32_t n = 0;
	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(snapshot, rows->order[i]);
		if (socket_has_peer(socket) && !socket_is_open(socket))
			order[n++] = rows->order[i];
	}
	qsort_r(order, n, sizeof(*order), by_ends, (void *)snapshot);

	struct peer_group *group = NULL;
	for (uint32_t i = 0; i < n; i++) {
		if (!i || compare_ends(snapshot_socket(snapshot, order[i - 1]),
				       snapshot_socket(snapshot, order[i]))) {
			group = vector_add(ret);
			if (!group)
				return -ENOMEM;
			group->count = 0;
		}
		add_to_group(snapshot, order[i], group);
	}
	if (ret->n)
		qsort(ret->data, ret->n, sizeof(struct peer_group), by_count);
	return 0;
}
