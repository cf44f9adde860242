/* Many sockets in little memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/varint.h"
#include "model/packed-store.h"

#define BLOCK 16
#define ADDRESSES_MAX 4096 /* kept once; further ones stand in their records */
#define RECORD_MAX 96	   /* bytes: flags 2, shape 5, addresses 34, ports 4, the rest numbers */

/* ---- keys of tables ---- */

static uint64_t shape_hash(const struct shape *shape)
{
	uint64_t words[2];
	memcpy(words, shape, sizeof(words));
	return table_mix(words[0]) ^ words[1];
}

static uint64_t address_hash(const struct ip *ip)
{
	uint64_t words[2];
	memcpy(words, ip, sizeof(words));
	return table_mix(words[0]) ^ words[1];
}

static uint64_t shape_key(const void *owner, uint32_t index)
{
	return shape_hash(vector_at(owner, index));
}

static uint64_t address_key(const void *owner, uint32_t index)
{
	return address_hash(vector_at(owner, index));
}

static uint64_t record_key(const void *owner, uint32_t index)
{
	return ((const struct change *)vector_at(owner, index))->record;
}

static uint32_t key_of(const struct socket *socket)
{
	if (socket->inode)
		return socket->inode;
	uint64_t ports = (uint64_t)socket->local_port << 32 | (uint64_t)socket->peer_port << 8 |
			 socket->proto;
	return (uint32_t)table_mix(address_hash(&socket->local) ^
				   table_mix(address_hash(&socket->peer) ^ table_mix(ports))) ^
	       socket->netns;
}

/* ---- life ---- */

struct packed *packed_new(void)
{
	struct packed *packed = calloc(1, sizeof(*packed));
	if (!packed)
		return NULL;
	vector_init(&packed->log, 1);
	vector_init(&packed->blocks, sizeof(uint32_t));
	vector_init(&packed->keys, sizeof(uint32_t));
	vector_init(&packed->shapes, sizeof(struct shape));
	vector_init(&packed->addresses, sizeof(struct ip));
	vector_init(&packed->changes, sizeof(struct change));
	vector_init(&packed->holders, sizeof(struct packed_holder));
	table_init(&packed->by_shape, shape_key, &packed->shapes);
	table_init(&packed->by_address, address_key, &packed->addresses);
	table_init(&packed->by_record, record_key, &packed->changes);
	slots_init(&packed->by_key);
	packed->holders_at_most = HOLDERS_FIRST;
	return packed;
}

void packed_free(struct packed *packed)
{
	if (!packed)
		return;
	struct vector *vectors[] = {&packed->log,    &packed->blocks,	 &packed->keys,
				    &packed->shapes, &packed->addresses, &packed->changes,
				    &packed->holders};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	table_done(&packed->by_shape);
	table_done(&packed->by_address);
	table_done(&packed->by_record);
	slots_done(&packed->by_key);
	free(packed);
}

uint32_t packed_n(const struct packed *packed)
{
	return packed->keys.n;
}

/* ---- numbers ---- */

/* A difference, small whichever way it goes. */
uint8_t *packed_put_step(uint8_t *at, uint64_t from, uint64_t to)
{
	uint64_t step = to - from;
	return varint_put(at, step << 1 ^ (~(step >> 63) + 1));
}

static uint64_t take_step(const uint8_t **at, uint64_t from)
{
	uint64_t number = varint_take(at);
	return from + (number >> 1 ^ (~(number & 1) + 1));
}

static uint8_t *put_port(uint8_t *at, uint16_t port)
{
	memcpy(at, &port, sizeof(port));
	return at + sizeof(port);
}

static uint16_t take_port(const uint8_t **at)
{
	uint16_t port;
	memcpy(&port, *at, sizeof(port));
	*at += sizeof(port);
	return port;
}

/* ---- what many have in common ---- */

static struct shape shape_of(const struct socket *socket)
{
	return (struct shape){socket->netns,  socket->uid,   socket->interface, socket->proto,
			      socket->family, socket->state, socket->flags};
}

static void set_shape(struct socket *socket, const struct shape *shape)
{
	socket->netns = shape->netns;
	socket->uid = shape->uid;
	socket->interface = shape->interface;
	socket->proto = shape->proto;
	socket->family = shape->family;
	socket->state = shape->state;
	socket->flags = shape->flags;
}

