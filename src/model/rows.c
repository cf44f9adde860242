/* Which sockets a view shows, in which order, united how. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "model/rows.h"

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

static void first_record(const struct snapshot *snapshot, uint32_t socket, struct record *ret)
{
	const struct socket *s = snapshot_socket(snapshot, socket);
	const struct holder *holder = snapshot_holder(snapshot, s->holder);
	*ret = (struct record){.snapshot = snapshot,
			       .socket = s,
			       .index = socket,
			       .holder = holder,
			       .process =
				       holder ? snapshot_process(snapshot, holder->process) : NULL};
}

static int compare_fields(const void *a, const void *b, void *data)
{
	const struct ordering *ordering = data;
	struct record x, y;
	first_record(ordering->snapshot, *(const uint32_t *)a, &x);
	first_record(ordering->snapshot, *(const uint32_t *)b, &y);
	for (unsigned i = 0; ordering->by[i]; i++) {
		char scratch[2][256];
		struct value v = {.scratch = scratch[0]}, w = {.scratch = scratch[1]};
		ordering->by[i]->get(&x, &v);
		ordering->by[i]->get(&y, &w);
		int r = value_compare(&v, &w);
		bool has_null = v.kind == VALUE_NULL || w.kind == VALUE_NULL; /* null stays last */
		if (r)
			return ordering->descending && ordering->descending[i] && !has_null ? -r
											    : r;
	}
	return compare_usual(a, b, (void *)(uintptr_t)ordering->snapshot);
}

/* Counted by proto and port first: what shares them is few, and settled in place. */
static int sort_usual(struct rows *rows)
{
	uint32_t n = rows->n_sockets;
	if (n < 4096) {
		qsort_r(rows->order, n, sizeof(*rows->order), compare_usual,
			(void *)(uintptr_t)rows->snapshot);
		return 0;
	}
	size_t n_buckets = (size_t)PROTO_MAX << 16;
	cleanup(freep) uint32_t *starts = calloc(n_buckets + 1, sizeof(*starts));
	cleanup(freep) uint32_t *sorted = malloc((size_t)n * sizeof(*sorted));
	if (!starts || !sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct socket *s = snapshot_socket(rows->snapshot, rows->order[i]);
		starts[((size_t)s->proto << 16 | s->local_port) + 1]++;
	}
	for (size_t i = 1; i <= n_buckets; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < n; i++) {
		const struct socket *s = snapshot_socket(rows->snapshot, rows->order[i]);
		sorted[starts[(size_t)s->proto << 16 | s->local_port]++] = rows->order[i];
	}
	for (size_t i = 0, first = 0; i < n_buckets;
	     i++) { /* starts[i] is now the end of bucket i */
		size_t count = starts[i] - first;
		if (count > 1)
			qsort_r(sorted + first, count, sizeof(*sorted), compare_usual,
				(void *)(uintptr_t)rows->snapshot);
		first = starts[i];
	}
	free(rows->order);
	rows->order = TAKE_POINTER(sorted);
	return 0;
}

int rows_sort(struct rows *rows, const struct field *const *by, const bool *descending)
{
	rows->is_usual = !by || !by[0];
	if (rows->is_usual)
		return sort_usual(rows);
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
	    a->state != b->state || a->held_by != b->held_by || a->interface != b->interface ||
	    socket_has_peer(a) || socket_has_peer(b))
		return false;
	const struct holder *x = snapshot_holder(snapshot, a->holder),
			    *y = snapshot_holder(snapshot, b->holder);
	if (!x || !y)
		return !x && !y && a->uid == b->uid && a->held_by != HELD_UNSEEN;
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

