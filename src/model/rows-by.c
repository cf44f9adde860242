/* Rows united by what their sockets share. */
#include <errno.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/rows.h"

const char *const rows_by_words[ROWS_BY_MAX + 1] = {"none",	 "service", "process", "unit",
						    "container", "peer",    NULL};

uint32_t rows_by_needs(enum rows_by by)
{
	static const uint32_t needs[ROWS_BY_MAX] = {
		[ROWS_BY_SERVICE] = NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CGROUP,
		[ROWS_BY_PROCESS] = NEED_HOLDERS | NEED_STAT,
		[ROWS_BY_UNIT] = NEED_HOLDERS | NEED_CGROUP,
		[ROWS_BY_CONTAINER] = NEED_HOLDERS | NEED_CGROUP,
	};
	return needs[by];
}

struct uniting {
	const struct snapshot *snapshot;
	enum rows_by by;
	const uint32_t *firsts; /* the first socket of each row */
};

/* Of two words, both equal only for what belongs together. Strings are interned, so that equal ones
 * have one address; what nobody holds is told apart by why. */
struct key {
	uint64_t a, b;
};

static struct key key_of(const struct uniting *uniting, uint32_t index)
{
	const struct snapshot *snapshot = uniting->snapshot;
	const struct socket *socket = snapshot_socket(snapshot, index);
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	const struct process *process = holder ? snapshot_process(snapshot, holder->process) : NULL;
	struct key key = {.a = 0, .b = 1};
	if (uniting->by == ROWS_BY_PEER) {
		if (socket_has_peer(socket))
			memcpy(&key, &socket->peer, sizeof(key));
		return key;
	}
	if (!process)
		return (struct key){.a = 1, .b = socket->held_by};
	if (uniting->by == ROWS_BY_PROCESS)
		return (struct key){.a = 2, .b = holder->process};
	if (process->container != NONE)
		return (struct key){.a = 3, .b = process->container};
	return (struct key){
		.a = 4, .b = uniting->by == ROWS_BY_UNIT ? (uint64_t)(uintptr_t)process->unit : 0};
}

static uint64_t mixed(struct key key)
{
	return table_mix(key.a) ^ key.b;
}

static uint64_t row_key(const void *owner, uint32_t row)
{
	const struct uniting *uniting = owner;
	return mixed(key_of(uniting, uniting->firsts[row]));
}

static uint32_t find_row(const struct uniting *uniting, const struct table *table, struct key key)
{
	uint32_t place;
	for (uint32_t row = table_find(table, mixed(key), &place); row != TABLE_NONE;
	     row = table_next(table, mixed(key), &place)) {
		struct key other = key_of(uniting, uniting->firsts[row]);
		if (other.a == key.a && other.b == key.b)
			return row;
	}
	return TABLE_NONE;
}

static int unite(struct rows *rows, enum rows_by by)
{
	cleanup(freep) uint32_t *firsts = malloc((rows->n_sockets + 1u) * sizeof(*firsts));
	cleanup(freep) uint32_t *row_of = malloc((rows->n_sockets + 1u) * sizeof(*row_of));
	cleanup(table_done) struct table table;
	struct uniting uniting = {.snapshot = rows->snapshot, .by = by, .firsts = firsts};
	uint32_t n_rows = 0;
	table_init(&table, row_key, &uniting);
	if (!firsts || !row_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		struct key key = key_of(&uniting, rows->order[i]);
		uint32_t row = find_row(&uniting, &table, key);
		if (row == TABLE_NONE) {
			row = n_rows++;
			firsts[row] = rows->order[i];
			int r = table_add(&table, mixed(key), row);
			if (r < 0)
				return r;
		}
		row_of[i] = row;
	}
	return rows_unite(rows, row_of, n_rows);
}

int rows_group_by(struct rows *rows, enum rows_by by)
{
	if (by == ROWS_BY_NONE)
		return 0;
	return by == ROWS_BY_SERVICE ? rows_group(rows) : unite(rows, by);
}
