/* Where in the file: which rows a question reads. */
#include <errno.h>
#include <string.h>

#include "history/archive.h"
#include "history/segment-index.h"
#include "model/filter-node.h"

/* What read_row expects of a row of `open`. */
#define OPEN_COLUMNS "opened, place, port, peer, peer_port, process, fd, crew, bits, cookie, inode"

/* ---- what of a filter the file can look for ---- */

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
static void narrow_exe(struct narrow *narrow, sqlite3 *db, const char *exe)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	uint32_t n = 0;
	if (store_prepare(db, &find, NULL, "SELECT id FROM string WHERE text = CAST(?1 AS BLOB)") <
	    0)
		return;
	sqlite3_bind_text(find, 1, exe, -1, SQLITE_STATIC);
	int code;
	while ((code = sqlite3_step(find)) == SQLITE_ROW) {
		if (n == NARROW_EXES)
			return;
		narrow->exes[n++] = (uint32_t)sqlite3_column_int64(find, 0);
	}
	if (code != SQLITE_DONE)
		return;
	narrow->n_exes = n;
	narrow->has_exe = true;
}

static void narrow_peer(struct narrow *narrow, const struct operand *operand)
{
	if (operand->prefix != 128 || ip_is_any(&operand->ip))
		return;
	narrow->has_peer = true;
	narrow->peer = operand->ip;
}

void narrow_by(struct narrow *narrow, sqlite3 *db, const struct filter *filter)
{
	struct bounds bounds = filter_bounds(filter);
	*narrow = (struct narrow){.port_first = bounds.port_first, .port_last = bounds.port_last};
	if (!filter)
		return;
	narrow->has_ports = !bounds_has_all_ports(&bounds);
	const struct node *peer = demanded(filter, filter->root, "peer"),
			  *exe = demanded(filter, filter->root, "exe");
	if (peer)
		narrow_peer(narrow, filter_operand(filter, peer->first));
	if (exe)
		narrow_exe(narrow, db, filter_operand(filter, exe->first)->text);
}

void narrow_to_port(struct narrow *narrow, uint16_t port)
{
	*narrow = (struct narrow){.port_first = port, .port_last = port, .has_ports = true};
}

/* ---- what is open now: rows of SQLite ---- */

static int hand_open(struct archive *archive, sqlite3_stmt *rows, int64_t boot,
		     const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
		     void *data, struct error *err)
{
	struct revived_row row;
	int code;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		read_row(rows, &row);
		row.interval.boot = (uint32_t)boot;
		if (narrow->only_without_peer && row.has_peer)
			continue;
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
			      "SELECT " OPEN_COLUMNS " FROM open WHERE boot = %lld"
			      " AND port BETWEEN %u AND %u ORDER BY opened DESC",
			      (long long)boot, narrow->port_first, narrow->port_last);
	return r < 0 ? r : hand_open(archive, rows, boot, narrow, each, data, err);
}

/* ---- what has ended: row groups ---- */

struct searching {
	struct archive *archive;
	const struct part *part;
	const struct narrow *narrow;
	uint64_t from, until, peer_high, peer_low;
	bool is_v4_peer;
	int (*each)(void *data, struct revived_row *row);
	void *data;
	struct vector groups; /* struct row_group_place */
	sqlite3_stmt *get;
	struct row_group group;
};

static void searching_free(struct searching **searching)
{
	if (!*searching)
		return;
	vector_done(&(*searching)->groups);
	sqlite3_finalize((*searching)->get);
	free(*searching);
}

static bool has_exe(const struct narrow *narrow, uint64_t exe)
{
	for (uint32_t i = 0; i < narrow->n_exes; i++)
		if (narrow->exes[i] == exe)
			return true;
	return false;
}

static bool is_sought(struct searching *searching, uint32_t row)
{
	const struct narrow *narrow = searching->narrow;
	struct row_group *group = &searching->group;
	uint64_t high, low;
	bool is_v4;
	if (narrow->has_ports) {
		uint64_t port = row_group_value(group, ROW_PORT, row);
		if (port < narrow->port_first || port > narrow->port_last)
			return false;
	}
	if (narrow->has_exe && !has_exe(narrow, row_group_value(group, ROW_EXE, row)))
		return false;
	if (!narrow->has_peer && !narrow->only_without_peer)
		return true;
	if (!row_group_peer(group, row, &high, &low, &is_v4))
		return narrow->only_without_peer;
	return narrow->has_peer && is_v4 == searching->is_v4_peer && low == searching->peer_low &&
	       high == searching->peer_high;
}

static int hand_row(struct searching *searching, uint32_t row)
{
	struct interval_row found;
	struct revived_row revived;
	row_group_row(&searching->group, row, searching->part->base, &found);
	revive_row(&found, searching->part->boot, &revived);
	return searching->each(searching->data, &revived);
}

