/* What is open now: found by the socket's cookie, or by both ends where it has none. */
#include <errno.h>
#include <string.h>

#include "base/table.h"
#include "history/recorder.h"
#include "model/ends.h"

void live_init(struct live_table *table)
{
	*table = (struct live_table){.free = NONE, .next_id = 1};
	vector_init(&table->all, sizeof(struct live));
	vector_init(&table->dirty, sizeof(uint32_t));
	vector_init(&table->removed, sizeof(uint64_t));
}

void live_done(struct live_table *table)
{
	vector_done(&table->all);
	vector_done(&table->dirty);
	vector_done(&table->removed);
	free(table->buckets);
}

uint64_t live_key(const struct socket *socket, uint64_t netns_inode, bool is_connection)
{
	if (socket->cookie)
		return table_mix(socket->cookie * 2 + is_connection);
	uint64_t ends = end_key(&socket->local, socket->local_port) * 3 ^ netns_inode;
	if (is_connection)
		ends += end_key(&socket->peer, socket->peer_port);
	return table_mix(ends * 2 + is_connection) ^ socket->proto;
}

static uint32_t *bucket_of(const struct live_table *table, uint64_t key)
{
	return &table->buckets[key & (table->n_buckets - 1)];
}

static int grow(struct live_table *table)
{
	uint32_t n = table->n_buckets ? table->n_buckets * 2 : 1024;
	uint32_t *buckets = n > table->n_buckets ? malloc(n * sizeof(*buckets)) : NULL;
	if (!buckets)
		return -ENOMEM;
	memset(buckets, 0xff, n * sizeof(*buckets)); /* NONE */
	free(table->buckets);
	table->buckets = buckets;
	table->n_buckets = n;
	for (uint32_t i = 0; i < table->all.n; i++) {
		struct live *live = vector_at(&table->all, i);
		if (!live->is_used)
			continue;
		uint32_t *bucket = bucket_of(table, live->key);
		live->next = *bucket;
		*bucket = i;
	}
	return 0;
}

/* A cookie is one socket's for the life of the boot; without one an inode that differs is another
 * socket at the same place. */
static bool is_same(const struct interval_row *a, const struct interval_row *b)
{
	if (a->bits.is_connection != b->bits.is_connection)
		return false;
	if (a->cookie && b->cookie)
		return a->cookie == b->cookie;
	return a->port == b->port && a->peer_port == b->peer_port && ip_equal(&a->peer, &b->peer) &&
	       (a->inode == b->inode || !a->inode || !b->inode);
}

struct live *live_find(struct live_table *table, uint64_t key, const struct interval_row *row)
{
	for (uint32_t i = table->n_buckets ? *bucket_of(table, key) : NONE; i != NONE;) {
		struct live *live = vector_at(&table->all, i);
		if (live->key == key && is_same(&live->row, row))
			return live;
		i = live->next;
	}
	return NULL;
}

struct live *live_add(struct live_table *table, uint64_t key, const struct interval_row *row)
{
	if (table->n >= table->n_buckets && grow(table) < 0)
		return NULL;
	struct live *live;
	uint32_t index = table->free;
	if (index != NONE) {
		live = vector_at(&table->all, index);
		table->free = live->next;
	} else {
		live = vector_add(&table->all);
		index = table->all.n - 1;
	}
	if (!live)
		return NULL;
	uint32_t *bucket = bucket_of(table, key);
	*live = (struct live){
		.row = *row, .key = key, .id = table->next_id++, .next = *bucket, .is_used = true};
	*bucket = index;
	table->n++;
	return live;
}

int live_touch(struct live_table *table, struct live *live)
{
	if (live->is_dirty)
		return 0;
	uint32_t *dirty = vector_add(&table->dirty);
	if (!dirty)
		return -ENOMEM;
	*dirty = (uint32_t)(live - (struct live *)table->all.data);
	live->is_dirty = true;
	return 0;
}

void live_remove(struct live_table *table, struct live *live)
{
	uint32_t index = (uint32_t)(live - (struct live *)table->all.data);
	uint32_t *link = bucket_of(table, live->key);
	while (*link != index)
		link = &((struct live *)vector_at(&table->all, *link))->next;
	*link = live->next;
	if (live->is_stored) {
		uint64_t *id = vector_add(&table->removed);
		if (id)
			*id = live->id; /* else it is closed the next time that a recorder starts */
	}
	live->is_used = false;
	live->next = table->free;
	table->free = index;
	table->n--;
}
