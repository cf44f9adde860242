/* The index of a full segment: lists of row groups, many keys a row. */
#include <errno.h>
#include <string.h>

#include "base/varint.h"
#include "history/segment-index.h"

#define CHUNK 2000 /* bytes of lists a row, about: so much is read to find one */

static long long index_id(enum index_kind kind, uint32_t key)
{
	return (long long)((uint64_t)kind << 32 | key);
}

uint32_t index_peer(uint64_t high, uint64_t low, bool is_v4)
{
	if (is_v4)
		return (uint32_t)low;
	uint64_t mixed = (high ^ low << 1) * 0x9fb21c651e98df25u;
	return (uint32_t)(mixed >> 32);
}

/* ---- made ---- */

struct making {
	sqlite3_stmt *put;
	struct vector ports, exes, peers; /* uint64_t: key, in the low half which group */
	struct vector scratch;
	struct out times, lists;
	uint64_t n_groups;
	int64_t closed; /* of the group before */
};

static void making_done(struct making *making)
{
	struct vector *const vectors[] = {&making->ports, &making->exes, &making->peers,
					  &making->scratch};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	out_done(&making->times);
	out_done(&making->lists);
	sqlite3_finalize(making->put);
}

static void put_varint(struct out *out, uint64_t number)
{
	uint8_t bytes[VARINT_MAX] = {0};
	out_bytes(out, bytes, (size_t)(varint_put(bytes, number) - bytes));
}

static int add_pair(struct vector *pairs, uint64_t key, uint64_t group)
{
	uint64_t pair = key << 32 | group;
	if (pairs->n && *(uint64_t *)vector_at(pairs, pairs->n - 1) == pair)
		return 0;
	uint64_t *added = vector_add(pairs);
	if (!added)
		return -ENOMEM;
	*added = pair;
	return 0;
}

static int add_rows(struct making *making, struct row_group *group, struct vector *no_peer)
{
	const uint64_t *ports = row_group_column(group, ROW_PORT),
		       *exes = row_group_column(group, ROW_EXE);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < group->n; i++) {
		uint64_t high, low;
		bool is_v4;
		r = add_pair(&making->ports, ports[i] & UINT16_MAX, making->n_groups);
		if (r >= 0 && exes[i])
			r = add_pair(&making->exes, exes[i] & UINT32_MAX, making->n_groups);
		if (r >= 0 && row_group_peer(group, i, &high, &low, &is_v4))
			r = add_pair(&making->peers, index_peer(high, low, is_v4),
				     making->n_groups);
		else if (r >= 0)
			r = add_pair(no_peer, 0, making->n_groups);
	}
	return r >= 0 && group->is_broken ? -EBADMSG : r;
}

/* By key, a byte a time; the groups of a key stay in their order. */
static int sort_pairs(struct vector *pairs, struct vector *scratch)
{
	if (vector_reserve(scratch, pairs->n) < 0)
		return -ENOMEM;
	uint64_t *from = pairs->data, *to = scratch->data;
	for (unsigned shift = 32; shift < 64; shift += 8) {
		uint32_t places[256] = {0}, place = 0;
		for (uint32_t i = 0; i < pairs->n; i++)
			places[from[i] >> shift & 255]++;
		for (unsigned i = 0; i < 256; i++) {
			uint32_t n = places[i];
			places[i] = place;
			place += n;
		}
		for (uint32_t i = 0; i < pairs->n; i++)
			to[places[from[i] >> shift & 255]++] = from[i];
		uint64_t *other = from;
		from = to;
		to = other;
	} /* an even number of times: they are where they were */
	return 0;
}

static int put_row(struct making *making, long long id, struct out *bytes)
{
	if (bytes->error)
		return SQLITE_NOMEM;
	sqlite3_bind_int64(making->put, 1, id);
	sqlite3_bind_blob64(making->put, 2, bytes->data, bytes->n, SQLITE_STATIC);
	int code = store_step(making->put);
	bytes->n = 0;
	return code;
}

/* One key's groups, from the pair at @from on; the pair behind them. */
static uint32_t put_list(struct out *out, const uint64_t *pairs, uint32_t from, uint32_t n,
			 uint32_t key_before)
{
	uint32_t key = (uint32_t)(pairs[from] >> 32), end = from + 1, before = 0, n_groups = 1;
	for (; end < n && pairs[end] >> 32 == key; end++)
		n_groups += pairs[end] != pairs[end - 1];
	put_varint(out, key - key_before);
	put_varint(out, n_groups);
	for (uint32_t i = from; i < end; i++) {
		uint32_t group = (uint32_t)pairs[i];
		if (i > from && group == before)
			continue;
		put_varint(out, group - before);
		before = group;
	}
	return end;
}

static int put_lists(struct making *making, enum index_kind kind, struct vector *all)
{
	const uint64_t *pairs = all->data;
	uint32_t first = 0, before = 0;
	int code = sort_pairs(all, &making->scratch) < 0 ? SQLITE_NOMEM : SQLITE_OK;
	for (uint32_t i = 0; code == SQLITE_OK && i < all->n;) {
		uint32_t key = (uint32_t)(pairs[i] >> 32);
		if (!making->lists.n)
			first = before = key;
		i = put_list(&making->lists, pairs, i, all->n, before);
		before = key;
		if (making->lists.n >= CHUNK || i == all->n)
			code = put_row(making, index_id(kind, first), &making->lists);
	}
	return code;
}

