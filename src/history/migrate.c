/* How an older file comes to have the tables of today. */
#include <errno.h>
#include <string.h>

#include "history/segment-index.h"

/* What the intervals say of first appearances, while they are there: of listeners, and of what has
 * no peer, one for each port and executable. */
static const char fill_first[] =
	"INSERT OR IGNORE INTO first_seen"
	" SELECT place.proto, i.port, i.exe, segment.boot, segment.base + i.closed - i.length,"
	" i.bits >> 11 & 1, i.place, i.process, i.fd FROM interval_%lld i"
	" JOIN place ON place.id = i.place JOIN segment ON segment.id = %lld"
	" WHERE place.state IN (7, 10) AND i.port > 0 AND i.peer_port IS NULL AND i.exe NOT NULL"
	" ORDER BY i.closed - i.length";
static const char fill_open[] =
	"INSERT OR IGNORE INTO first_seen"
	" SELECT place.proto, i.port, i.exe, i.boot, i.opened, i.bits >> 11 & 1, i.place,"
	" i.process, i.fd FROM open i JOIN place ON place.id = i.place"
	" WHERE place.state IN (7, 10) AND i.port > 0 AND i.peer_port IS NULL AND i.exe NOT NULL"
	" ORDER BY i.opened;";
/* Those that it names stay for ever. */
static const char keep_firsts[] =
	"UPDATE place SET seen = 9223372036854775807 WHERE id IN (SELECT place FROM first_seen);"
	"UPDATE netns SET seen = 9223372036854775807"
	" WHERE id IN (SELECT netns FROM place WHERE seen = 9223372036854775807);"
	"UPDATE process SET seen = 9223372036854775807"
	" WHERE id IN (SELECT process FROM first_seen);"
	"UPDATE string SET seen = 9223372036854775807 WHERE id IN"
	" (SELECT name FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT exe FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT cmdline FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT cwd FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT unit FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT runs FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT came_from FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT container FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT container_name FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT name FROM netns WHERE seen = 9223372036854775807)";

static int from_1_to_2(sqlite3 *db, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *segments = NULL;
	int r = store_run(db, err, "%s", schema_first_seen);
	if (r >= 0)
		r = store_prepare(db, &segments, err, "SELECT id FROM segment ORDER BY id");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(segments)) == SQLITE_ROW) {
		long long id = sqlite3_column_int64(segments, 0);
		r = store_run(db, err, fill_first, id, id);
	}
	if (r >= 0 && code != SQLITE_DONE)
		r = store_error(db, code, err, "read");
	if (r >= 0)
		r = store_run(db, err, "%s%s", fill_open, keep_firsts);
	return r;
}

/* ---- until version 2 an interval was a row of SQLite, with its own columns and indexes ---- */

static uint64_t column_length(sqlite3_stmt *from, int at)
{
	return sqlite3_column_type(from, at) == SQLITE_NULL
		       ? UINT64_MAX
		       : (uint64_t)sqlite3_column_int64(from, at);
}

#define OLD_COLUMNS                                                                            \
	"closed, length, place, port, peer, peer_port, exe, process, fd, crew, bits, cookie, " \
	"inode,"                                                                               \
	" sent, received, error, closer"

/* Its times are of the segment's base. */
static struct interval_row old_row(sqlite3_stmt *from)
{
	uint64_t closed = (uint64_t)sqlite3_column_int64(from, 0);
	struct interval_row row = {.closed = closed,
				   .opened = closed - (uint64_t)sqlite3_column_int64(from, 1),
				   .place = store_known(from, 2),
				   .port = (uint16_t)sqlite3_column_int(from, 3),
				   .peer_port = (uint16_t)sqlite3_column_int(from, 5),
				   .exe = store_known(from, 6),
				   .process = store_known(from, 7),
				   .has_holder = sqlite3_column_type(from, 8) != SQLITE_NULL,
				   .fd = sqlite3_column_int(from, 8),
				   .crew = store_known(from, 9),
				   .bits = bits_unpack(sqlite3_column_int64(from, 10)),
				   .cookie = (uint64_t)sqlite3_column_int64(from, 11),
				   .inode = store_known(from, 12),
				   .sent = column_length(from, 13),
				   .received = column_length(from, 14),
				   .error = sqlite3_column_int(from, 15),
				   .closer = store_known(from, 16)};
	row.has_peer = store_peer(from, 4, &row.peer, &row.is_v4_peer);
	return row;
}