static int hand_group(struct searching *searching, struct error *err)
{
	struct row_group *group = &searching->group;
	uint64_t base = searching->part->base, from = searching->from, until = searching->until;
	bool is_bounded = from || until != UINT64_MAX;
	const uint64_t *closed = is_bounded ? row_group_column(group, ROW_CLOSED) : NULL,
		       *length = is_bounded ? row_group_column(group, ROW_LENGTH) : NULL;
	int r = 0;
	for (uint32_t i = group->n; r == 0 && i--;) {
		uint64_t end = is_bounded ? base + closed[i] : 0;
		if (is_bounded && (end < from || end - length[i] > until))
			continue;
		if (is_sought(searching, i))
			r = hand_row(searching, i);
	}
	return group->is_broken ? store_damaged(searching->archive->db, -EBADMSG, err) : r;
}

static int read_group(struct searching *searching, int64_t id, struct error *err)
{
	sqlite3 *db = searching->archive->db;
	sqlite3_bind_int64(searching->get, 1, id);
	int code = sqlite3_step(searching->get), r;
	if (code == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(searching->get, 0);
		int n = sqlite3_column_bytes(searching->get, 0);
		r = row_group_open(&searching->group, bytes, (size_t)n);
		r = r < 0 ? store_damaged(db, r, err) : hand_group(searching, err);
	} else {
		r = code == SQLITE_DONE ? store_damaged(db, -EBADMSG, err)
					: store_error(db, code, err, "read");
	}
	sqlite3_reset(searching->get);
	return r;
}

/* By the index, where there is one for what is sought. */
static int choose(struct searching *searching, struct error *err)
{
	const struct narrow *narrow = searching->narrow;
	const struct part *part = searching->part;
	sqlite3 *db = searching->archive->db;
	struct vector *groups = &searching->groups;
	if (part->is_indexed && narrow->has_ports && narrow->port_first == narrow->port_last)
		return segment_choose(db, part->id, INDEX_PORT, narrow->port_first, groups, err);
	if (part->is_indexed && narrow->has_peer)
		return segment_choose(db, part->id, INDEX_PEER,
				      index_peer(searching->peer_high, searching->peer_low,
						 searching->is_v4_peer),
				      groups, err);
	int r = 0;
	if (part->is_indexed && narrow->has_exe) {
		for (uint32_t i = 0; r >= 0 && i < narrow->n_exes; i++)
			r = segment_choose(db, part->id, INDEX_EXE, narrow->exes[i], groups, err);
		return r;
	}
	if (part->is_indexed && narrow->only_without_peer)
		return segment_choose(db, part->id, INDEX_NO_PEER, 0, groups, err);
	for (uint32_t i = 0; i < groups->n; i++)
		((struct row_group_place *)vector_at(groups, i))->is_chosen = true;
	return 0;
}

static int search(struct searching *searching, struct error *err)
{
	const struct part *part = searching->part;
	sqlite3 *db = searching->archive->db;
	int r = segment_groups(db, part->id, part->base, part->is_indexed, &searching->groups, err);
	if (r >= 0)
		r = choose(searching, err);
	if (r >= 0)
		r = store_prepare(db, &searching->get, err,
				  "SELECT rows FROM interval_%lld WHERE id = ?1",
				  (long long)part->id);
	for (uint32_t i = searching->groups.n; r == 0 && i--;) {
		const struct row_group_place *place = vector_at(&searching->groups, i);
		if (place->is_chosen && place->closed >= searching->from &&
		    place->opened <= searching->until)
			r = read_group(searching, place->id, err);
	}
	return r;
}

int search_part(struct archive *archive, const struct part *part, uint64_t from, uint64_t until,
		const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
		void *data, struct error *err)
{
	if (!part->n || part->opened > until || part->closed < from)
		return 0;
	cleanup(searching_free) struct searching *searching = calloc(1, sizeof(*searching));
	if (!searching)
		return error_set(err, -ENOMEM, "read %s", archive->path);
	searching->archive = archive;
	searching->part = part;
	searching->narrow = narrow;
	searching->from = from;
	searching->until = until;
	searching->each = each;
	searching->data = data;
	vector_init(&searching->groups, sizeof(struct row_group_place));
	searching->is_v4_peer = narrow->has_peer && ip_is_mapped(&narrow->peer);
	if (narrow->has_peer)
		row_peer_numbers(&narrow->peer, searching->is_v4_peer, &searching->peer_high,
				 &searching->peer_low);
	return search(searching, err);
}

int search_at(struct archive *archive, const struct part *part, uint64_t at,
	      const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
	      void *data, struct error *err)
{
	if (at == UINT64_MAX)
		return 0; /* nothing ends later */
	return search_part(archive, part, at + 1, at, narrow, each, data, err);
}
