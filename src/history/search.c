/* Where in the file: which rows a question reads. */
#include <errno.h>
#include <string.h>

#include "history/archive.h"
#include "model/filter-node.h"

#define LEVELS 32
/* What read_row expects; the first two as the table has them. */
#define COLUMNS                                                                                 \
	"place, port, peer, peer_port, process, fd, crew, bits, cookie, inode, sent, received," \
	" error, closer"
#define OPEN_COLUMNS \
	"place, port, peer, peer_port, process, fd, crew, bits, cookie, inode, NULL, NULL, 0, 0"

/* ---- what of a filter SQL can look for ---- */

/* A test that all that match must meet: it stands under nothing but `and`. */
static const struct node *demanded(const struct filter *filter, uint32_t index, const char *field)
{
	const struct node *node = filter_node(filter, index);
	if (node->kind == NODE_TEST)
		return node->operation == OP_EQUAL && node->n == 1 &&
				       strcmp(node->field->name, field) == 0
			       ? node
			       : NULL;
	if (node->kind != NODE_AND)
		return NULL;
	const struct node *found = demanded(filter, node->left, field);
	return found ? found : demanded(filter, node->right, field);
}

/* The numbers of an executable's path; at most a few, for it is kept once as a rule. */
static bool narrow_exe(struct narrow *narrow, sqlite3 *db, const char *exe)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	char list[400];
	size_t n = 0;
	if (store_prepare(db, &find, NULL, "SELECT id FROM string WHERE text = CAST(?1 AS BLOB)") <
	    0)
		return false;
	sqlite3_bind_text(find, 1, exe, -1, SQLITE_STATIC);
	int code;
	while ((code = sqlite3_step(find)) == SQLITE_ROW) {
		if (n + 24 > sizeof(list))
			return false;
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%lld", n ? "," : "",
				      sqlite3_column_int64(find, 0));
	}
	if (code != SQLITE_DONE)
		return false;
	list[n] = '\0';
	snprintf(narrow->where, sizeof(narrow->where), " AND exe IN (%s)", list);
	return true;
}

static bool narrow_peer(struct narrow *narrow, const struct operand *operand)
{
	char hex[33];
	bool is_v4 = ip_is_mapped(&operand->ip);
	if (operand->prefix != 128 || ip_is_any(&operand->ip))
		return false;
	unsigned from = is_v4 ? 12 : 0;
	for (unsigned i = from; i < 16; i++)
		snprintf(hex + (i - from) * 2, 3, "%02x", operand->ip.bytes[i]);
	snprintf(narrow->where, sizeof(narrow->where), " AND peer = x'%s'", hex);
	return true;
}

void narrow_by(struct narrow *narrow, sqlite3 *db, const struct filter *filter)
{
	struct bounds bounds = filter_bounds(filter);
	*narrow = (struct narrow){.port_first = bounds.port_first, .port_last = bounds.port_last};
	if (!filter)
		return;
	if (bounds.port_first == bounds.port_last) {
		snprintf(narrow->where, sizeof(narrow->where), " AND port = %u", bounds.port_first);
		narrow->is_indexed = true;
		return;
	}
	const struct node *peer = demanded(filter, filter->root, "peer"),
			  *exe = demanded(filter, filter->root, "exe");
	if (peer && narrow_peer(narrow, filter_operand(filter, peer->first)))
		narrow->is_indexed = true;
	else if (exe && narrow_exe(narrow, db, filter_operand(filter, exe->first)->text))
		narrow->is_indexed = true;
	else if (!bounds_has_all_ports(&bounds))
		snprintf(narrow->where, sizeof(narrow->where), " AND +port BETWEEN %u AND %u",
			 bounds.port_first, bounds.port_last);
}

/* ---- rows ---- */

static int hand_rows(struct archive *archive, sqlite3_stmt *rows, int64_t boot,
		     int (*each)(void *data, struct revived_row *row), void *data,
		     struct error *err)
{
	struct revived_row row;
	int code;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		read_row(rows, &row);
		row.interval.boot = (uint32_t)boot;
		int r = each(data, &row);
		if (r)
			return r;
	}
	return code == SQLITE_DONE ? 0 : store_error(archive->db, code, err, "read");
}

int search_open(struct archive *archive, int64_t boot, const struct narrow *narrow,
		int (*each)(void *data, struct revived_row *row), void *data, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *rows = NULL;
	int r = store_prepare(archive->db, &rows, err,
			      "SELECT 0, opened, " OPEN_COLUMNS " FROM open WHERE boot = %lld%s"
			      " ORDER BY opened DESC",
			      (long long)boot, narrow->where);
	return r < 0 ? r : hand_rows(archive, rows, boot, each, data, err);
}

/* The first row that ended after @at, give or take what is out of order; they are numbered from 1
 * without a hole. */
