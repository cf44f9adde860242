/* Which sockets a view shows, in which order, united how. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "base/table.h"
#include "model/rows-order.h"

int rows_select(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret)
{
	*ret = (struct rows){.snapshot = snapshot};
	ret->order = malloc(((size_t)snapshot->sockets.n + 1) * sizeof(*ret->order));
	if (!ret->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++)
		if (filter_match(filter, snapshot, i))
			ret->order[ret->n_sockets++] = i;
	ret->n_rows = ret->n_sockets;
	return 0;
}

void rows_keep(struct rows *rows, uint32_t states, bool have_peers)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(rows->snapshot, rows->order[i]);
		if (states & 1u << socket->state && (!have_peers || socket_has_peer(socket)))
			rows->order[n++] = rows->order[i];
	}
	rows->n_sockets = rows->n_rows = n;
}

void rows_done(struct rows *rows)
{
	free(rows->order);
	free(rows->start);
	*rows = (struct rows){0};
}

struct ordering {
	const struct snapshot *snapshot;
	const struct field *const *by;
	const bool *descending;
};

/* Proto, port, address, namespace, and the index, so that the order is total. */
static int compare_usual(const void *a, const void *b, void *data)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct socket *x = snapshot_socket(data, i), *y = snapshot_socket(data, k);
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	if (x->local_port != y->local_port)
		return (int)x->local_port - (int)y->local_port;
	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	if (x->state != y->state && (x->state == STATE_LISTEN || y->state == STATE_LISTEN))
		return x->state == STATE_LISTEN ? -1 : 1;
	if (x->family != y->family)
		return (int)x->family - (int)y->family;
	int r = memcmp(&x->local, &y->local, sizeof(x->local));
	return r ? r : (i > k) - (i < k);
}

void rows_first_record(const struct snapshot *snapshot, uint32_t socket, struct record *ret)
{
	const struct socket *s = snapshot_socket(snapshot, socket);
	const struct holder *holder = snapshot_holder(snapshot, s->holder);
	const struct event *events = snapshot->events.n ? snapshot->events.data : NULL;
	*ret = (struct record){.snapshot = snapshot,
			       .socket = s,
			       .index = socket,
			       .holder = holder,
			       .event = events ? &events[socket] : NULL,
			       .process =
				       holder ? snapshot_process(snapshot, holder->process) : NULL};
}

static int compare_fields(const void *a, const void *b, void *data)
{
	const struct ordering *ordering = data;
	struct record x, y;
	rows_first_record(ordering->snapshot, *(const uint32_t *)a, &x);
	rows_first_record(ordering->snapshot, *(const uint32_t *)b, &y);
	for (unsigned i = 0; ordering->by[i]; i++) {
		char scratch[2][256];
		struct value v = {.scratch = scratch[0]}, w = {.scratch = scratch[1]};
		field_read(ordering->by[i], &x, &v);
		field_read(ordering->by[i], &y, &w);
		int r = value_compare(&v, &w);
		bool has_null = v.kind == VALUE_NULL || w.kind == VALUE_NULL; /* null stays last */
		if (r)
			return ordering->descending && ordering->descending[i] && !has_null ? -r
											    : r;
	}
	return compare_usual(a, b, (void *)(uintptr_t)ordering->snapshot);
}

/* The beginning of the usual order, so that few comparisons go to the sockets themselves, which lie
 * all over memory. Equal ones are compared whole. */
struct sort_key {
	uint64_t first;
	uint32_t index;
};

#define NETNS_KEPT 0xfffu /* of 12 bits; those beyond are equal here */