/* NONE: no memory. */
static uint32_t shape_index(struct packed *packed, const struct shape *shape)
{
	uint32_t place;
	uint64_t key = shape_hash(shape);
	for (uint32_t i = table_find(&packed->by_shape, key, &place); i != TABLE_NONE;
	     i = table_next(&packed->by_shape, key, &place))
		if (memcmp(vector_at(&packed->shapes, i), shape, sizeof(*shape)) == 0)
			return i;
	struct shape *added = vector_add(&packed->shapes);
	if (!added)
		return NONE;
	*added = *shape;
	if (table_add(&packed->by_shape, key, packed->shapes.n - 1) < 0) {
		packed->shapes.n--;
		return NONE;
	}
	return packed->shapes.n - 1;
}

/* NONE: it stands in its record. */
static uint32_t address_index(struct packed *packed, const struct ip *ip)
{
	uint32_t place;
	uint64_t key = address_hash(ip);
	for (uint32_t i = table_find(&packed->by_address, key, &place); i != TABLE_NONE;
	     i = table_next(&packed->by_address, key, &place))
		if (ip_equal(vector_at(&packed->addresses, i), ip))
			return i;
	struct ip *added =
		packed->addresses.n < ADDRESSES_MAX ? vector_add(&packed->addresses) : NULL;
	if (!added)
		return NONE;
	*added = *ip;
	if (table_add(&packed->by_address, key, packed->addresses.n - 1) < 0) {
		packed->addresses.n--;
		return NONE;
	}
	return packed->addresses.n - 1;
}

#define ADDRESS_V4 0 /* the four bytes of a mapped one follow */
#define ADDRESS_V6 1 /* sixteen follow */
#define ADDRESS_KEPT 2

static uint8_t *put_address(struct packed *packed, uint8_t *at, const struct ip *ip)
{
	uint32_t index = address_index(packed, ip);
	if (index != NONE)
		return varint_put(at, ADDRESS_KEPT + (uint64_t)index);
	unsigned from = ip_is_mapped(ip) ? 12 : 0;
	*at++ = from ? ADDRESS_V4 : ADDRESS_V6;
	memcpy(at, ip->bytes + from, sizeof(ip->bytes) - from);
	return at + sizeof(ip->bytes) - from;
}

static void take_address(const struct packed *packed, const uint8_t **at, struct ip *ret)
{
	uint64_t kind = varint_take(at);
	if (kind >= ADDRESS_KEPT) {
		*ret = *(const struct ip *)vector_at(&packed->addresses,
						     (uint32_t)(kind - ADDRESS_KEPT));
		return;
	}
	unsigned from = kind == ADDRESS_V4 ? 12 : 0;
	if (from)
		*ret = ip_from_v4(*at);
	else
		memcpy(ret->bytes, *at, sizeof(ret->bytes));
	*at += sizeof(ret->bytes) - from;
}

/* ---- one record ---- */

static void start_block(struct packed_one *one)
{
	one->before = (struct socket){0};
	one->process_before = 0;
	one->fd_before = 0;
}

static bool queues_are_equal(const struct socket *a, const struct socket *b)
{
	return a->recv_queue == b->recv_queue && a->send_queue == b->send_queue;
}

static uint8_t same_as(const struct socket *socket, const struct socket *before)
{
	struct shape shape = shape_of(socket), shape_before = shape_of(before);
	uint8_t same = memcmp(&shape, &shape_before, sizeof(shape)) == 0 ? SAME_SHAPE : 0;
	same |= ip_equal(&socket->local, &before->local) ? SAME_LOCAL : 0;
	same |= ip_equal(&socket->peer, &before->peer) ? SAME_PEER : 0;
	same |= socket->local_port == before->local_port ? SAME_LOCAL_PORT : 0;
	same |= socket->peer_port == before->peer_port ? SAME_PEER_PORT : 0;
	return same | (queues_are_equal(socket, before) ? SAME_QUEUES : 0);
}