int rows_group(struct rows *rows)
{
	uint32_t n = rows->n_sockets, n_ordered = 0, n_rows = 0;
	cleanup(freep) uint32_t *order = malloc(((size_t)n + 1) * sizeof(*order));
	cleanup(freep) uint32_t *start = malloc(((size_t)n + 2) * sizeof(*start));
	cleanup(freep) bool *taken = calloc((size_t)n + 1, sizeof(*taken));
	if (!order || !start || !taken)
		return -ENOMEM;

	/* the sockets of a port stand together in the usual order; in another each looks through
	 * all of its port */
	for (uint32_t i = 0; i < n; i++) {
		if (taken[i])
			continue;
		const struct socket *first = snapshot_socket(rows->snapshot, rows->order[i]);
		start[n_rows++] = n_ordered;
		order[n_ordered++] = rows->order[i];
		for (uint32_t k = i + 1; k < n && !socket_has_peer(first); k++) {
			const struct socket *other =
				snapshot_socket(rows->snapshot, rows->order[k]);
			if (rows->is_usual && (other->local_port != first->local_port ||
					       other->proto != first->proto))
				break;
			if (!taken[k] && same_service(rows->snapshot, first, other)) {
				taken[k] = true;
				order[n_ordered++] = rows->order[k];
			}
		}
	}
	start[n_rows] = n_ordered;
	free(rows->order);
	rows->order = TAKE_POINTER(order);
	rows->start = TAKE_POINTER(start);
	rows->n_rows = n_rows;
	return 0;
}

void rows_record(const struct rows *rows, uint32_t row, uint32_t k, struct record *ret)
{
	first_record(rows->snapshot, rows->order[rows_first(rows, row) + k], ret);
}

/* ---- the values of a row ---- */

#define DISTINCT_MAX 64

struct distinct {
	struct value values[DISTINCT_MAX];
	char scratch[DISTINCT_MAX][256];
	uint32_t times[DISTINCT_MAX];
	uint32_t n;
};

static void add_value(struct distinct *distinct, const struct field *field,
		      const struct record *record)
{
	char scratch[256];
	struct value value = {.scratch = scratch};
	field->get(record, &value);
	if (value.kind == VALUE_NULL)
		return;
	for (uint32_t i = 0; i < distinct->n; i++)
		if (value_compare(&distinct->values[i], &value) == 0) {
			distinct->times[i]++;
			return;
		}
	if (distinct->n == DISTINCT_MAX)
		return;
	uint32_t n = distinct->n++;
	distinct->values[n] = value;
	if ((value.kind == VALUE_STRING || value.kind == VALUE_OBJECT) && value.text == scratch) {
		memcpy(distinct->scratch[n], scratch, sizeof(scratch));
		distinct->values[n].text = distinct->scratch[n];
	}
	distinct->times[n] = 1;
}

uint32_t rows_values(const struct rows *rows, uint32_t row, const struct field *field,
		     int (*each)(void *data, const struct value *value, uint32_t times), void *data)
{
	struct record record;
	uint32_t length = rows_length(rows, row);
	rows_record(rows, row, 0, &record);
	bool is_single = length == 1 &&
			 (field->of == OF_SOCKET || !record.holder || record.holder->next == NONE);
	if (is_single) {
		char scratch[256];
		struct value value = {.scratch = scratch};
		field->get(&record, &value);
		if (value.kind != VALUE_NULL)
			each(data, &value, 1);
		return value.kind != VALUE_NULL;
	}

	struct distinct distinct;
	distinct.n = 0;
	uint64_t sum = 0;
	const struct process *last = NULL;
	for (uint32_t k = 0; k < length; k++) {
		rows_record(rows, row, k, &record);
		if (field->of == OF_SOCKET) {
			add_value(&distinct, field, &record);
			continue;
		}
		for (; record.holder;
		     record.holder = snapshot_holder(rows->snapshot, record.holder->next)) {
			record.process = snapshot_process(rows->snapshot, record.holder->process);
			/* a process that holds both halves counts once */
			bool is_again =
				k > 0 && field->merge == MERGE_COUNT && record.process == last;
			last = record.process;
			if (!is_again)
				add_value(&distinct, field, &record);
		}
	}
	if (field->merge == MERGE_SUM && distinct.n > 0) {
		for (uint32_t i = 0; i < distinct.n; i++)
			sum += distinct.values[i].number * distinct.times[i];
		struct value value = {.kind = VALUE_UINT, .number = sum};
		each(data, &value, 1);
		return 1;
	}
	for (uint32_t i = 0; i < distinct.n; i++)
		if (each(data, &distinct.values[i], distinct.times[i]) < 0)
			break;
	return distinct.n;
}