static uint64_t key_of(const struct socket *s)
{
	const uint8_t *b = s->local.bytes + (s->family == FAMILY_IPV4 ? 12 : 0);
	uint64_t netns = s->netns < NETNS_KEPT ? s->netns : NETNS_KEPT;
	uint64_t address = (uint64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
	return (uint64_t)s->proto << 61 | (uint64_t)s->local_port << 45 | netns << 33 |
	       (uint64_t)(s->state != STATE_LISTEN) << 32 |
	       (uint64_t)(s->family == FAMILY_IPV6) << 31 | address >> 1;
}

static int compare_keys(const void *a, const void *b, void *data)
{
	const struct sort_key *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return compare_usual(&x->index, &y->index, data);
}

/* Of @n sockets; @keys has room for them. */
static void sort_few(const struct snapshot *snapshot, uint32_t *order, size_t n,
		     struct sort_key *keys)
{
	void *data = (void *)(uintptr_t)snapshot;
	size_t ordered = 1;
	while (ordered < n && compare_usual(&order[ordered - 1], &order[ordered], data) < 0)
		ordered++;
	if (ordered >= n) /* as sources mostly give those of one port */
		return;
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct sort_key){key_of(snapshot_socket(snapshot, order[i])), order[i]};
	qsort_r(keys, n, sizeof(*keys), compare_keys, data);
	for (size_t i = 0; i < n; i++)
		order[i] = keys[i].index;
}

/* A place for each port of each protocol that occurs: memory that is touched costs more than it. */
struct buckets {
	uint32_t first[PROTO_MAX]; /* of port 0 */
	uint32_t n;
};

static struct buckets find_buckets(const struct rows *rows)
{
	struct buckets buckets = {.n = 0};
	unsigned protos = 0;
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		protos |= 1u << snapshot_socket(rows->snapshot, rows->order[i])->proto;
	for (enum proto proto = 0; proto < PROTO_MAX; proto++) {
		buckets.first[proto] = buckets.n;
		if (protos >> proto & 1)
			buckets.n += UINT16_MAX + 1u;
	}
	return buckets;
}

static uint32_t bucket_of(const struct buckets *buckets, const struct socket *socket)
{
	return buckets->first[socket->proto] + socket->local_port;
}

/* Each element of @starts is then the end of its bucket. */
static void count_ports(const struct rows *rows, const struct buckets *buckets, uint32_t *starts,
			uint32_t *sorted)
{
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		starts[bucket_of(buckets, snapshot_socket(rows->snapshot, rows->order[i])) + 1]++;
	for (uint32_t i = 1; i <= buckets->n; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *s = snapshot_socket(rows->snapshot, rows->order[i]);
		sorted[starts[bucket_of(buckets, s)]++] = rows->order[i];
	}
}

static int sort_buckets(struct rows *rows, const uint32_t *starts, uint32_t n_buckets,
			uint32_t *sorted)
{
	uint32_t largest = 0;
	for (uint32_t i = 0, first = 0; i < n_buckets; first = starts[i++])
		largest = starts[i] - first > largest ? starts[i] - first : largest;
	cleanup(freep) struct sort_key *keys = malloc((largest + 1u) * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0, first = 0; i < n_buckets; first = starts[i++])
		if (starts[i] - first > 1)
			sort_few(rows->snapshot, sorted + first, starts[i] - first, keys);
	return 0;
}

/* Many are counted by proto and port first: what shares them is mostly few. */
static int sort_many(struct rows *rows)
{
	const struct buckets buckets = find_buckets(rows);
	size_t size = (buckets.n + 1u) * sizeof(uint32_t);
	uint32_t *starts = memory_zeroed(size);
	cleanup(freep) uint32_t *sorted = malloc((size_t)rows->n_sockets * sizeof(*sorted));
	int r = starts && sorted ? 0 : -ENOMEM;
	if (r >= 0) {
		count_ports(rows, &buckets, starts, sorted);
		r = sort_buckets(rows, starts, buckets.n, sorted);
	}
	memory_free(starts, size);
	if (r < 0)
		return r;
	free(rows->order);
	rows->order = TAKE_POINTER(sorted);
	return 0;
}

#define MANY 16384 /* below it the counters would take longer than the keys */