/* The end of what was written; NULL: no memory. */
static uint8_t *put_record(struct packed *packed, uint8_t *at, const struct socket *socket,
			   const struct socket *before, const struct byte_counts *counts)
{
	struct shape shape = shape_of(socket);
	uint8_t same = same_as(socket, before);
	uint32_t index = same & SAME_SHAPE ? 0 : shape_index(packed, &shape);
	if (index == NONE)
		return NULL;
	*at++ = (socket->inode ? 0 : TAG_NO_INODE) | (counts ? TAG_COUNTS : 0) |
		(socket->held_by == HELD_KERNEL ? TAG_KERNEL : 0);
	*at++ = same;
	if (!(same & SAME_SHAPE))
		at = varint_put(at, index);
	if (!(same & SAME_LOCAL))
		at = put_address(packed, at, &socket->local);
	if (!(same & SAME_PEER))
		at = put_address(packed, at, &socket->peer);
	if (!(same & SAME_LOCAL_PORT))
		at = put_port(at, socket->local_port);
	if (!(same & SAME_PEER_PORT))
		at = put_port(at, socket->peer_port);
	at = packed_put_step(at, before->cookie, socket->cookie);
	if (!(same & SAME_QUEUES)) {
		at = varint_put(at, socket->recv_queue);
		at = varint_put(at, socket->send_queue);
	}
	return counts ? varint_put(varint_put(at, counts->acked), counts->received) : at;
}

/* What differs, over the socket before it. The end of what was read. */
static const uint8_t *take_record(const struct packed *packed, const uint8_t *at,
				  struct socket *socket)
{
	uint8_t same = at[1];
	at += 2;
	if (!(same & SAME_SHAPE))
		set_shape(socket, vector_at(&packed->shapes, (uint32_t)varint_take(&at)));
	if (!(same & SAME_LOCAL))
		take_address(packed, &at, &socket->local);
	if (!(same & SAME_PEER))
		take_address(packed, &at, &socket->peer);
	if (!(same & SAME_LOCAL_PORT))
		socket->local_port = take_port(&at);
	if (!(same & SAME_PEER_PORT))
		socket->peer_port = take_port(&at);
	socket->cookie = take_step(&at, socket->cookie);
	if (!(same & SAME_QUEUES)) {
		socket->recv_queue = (uint32_t)varint_take(&at);
		socket->send_queue = (uint32_t)varint_take(&at);
	}
	return at;
}

static const struct change *change_of(const struct packed *packed, uint32_t record)
{
	uint32_t place;
	for (uint32_t i = table_find(&packed->by_record, record, &place); i != TABLE_NONE;
	     i = table_next(&packed->by_record, record, &place)) {
		const struct change *change = vector_at(&packed->changes, i);
		if (change->record == record)
			return change;
	}
	return NULL;
}

/* From what was read of the record to what is known of its socket. */
static void show(struct packed_one *one)
{
	const struct packed *packed = one->packed;
	uint8_t tag = one->tag;
	one->socket = one->before;
	one->socket.inode =
		tag & TAG_NO_INODE ? 0 : *(uint32_t *)vector_at(&packed->keys, one->record);
	if (tag & TAG_CHANGED)
		one->socket = change_of(packed, one->record)->socket;
	one->is_held = tag & TAG_HELD;
	one->has_two_owners = tag & TAG_TWO_OWNERS;
	one->process = tag & TAG_WITH_HOLDER ? one->process_before : NONE;
	one->fd = one->fd_before;
	one->socket.held_by = one->is_held	  ? HELD_PROCESS
			      : tag & TAG_KERNEL  ? HELD_KERNEL
			      : one->socket.inode ? HELD_UNSEEN
						  : HELD_NOBODY;
	one->socket.holder = one->socket.tcp_info = NONE;
}

static void step(struct packed_one *one)
{
	const uint8_t *log = one->packed->log.data, *at = log + one->after;
	if (one->next % BLOCK == 0)
		start_block(one);
	one->record = one->next++;
	one->at = one->after;
	one->tag = *at;
	at = take_record(one->packed, at, &one->before);
	one->has_counts = one->tag & TAG_COUNTS;
	if (one->has_counts) {
		one->counts.acked = varint_take(&at);
		one->counts.received = varint_take(&at);
	}
	if (one->tag & TAG_WITH_HOLDER) {
		one->process_before = (uint32_t)take_step(&at, one->process_before);
		one->fd_before = (int32_t)take_step(&at, (uint64_t)one->fd_before);
	}
	one->after = (uint32_t)(at - log);
}

bool packed_next(struct packed_one *one)
{
	do {
		if (one->next >= one->packed->keys.n)
			return false;
		step(one);
		show(one);
	} while (unlikely(one->socket.state == STATE_GONE));
	return true;
}

void packed_get(const struct packed *packed, uint32_t record, struct packed_one *ret)
{
	ret->packed = packed;
	ret->next = record - record % BLOCK;
	ret->after = *(uint32_t *)vector_at(&packed->blocks, record / BLOCK);
	do
		step(ret);
	while (ret->record != record);
	show(ret);
}

