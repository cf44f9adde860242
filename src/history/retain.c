/* What is older than was wished for, or more, goes: a whole segment a time, and its space is given
 * back. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/table.h"
#include "history/recorder.h"

/* Of the wish: so fine it is kept. */
#define PARTS 24
#define ROW_SIZE 64
#define ROWS_LEAST 500
#define VACUUM_PAGES 4096 /* a turn */

static int64_t pragma(sqlite3 *db, const char *name)
{
	int64_t found;
	return store_number(db, 0, &found, NULL, "PRAGMA %s", name) < 0 ? 0 : found;
}

/* Of what is in use; the log is bounded, and is not the history. */
uint64_t store_size(sqlite3 *db)
{
	int64_t pages = pragma(db, "page_count") - pragma(db, "freelist_count");
	return pages > 0 ? (uint64_t)pages * (uint64_t)pragma(db, "page_size") : 0;
}

/* The oldest that is finished; its end as Unix time. 0: there is none. */
static int oldest(struct recorder *recorder, int64_t *ret_id, int64_t *ret_end, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	int r = store_prepare(
		recorder->db, &find, err,
		"SELECT id, closed + (SELECT ahead FROM clock WHERE boot = segment.boot"
		" AND uptime <= max(closed, (SELECT min(uptime) FROM clock c"
		" WHERE c.boot = segment.boot)) ORDER BY uptime DESC LIMIT 1)"
		" FROM segment WHERE id <> %lld ORDER BY id LIMIT 1",
		(long long)recorder->segment.id);
	if (r < 0)
		return r;
	int code = sqlite3_step(find);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : store_error(recorder->db, code, err, "read");
	*ret_id = sqlite3_column_int64(find, 0);
	*ret_end = sqlite3_column_int64(find, 1);
	return 1;
}

/* With the segment what only it spoke of. Numbers above those that it gave are of later ones. */
static int drop(struct recorder *recorder, long long id, struct error *err)
{
	static const struct {
		const char *table, *given;
	} kept[] = {{"string", "strings"},
		    {"netns", "netns"},
		    {"process", "processes"},
		    {"place", "places"},
		    {"crew", "crews"}};
	sqlite3 *db = recorder->db;
	int r = store_run(db, err,
			  "BEGIN IMMEDIATE;"
			  "INSERT OR REPLACE INTO about SELECT 'pruned_boot', boot FROM segment"
			  " WHERE id = %lld;"
			  "INSERT OR REPLACE INTO about SELECT 'pruned', closed FROM segment"
			  " WHERE id = %lld;"
			  "INSERT OR REPLACE INTO about VALUES ('segment', (SELECT max(id) FROM"
			  " segment));"
			  "DROP TABLE interval_%lld; DROP TABLE index_%lld; DROP TABLE event_%lld",
			  id, id, id, id, id);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(kept); i++)
		r = store_run(db, err,
			      "DELETE FROM %s WHERE seen <= %lld AND id <"
			      " (SELECT ifnull(%s, 0) FROM segment WHERE id = %lld)",
			      kept[i].table, id, kept[i].given, id);
	if (r >= 0)
		r = store_run(db, err,
			      "DELETE FROM gap WHERE to_boot <"
			      " (SELECT boot FROM segment WHERE id = %lld) OR (to_boot ="
			      " (SELECT boot FROM segment WHERE id = %lld) AND to_uptime <="
			      " (SELECT closed FROM segment WHERE id = %lld));"
			      "DELETE FROM segment WHERE id = %lld;"
			      "COMMIT",
			      id, id, id, id);
	if (r < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	else
		recorder->state.n_pruned++;
	return r;
}

/* Pages that are free go from the end of the file. */
static int give_back(struct recorder *recorder, bool *ret_more, struct error *err)
{
	int64_t free_pages = pragma(recorder->db, "freelist_count");
	if (!free_pages)
		return 0;
	cleanup(statement_free) sqlite3_stmt *vacuum = NULL;
	int r = store_prepare(recorder->db, &vacuum, err, "PRAGMA incremental_vacuum(%d)",
			      VACUUM_PAGES);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(vacuum)) == SQLITE_ROW) /* a page a step */
		;
	if (r >= 0 && code != SQLITE_DONE)
		r = store_error(recorder->db, code, err, "write to");
	*ret_more |= free_pages > VACUUM_PAGES;
	return r;
}

/* A bound of time or size wants segments that are small beside it. */
static int divide(struct recorder *recorder, struct error *err)
{
	const struct recorder_wish *wish = &recorder->wish;
	const struct segment *segment = &recorder->segment;
	if (wish->retain_size) {
		uint64_t rows = wish->retain_size / PARTS / ROW_SIZE;
		recorder->segment_rows = rows < ROWS_LEAST     ? ROWS_LEAST
					 : rows < SEGMENT_ROWS ? (uint32_t)rows
							       : SEGMENT_ROWS;
	}
	bool is_old = wish->retain_ns && segment->n + segment->n_events &&
		      recorder->last > segment->base &&
		      recorder->last - segment->base > wish->retain_ns / PARTS;
	return is_old ? segment_begin(recorder, segment->closed, err) : 0;
}

int retain_turn(struct recorder *recorder, uint64_t time_ns, bool *ret_more, struct error *err)
{
	const struct recorder_wish *wish = &recorder->wish;
	int64_t id = 0, end = 0;
	*ret_more = false;
	if (!wish->retain_ns && !wish->retain_size)
		return 0;
	int r = divide(recorder, err);
	if (r >= 0)
		r = oldest(recorder, &id, &end, err);
	if (r < 0)
		return r;
	bool is_past = wish->retain_ns && time_ns > wish->retain_ns &&
		       end < (int64_t)(time_ns - wish->retain_ns);
	bool is_too_much = wish->retain_size && store_size(recorder->db) > wish->retain_size;
	if (r == 1 && (is_past || is_too_much)) {
		r = drop(recorder, id, err);
		if (r < 0)
			return r;
		*ret_more = true;
		recorder->unsynced_since = recorder->unsynced_since ? recorder->unsynced_since : 1;
	}
	return give_back(recorder, ret_more, err);
}