static int sort_usual(struct rows *rows)
{
	if (rows->snapshot->events.n) /* as they happened */
		return 0;
	if (rows->n_sockets >= MANY)
		return sort_many(rows);
	cleanup(freep) struct sort_key *keys = malloc((rows->n_sockets + 1u) * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	sort_few(rows->snapshot, rows->order, rows->n_sockets, keys);
	return 0;
}

int rows_sort(struct rows *rows, const struct field *const *by, const bool *descending)
{
	rows->is_usual = !by || !by[0];
	if (rows->is_usual)
		return sort_usual(rows);
	int r = sort_usual(rows);
	if (r >= 0)
		r = rows_order_by(rows, by, descending);
	if (r != -EOPNOTSUPP)
		return r;
	struct ordering ordering = {.snapshot = rows->snapshot, .by = by, .descending = descending};
	qsort_r(rows->order, rows->n_sockets, sizeof(*rows->order), compare_fields, &ordering);
	return 0;
}

/* ---- grouping ---- */

/* Who serves: the unit, else the program and its user; a socket without one stands for itself by
 * its owner's uid. */
static bool same_service(const struct snapshot *snapshot, const struct socket *a,
			 const struct socket *b)
{
	if (a->proto != b->proto || a->local_port != b->local_port || a->netns != b->netns ||
	    a->state != b->state || a->held_by != b->held_by || a->interface != b->interface)
		return false;
	const struct holder *x = snapshot_holder(snapshot, a->holder),
			    *y = snapshot_holder(snapshot, b->holder);
	if (!x || !y)
		return !x && !y && a->uid == b->uid;
	if (x->process == y->process)
		return true;
	const struct process *p = snapshot_process(snapshot, x->process),
			     *q = snapshot_process(snapshot, y->process);
	if (p->container != q->container || p->unit != q->unit || p->name != q->name ||
	    p->exe != q->exe)
		return false;
	bool is_same_address = ip_equal(&a->local, &b->local);
	return is_same_address || (p->unit && p->unit == q->unit) ||
	       !(a->flags & b->flags & SOCKET_TWO_OWNERS);
}

/* A connection is a row of its own, and so is what nobody can be named for. */
static bool may_share_row(const struct socket *socket)
{
	return !socket_has_peer(socket) && socket->held_by != HELD_UNSEEN;
}

struct grouping {
	const struct snapshot *snapshot;
	uint32_t *firsts; /* the first socket of each row */
	struct table rows;
};

/* Equal for all that same_service() unites. */
static uint64_t service_key(const void *owner, uint32_t row)
{
	const struct grouping *grouping = owner;
	const struct socket *s = snapshot_socket(grouping->snapshot, grouping->firsts[row]);
	const struct holder *holder = snapshot_holder(grouping->snapshot, s->holder);
	uint64_t key = (uint64_t)s->netns << 32 | (uint32_t)s->local_port << 8 | s->proto;
	if (!holder)
		return table_mix(key) ^ s->uid;
	const struct process *process = snapshot_process(grouping->snapshot, holder->process);
	return table_mix(key) ^ table_mix((uintptr_t)process->unit) ^
	       table_mix((uintptr_t)process->exe) ^ table_mix((uintptr_t)process->name);
}

/* The row of @socket: one that stands, else number @n_rows. */
static int64_t find_row(struct grouping *grouping, uint32_t socket, uint32_t n_rows)
{
	const struct socket *s = snapshot_socket(grouping->snapshot, socket);
	grouping->firsts[n_rows] = socket;
	if (!may_share_row(s))
		return n_rows;
	uint64_t key = service_key(grouping, n_rows);
	uint32_t place;
	for (uint32_t row = table_find(&grouping->rows, key, &place); row != TABLE_NONE;
	     row = table_next(&grouping->rows, key, &place)) {
		const struct socket *first =
			snapshot_socket(grouping->snapshot, grouping->firsts[row]);
		if (same_service(grouping->snapshot, first, s))
			return row;
	}
	int r = table_add(&grouping->rows, key, n_rows);
	return r < 0 ? r : (int64_t)n_rows;
}

/* Puts the sockets of each row together; @row_of tells whose each is. */
int rows_unite(struct rows *rows, const uint32_t *row_of, uint32_t n_rows)
{
	uint32_t *order = malloc((rows->n_sockets + 1u) * sizeof(*order));
	uint32_t *start = calloc(n_rows + 2u, sizeof(*start));
	if (!order || !start) {
		free(order);
		free(start);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		start[row_of[i] + 1]++;
	for (uint32_t row = 0; row < n_rows; row++)
		start[row + 1] += start[row];
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		order[start[row_of[i]]++] = rows->order[i];
	for (uint32_t row = n_rows; row > 0; row--) /* each stands at its end now */
		start[row] = start[row - 1];
	start[0] = 0;
	free(rows->order);
	free(rows->start);
	rows->order = order;
	rows->start = start;
	rows->n_rows = n_rows;
	return 0;
}

int rows_group(struct rows *rows)
{
	size_t n = rows->n_sockets;
	cleanup(freep) uint32_t *firsts = malloc((n + 1) * sizeof(*firsts));
	cleanup(freep) uint32_t *row_of = malloc((n + 1) * sizeof(*row_of));
	if (!firsts || !row_of)
		return -ENOMEM;

	struct grouping grouping = {.snapshot = rows->snapshot, .firsts = firsts};
	table_init(&grouping.rows, service_key, &grouping);
	uint32_t n_rows = 0;
	int64_t row = 0;
	for (uint32_t i = 0; row >= 0 && i < n; i++) {
		row = find_row(&grouping, rows->order[i], n_rows);
		row_of[i] = (uint32_t)row;
		n_rows += row == n_rows;
	}
	table_done(&grouping.rows);
	return row < 0 ? (int)row : rows_unite(rows, row_of, n_rows);
}

#define AHEAD 8 /* rows, for each step of socket, its holder and peer, the peer's holder */

static uint32_t index_ahead(const struct rows *rows, uint32_t row, uint32_t steps)
{
	return row >= rows->n_rows || rows->n_rows - row <= steps * AHEAD
		       ? NONE
		       : rows->order[rows_first(rows, row + steps * AHEAD)];
}

void rows_expect(const struct rows *rows, uint32_t row)
{
	const struct snapshot *snapshot = rows->snapshot;
	const struct socket *sockets = snapshot->sockets.data;
	const struct holder *holders = snapshot->holders.data;
	uint32_t far = index_ahead(rows, row, 3), mid = index_ahead(rows, row, 2),
		 near = index_ahead(rows, row, 1);
	if (far != NONE) {
		__builtin_prefetch(&sockets[far]);
		__builtin_prefetch((const char *)&sockets[far + 1] - 1);
		if (snapshot->peers)
			__builtin_prefetch(&snapshot->peers[far]);
	}
	if (mid != NONE && sockets[mid].holder != NONE)
		__builtin_prefetch(&holders[sockets[mid].holder]);
	if (mid != NONE && snapshot->peers && snapshot->peers[mid] != NONE)
		__builtin_prefetch(&sockets[snapshot->peers[mid]].holder);
	if (near != NONE && snapshot->peers && snapshot->peers[near] != NONE &&
	    sockets[snapshot->peers[near]].holder != NONE)
		__builtin_prefetch(&holders[sockets[snapshot->peers[near]].holder]);
}

void rows_record(const struct rows *rows, uint32_t row, uint32_t k, struct record *ret)
{
	rows_first_record(rows->snapshot, rows->order[rows_first(rows, row) + k], ret);
}

int rows_find(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret,
	      struct error *err)
{
	int r = rows_select(snapshot, filter, ret);
	if (r < 0)
		return error_set(err, r, "select the sockets");
	r = rows_sort(ret, NULL, NULL);
	if (r < 0) {
		rows_done(ret);
		return error_set(err, r, "sort the sockets");
	}
	return 0;
}