/* ---- adding and finding ---- */

static bool is_it(const struct packed *packed, uint32_t record, const struct socket *socket)
{
	struct packed_one one;
	packed_get(packed, record, &one);
	if (socket->inode || one.socket.inode)
		return one.socket.inode == socket->inode;
	return one.socket.local_port == socket->local_port &&
	       one.socket.peer_port == socket->peer_port && one.socket.proto == socket->proto &&
	       one.socket.netns == socket->netns && ip_equal(&one.socket.local, &socket->local) &&
	       ip_equal(&one.socket.peer, &socket->peer);
}

uint32_t packed_find(const struct packed *packed, const struct socket *socket)
{
	uint32_t place, key = key_of(socket);
	uint64_t hash = table_mix(key);
	for (uint32_t i = slots_find(&packed->by_key, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&packed->by_key, hash, &place))
		if (*(uint32_t *)vector_at(&packed->keys, i) == key && is_it(packed, i, socket))
			return i;
	return NONE;
}

uint32_t packed_find_inode(const struct packed *packed, uint32_t inode)
{
	return inode ? packed_find(packed, &(struct socket){.inode = inode}) : NONE;
}

/* By half, and filled anew: so there is never more than one. */
static int grow_keys(struct packed *packed)
{
	uint32_t n = packed->keys.n, capacity = n < 256 ? 512 : n + n / 2;
	if (slots_start(&packed->by_key, capacity, capacity) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		slots_add(&packed->by_key, table_mix(*(uint32_t *)vector_at(&packed->keys, i)), i);
	return 0;
}

int packed_reserve(struct packed *packed, uint32_t n)
{
	return packed->keys.n ? 0 : slots_start(&packed->by_key, n, n);
}

int packed_make_room(struct packed *packed)
{
	struct vector *log = &packed->log;
	if (log->n > UINT32_MAX / 2 - RECORD_MAX)
		return -ENOMEM;
	if (log->capacity - log->n < RECORD_MAX &&
	    vector_reserve(log, log->capacity * 2 + 64 * RECORD_MAX) < 0)
		return -ENOMEM;
	return slots_is_full(&packed->by_key) ? grow_keys(packed) : 0;
}

uint32_t packed_add(struct packed *packed, const struct socket *socket,
		    const struct byte_counts *counts)
{
	struct packed_one *last = &packed->last;
	uint32_t record = packed->keys.n, *block = NULL;
	if (packed_make_room(packed) < 0)
		return NONE;
	if (record % BLOCK == 0) {
		start_block(last);
		block = vector_add(&packed->blocks);
		if (!block)
			return NONE;
		*block = packed->log.n;
	}
	uint8_t *at = (uint8_t *)packed->log.data + packed->log.n,
		*end = put_record(packed, at, socket, &last->before, counts);
	uint32_t *key = end ? vector_add(&packed->keys) : NULL;
	if (!key) {
		packed->blocks.n -= block != NULL;
		return NONE;
	}
	*key = key_of(socket);
	slots_add(&packed->by_key, table_mix(*key), record);
	last->before = *socket;
	last->at = packed->log.n;
	packed->log.n += (uint32_t)(end - at);
	return record;
}

int packed_change(struct packed *packed, uint32_t record, const struct socket *socket)
{
	struct packed_one one;
	packed_get(packed, record, &one);
	uint8_t *tag = (uint8_t *)packed->log.data + one.at;
	struct socket changed = *socket;
	*tag |= changed.held_by == HELD_KERNEL ? TAG_KERNEL : 0;
	changed.held_by = one.socket.held_by;
	changed.holder = changed.tcp_info = NONE;
	if (memcmp(&changed, &one.socket, sizeof(changed)) == 0)
		return 0;
	if (one.tag & TAG_CHANGED) {
		*(struct socket *)&change_of(packed, record)->socket = changed;
		return 0;
	}
	struct change *added = vector_add(&packed->changes);
	if (!added)
		return -ENOMEM;
	*added = (struct change){record, changed};
	*tag |= TAG_CHANGED;
	return table_add(&packed->by_record, record, packed->changes.n - 1);
}

void packed_mark_two_owners(struct packed *packed, uint32_t record)
{
	struct packed_one one;
	packed_get(packed, record, &one);
	((uint8_t *)packed->log.data)[one.at] |= TAG_TWO_OWNERS;
}