static int add_group(struct making *making, sqlite3_stmt *from, struct vector *no_peer)
{
	struct row_group group;
	int64_t closed = sqlite3_column_int64(from, 1), opened = sqlite3_column_int64(from, 2);
	const void *bytes = sqlite3_column_blob(from, 0);
	int r = row_group_open(&group, bytes, (size_t)sqlite3_column_bytes(from, 0));
	if (r < 0)
		return r;
	put_varint(&making->times, group.n);
	put_varint(&making->times, number_fold(closed - making->closed));
	put_varint(&making->times, (uint64_t)(closed - opened));
	making->closed = closed;
	r = add_rows(making, &group, no_peer);
	making->n_groups++;
	return r;
}

static int read_all(struct making *making, sqlite3 *db, int64_t segment, struct vector *no_peer,
		    struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = store_prepare(db, &all, err,
			      "SELECT rows, closed, opened FROM interval_%lld ORDER BY id",
			      (long long)segment);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		r = add_group(making, all, no_peer);
		if (r < 0)
			return store_damaged(db, r, err);
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(db, code, err, "read") : r;
}

int segment_index_make(sqlite3 *db, int64_t segment, struct error *err)
{
	cleanup(making_done) struct making making = {.closed = 0};
	cleanup(vector_done) struct vector no_peer;
	struct vector *const pairs[] = {&making.ports, &making.exes, &making.peers, &making.scratch,
					&no_peer};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		vector_init(pairs[i], sizeof(uint64_t));
	if (out_init(&making.times, -1) < 0 || out_init(&making.lists, -1) < 0)
		return error_set(err, -ENOMEM, "write the history");
	int r = store_prepare(db, &making.put, err, "INSERT INTO index_%lld VALUES (?1, ?2)",
			      (long long)segment);
	if (r >= 0)
		r = read_all(&making, db, segment, &no_peer, err);
	if (r < 0)
		return r;
	int code = put_row(&making, index_id(INDEX_TIME, 0), &making.times);
	if (code == SQLITE_OK)
		code = put_lists(&making, INDEX_PORT, &making.ports);
	if (code == SQLITE_OK)
		code = put_lists(&making, INDEX_EXE, &making.exes);
	if (code == SQLITE_OK)
		code = put_lists(&making, INDEX_PEER, &making.peers);
	if (code == SQLITE_OK)
		code = put_lists(&making, INDEX_NO_PEER, &no_peer);
	return code == SQLITE_OK ? 0 : store_error(db, code, err, "write to");
}

/* ---- asked ---- */

static int add_place(struct vector *to, int64_t id, uint64_t base, int64_t opened, int64_t closed)
{
	struct row_group_place *place = vector_add(to);
	if (!place)
		return -ENOMEM;
	*place = (struct row_group_place){
		.id = id, .opened = base + (uint64_t)opened, .closed = base + (uint64_t)closed};
	return 0;
}

static int take_times(sqlite3_stmt *row, uint64_t base, struct vector *ret)
{
	const uint8_t *at = sqlite3_column_blob(row, 0),
		      *end = at ? at + sqlite3_column_bytes(row, 0) : at;
	uint64_t id = 1, n, closed = 0, step, length;
	while (at < end) {
		if (!varint_take_within(&at, end, &n) || !varint_take_within(&at, end, &step) ||
		    !varint_take_within(&at, end, &length) || n > ROW_GROUP_MAX)
			return -EBADMSG;
		closed += number_unfold(step);
		if (add_place(ret, (int64_t)id, base, (int64_t)(closed - length), (int64_t)closed) <
		    0)
			return -ENOMEM;
		id += n;
	}
	return 0;
}

int segment_groups(sqlite3 *db, int64_t segment, uint64_t base, bool is_indexed, struct vector *ret,
		   struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	ret->n = 0;
	int r = is_indexed
			? store_prepare(db, &all, err, "SELECT groups FROM index_%lld WHERE id = 0",
					(long long)segment)
			: store_prepare(db, &all, err,
					"SELECT id, opened, closed FROM interval_%lld ORDER BY id",
					(long long)segment);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		r = is_indexed
			    ? take_times(all, base, ret)
			    : add_place(ret, sqlite3_column_int64(all, 0), base,
					sqlite3_column_int64(all, 1), sqlite3_column_int64(all, 2));
		if (r < 0)
			return store_damaged(db, r, err);
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(db, code, err, "read") : r;
}

/* The list of @key among those that begin with that of @first. */
static int choose(const uint8_t *at, const uint8_t *end, uint32_t first, uint32_t key,
		  struct vector *groups)
{
	uint64_t of = first, step, n;
	while (at < end && of <= key) {
		if (!varint_take_within(&at, end, &step) || !varint_take_within(&at, end, &n))
			return -EBADMSG;
		of += step;
		for (uint64_t i = 0, group = 0; i < n; i++) {
			if (!varint_take_within(&at, end, &step))
				return -EBADMSG;
			group += step;
			if (of == key && group < groups->n)
				((struct row_group_place *)vector_at(groups, (uint32_t)group))
					->is_chosen = true;
		}
	}
	return 0;
}

int segment_choose(sqlite3 *db, int64_t segment, enum index_kind kind, uint32_t key,
		   struct vector *groups, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	int r = store_prepare(db, &find, err,
			      "SELECT id, groups FROM index_%lld WHERE id BETWEEN %lld AND %lld"
			      " ORDER BY id DESC LIMIT 1",
			      (long long)segment, index_id(kind, 0), index_id(kind, key));
	if (r < 0)
		return r;
	int code = sqlite3_step(find);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : store_error(db, code, err, "read");
	const uint8_t *at = sqlite3_column_blob(find, 1);
	r = choose(at, at ? at + sqlite3_column_bytes(find, 1) : at,
		   (uint32_t)sqlite3_column_int64(find, 0), key, groups);
	return r < 0 ? store_damaged(db, r, err) : 0;
}