static int pack_old(sqlite3 *db, sqlite3_stmt *all, sqlite3_stmt *put, struct out *bytes,
		    struct error *err)
{
	struct interval_row rows[ROW_GROUP_MAX];
	const struct interval_row *each[ROW_GROUP_MAX];
	int code = SQLITE_ROW;
	for (int64_t id = 1; code == SQLITE_ROW;) {
		uint32_t n = 0;
		while (n < ROW_GROUP_MAX && (code = sqlite3_step(all)) == SQLITE_ROW) {
			rows[n] = old_row(all);
			each[n] = &rows[n];
			n++;
		}
		int put_code = n ? row_group_put(put, bytes, id, each, n, 0) : SQLITE_OK;
		if (put_code != SQLITE_OK)
			return store_error(db, put_code, err, "write to");
		id += n;
	}
	return code == SQLITE_DONE ? 0 : store_error(db, code, err, "read");
}

static int pack_segment(sqlite3 *db, int64_t segment, bool is_indexed, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL, *put = NULL;
	cleanup(out_done) struct out bytes = {.fd = -1};
	long long id = segment;
	if (out_init(&bytes, -1) < 0)
		return error_set(err, -ENOMEM, "write the history");
	int r = store_run(db, err, "ALTER TABLE interval_%lld RENAME TO old_interval", id);
	if (r >= 0)
		r = schema_intervals(db, segment, err);
	if (r >= 0)
		r = store_prepare(db, &all, err,
				  "SELECT " OLD_COLUMNS " FROM old_interval ORDER BY id");
	if (r >= 0)
		r = store_prepare(db, &put, err, ROW_GROUP_INSERT, id);
	if (r >= 0)
		r = pack_old(db, all, put, &bytes, err);
	sqlite3_finalize(TAKE_POINTER(all)); /* it would hold on to the table */
	if (r >= 0)
		r = store_run(db, err, "DROP TABLE old_interval");
	return r >= 0 && is_indexed ? segment_index_make(db, segment, err) : r;
}

static int from_2_to_3(sqlite3 *db, struct error *err)
{
	int64_t segment = 0, is_indexed;
	int r = 0;
	while (r >= 0) {
		r = store_number(db, 0, &segment, err,
				 "SELECT min(id) FROM segment WHERE id > %lld", (long long)segment);
		if (r < 0 || !segment)
			return r;
		r = store_number(db, 0, &is_indexed, err,
				 "SELECT is_indexed FROM segment WHERE id = %lld",
				 (long long)segment);
		if (r >= 0)
			r = pack_segment(db, segment, is_indexed == 1, err);
	}
	return r;
}

static int (*const steps[STORE_SCHEMA + 1])(sqlite3 *db, struct error *err) = {
	[1] = from_1_to_2, [2] = from_2_to_3};

int schema_migrate(sqlite3 *db, int version, struct error *err)
{
	int r = store_run(db, err, "BEGIN IMMEDIATE");
	for (int from = version; r >= 0 && from < STORE_SCHEMA; from++)
		if (steps[from])
			r = steps[from](db, err);
	if (r >= 0)
		r = store_run(db, err, "PRAGMA user_version = %d; COMMIT", STORE_SCHEMA);
	if (r < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	if (r == -ENOSPC)
		error_hint(err, "it is of an older version, and as it was: to bring it up to date"
				" takes as much room again");
	return r;
}