static int64_t first_after(struct archive *archive, const struct part *part, uint64_t at)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	uint64_t sought = at > part->slack ? at - part->slack : 0;
	int64_t low = 1, high = (int64_t)part->n + 1;
	if (sought < part->base)
		return 1;
	if (store_prepare(archive->db, &find, NULL,
			  "SELECT closed FROM interval_%lld WHERE id = ?1",
			  (long long)part->id) < 0)
		return 1;
	int64_t relative = (int64_t)(sought - part->base);
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		sqlite3_bind_int64(find, 1, middle);
		if (sqlite3_step(find) != SQLITE_ROW)
			return 1;
		bool is_after = sqlite3_column_int64(find, 0) > relative;
		sqlite3_reset(find);
		if (is_after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int search_part(struct archive *archive, const struct part *part, uint64_t from, uint64_t until,
		const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
		void *data, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *rows = NULL;
	if (!part->n || part->opened > until || part->closed < from)
		return 0;
	long long base = (long long)part->base;
	int64_t first = from ? first_after(archive, part, from ? from - 1 : 0) : 1;
	uint64_t end = until > INT64_MAX ? INT64_MAX : until;
	int r = store_prepare(archive->db, &rows, err,
			      "SELECT closed + %lld, closed - length + %lld, " COLUMNS
			      " FROM interval_%lld WHERE id >= %lld%s%s%lld ORDER BY id DESC",
			      base, base, (long long)part->id, (long long)first, narrow->where,
			      " AND closed - length <= ", (long long)end - base);
	return r < 0 ? r : hand_rows(archive, rows, part->boot, each, data, err);
}

/* ---- what was open at a moment ---- */

struct at {
	uint64_t at, longest, slack;
	int (*each)(void *data, struct revived_row *row);
	void *data;
	int r;
};

/* In the order of ends: what ended so late was open at that moment only if it was longer than those
 * that are looked for. */
static int keep_at(void *data, struct revived_row *row)
{
	struct at *at = data;
	uint64_t closed = row->interval.closed_uptime_ns;
	if (at->longest < UINT64_MAX - at->at - at->slack &&
	    closed > at->at + at->longest + at->slack)
		return 1;
	if (closed <= at->at || row->interval.opened_uptime_ns > at->at)
		return 0;
	at->r = at->each(at->data, row);
	return at->r;
}

static int search_level(struct archive *archive, const struct part *part, int level, int64_t first,
			const struct narrow *narrow, struct at *at, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *rows = NULL;
	char which[24];
	long long base = (long long)part->base;
	if (level < 0)
		snprintf(which, sizeof(which), "+level IS NULL");
	else
		snprintf(which, sizeof(which), "level = %d", level);
	int r = store_prepare(archive->db, &rows, err,
			      "SELECT closed + %lld, closed - length + %lld, " COLUMNS
			      " FROM interval_%lld WHERE %s AND id >= %lld ORDER BY id",
			      base, base, (long long)part->id, which, (long long)first);
	(void)narrow;
	if (r >= 0)
		r = hand_rows(archive, rows, part->boot, keep_at, at, err);
	return at->r ? at->r : r < 0 ? r : 0;
}

int search_at(struct archive *archive, const struct part *part, uint64_t at_uptime,
	      const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
	      void *data, struct error *err)
{
	struct at at = {.at = at_uptime, .slack = part->slack, .each = each, .data = data};
	if (!part->n || part->opened > at_uptime || part->closed <= at_uptime)
		return 0;
	int64_t first = first_after(archive, part, at_uptime);
	if (!part->is_indexed || narrow->is_indexed) {
		cleanup(statement_free) sqlite3_stmt *rows = NULL;
		long long base = (long long)part->base;
		at.longest = UINT64_MAX;
		int r = store_prepare(archive->db, &rows, err,
				      "SELECT closed + %lld, closed - length + %lld, " COLUMNS
				      " FROM interval_%lld WHERE id >= %lld%s"
				      " AND closed - length <= %lld",
				      base, base, (long long)part->id, (long long)first,
				      narrow->where, (long long)at_uptime - base);
		if (r >= 0)
			r = hand_rows(archive, rows, part->boot, keep_at, &at, err);
		return at.r ? at.r : r < 0 ? r : 0;
	}
	/* How far the segment's first end lies behind: what is shorter than that cannot reach. */
	uint64_t ahead =
		part->base > at_uptime + part->slack ? part->base - at_uptime - part->slack : 0;
	int r = 0;
	for (int level = -1; r == 0 && level < LEVELS; level++) {
		if (level >= 0 && level < LEVEL_FIRST_BITS / 2)
			continue;
		at.longest = level < 0 ? UINT64_C(1) << LEVEL_FIRST_BITS : level_longest(level);
		if (at.longest >= ahead)
			r = search_level(archive, part, level, first, narrow, &at, err);
	}
	return r;
}
