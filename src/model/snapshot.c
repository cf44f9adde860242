/* A snapshot while it is filled, and what is looked up in it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "model/difference.h"
#include "model/event.h"

struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return NULL;
	atomic_init(&snapshot->n_owners, 1);
	arena_init(&snapshot->arena);
	counts_init(&snapshot->counts);
	vector_init(&snapshot->sockets, sizeof(struct socket));
	vector_init(&snapshot->holders, sizeof(struct holder));
	vector_init(&snapshot->processes, sizeof(struct process));
	vector_init(&snapshot->netns, sizeof(struct netns));
	vector_init(&snapshot->containers, sizeof(struct container));
	vector_init(&snapshot->users, sizeof(struct user));
	vector_init(&snapshot->missing, sizeof(struct missing));
	vector_init(&snapshot->tcp_infos, sizeof(struct tcp_info_part));
	vector_init(&snapshot->answers, sizeof(struct answer_for));
	vector_init(&snapshot->events, sizeof(struct event));
	return snapshot;
}

#define VECTORS(s)                                                                               \
	{                                                                                        \
		&(s)->sockets, &(s)->holders, &(s)->processes, &(s)->netns, &(s)->containers,    \
			&(s)->users, &(s)->missing, &(s)->tcp_infos, &(s)->answers, &(s)->events \
	}

int snapshot_take_peers(struct snapshot *snapshot)
{
	uint32_t n = snapshot->sockets.n;
	snapshot->peers = memory_zeroed(n * sizeof(*snapshot->peers));
	if (!snapshot->peers)
		return -ENOMEM;
	snapshot->n_peers = n;
	memset(snapshot->peers, 0xff, n * sizeof(*snapshot->peers)); /* NONE */
	return 0;
}

void snapshot_drop_peers(struct snapshot *snapshot)
{
	memory_free(snapshot->peers, snapshot->n_peers * sizeof(*snapshot->peers));
	snapshot->peers = NULL;
	snapshot->n_peers = 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub(&snapshot->n_owners, 1) > 1)
		return;
	struct vector *vectors[] = VECTORS(snapshot);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	flows_free(snapshot->flows);
	counts_done(&snapshot->counts);
	since_free(snapshot->since);
	if (snapshot->difference)
		difference_done(snapshot->difference);
	free(snapshot->difference);
	snapshot_drop_peers(snapshot);
	free(snapshot->peer_processes);
	snapshot_free(snapshot->texts_of);
	arena_done(&snapshot->arena);
	free(snapshot);
}

/* The count of owners is all that changes of a sealed snapshot. */
const struct snapshot *snapshot_hold(const struct snapshot *snapshot)
{
	assert(snapshot->is_sealed);
	atomic_fetch_add(&((struct snapshot *)snapshot)->n_owners, 1);
	return snapshot;
}

void snapshot_release(const struct snapshot *snapshot)
{
	snapshot_free((struct snapshot *)snapshot);
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

bool snapshot_counts(const struct snapshot *snapshot, uint32_t socket, struct byte_counts *ret)
{
	uint32_t index = snapshot_socket(snapshot, socket)->tcp_info;
	if (index == NONE)
		return counts_get(&snapshot->counts, socket, ret);
	const struct tcp_info_part *info = vector_at(&snapshot->tcp_infos, index);
	*ret = (struct byte_counts){info->bytes_acked, info->bytes_received};
	return true;
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

const struct netns *snapshot_own_netns(const struct snapshot *snapshot, uint32_t *index)
{
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		if (!netns->is_self)
			continue;
		if (index)
			*index = i;
		return netns;
	}
	return NULL;
}

size_t snapshot_size(const struct snapshot *snapshot)
{
	const struct vector *vectors[] = VECTORS(snapshot);
	size_t size = sizeof(*snapshot) + arena_size(&snapshot->arena), n = snapshot->sockets.n;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		size += (size_t)vectors[i]->capacity * vectors[i]->size;
	return size + flows_size(snapshot->flows) + snapshot->counts.log.capacity +
	       n * ((snapshot->peers ? sizeof(*snapshot->peers) : 0) +
		    (snapshot->difference ? 5u : 0u) + (snapshot->since ? 1u : 0u));
}
