/* A segment is full: it is indexed, and the next begins. */
#include <errno.h>
#include <string.h>

#include "base/table.h"
#include "history/recorder.h"

int segment_prepare(struct recorder *recorder, struct error *err)
{
	long long id = recorder->segment.id;
	sqlite3_finalize(recorder->put_rows);
	sqlite3_finalize(recorder->drop_rows);
	sqlite3_finalize(recorder->put_event);
	recorder->put_rows = recorder->drop_rows = recorder->put_event = NULL;
	recorder->tail.rows.n = 0;
	int r = store_prepare(recorder->db, &recorder->put_rows, err, ROW_GROUP_INSERT, id);
	if (r >= 0)
		r = store_prepare(recorder->db, &recorder->drop_rows, err,
				  "DELETE FROM interval_%lld WHERE id >= ?1", id);
	if (r < 0)
		return r;
	return store_prepare(recorder->db, &recorder->put_event, err,
			     "INSERT INTO event_%lld VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
			     " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
			     " ?22, ?23)",
			     id);
}

/* The processes of crews that are open, into the table of those that are held. */
static int hold_crews(sqlite3 *db, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *crews = NULL, *put = NULL;
	int r = store_prepare(db, &crews, err,
			      "SELECT holders FROM crew WHERE id IN (SELECT crew FROM open)");
	if (r >= 0)
		r = store_prepare(db, &put, err, "INSERT OR IGNORE INTO temp.held VALUES (?1)");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(crews)) == SQLITE_ROW) {
		const char *bytes = sqlite3_column_blob(crews, 0);
		int n = sqlite3_column_bytes(crews, 0);
		for (int at = 0; at + 8 <= n; at += 8) {
			uint32_t process;
			memcpy(&process, bytes + at, sizeof(process));
			sqlite3_bind_int64(put, 1, process);
			store_step(put);
		}
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(db, code, err, "read") : r;
}

/* What is open stays known in the segment that begins. */
static int keep_open(sqlite3 *db, long long segment, struct error *err)
{
	int r = store_run(db, err,
			  "CREATE TABLE IF NOT EXISTS temp.held (id INTEGER PRIMARY KEY);"
			  "DELETE FROM temp.held;"
			  "INSERT OR IGNORE INTO temp.held"
			  " SELECT process FROM open WHERE process NOT NULL;"
			  "UPDATE crew SET seen = max(seen, %lld)"
			  " WHERE id IN (SELECT crew FROM open)",
			  segment);
	if (r >= 0)
		r = hold_crews(db, err);
	if (r >= 0)
		r = store_run(
			db, err,
			"UPDATE process SET seen = max(seen, %lld)"
			" WHERE id IN (SELECT id FROM temp.held);"
			"UPDATE place SET seen = max(seen, %lld)"
			" WHERE id IN (SELECT place FROM open);"
			"UPDATE netns SET seen = max(seen, %lld) WHERE id IN"
			" (SELECT netns FROM place WHERE id IN (SELECT place FROM open)"
			" UNION SELECT netns FROM process WHERE id IN (SELECT id FROM temp.held))",
			segment, segment, segment);
	if (r >= 0)
		r = store_run(
			db, err,
			"WITH of AS (SELECT * FROM process WHERE id IN (SELECT id FROM temp.held))"
			" UPDATE string SET seen = max(seen, %lld) WHERE id IN"
			" (SELECT name FROM of UNION SELECT exe FROM of"
			" UNION SELECT cmdline FROM of UNION SELECT cwd FROM of"
			" UNION SELECT unit FROM of UNION SELECT runs FROM of"
			" UNION SELECT came_from FROM of UNION SELECT container FROM of"
			" UNION SELECT container_name FROM of"
			" UNION SELECT name FROM netns WHERE seen >= %lld)",
			segment, segment);
	return r;
}

/* The one that is full, and what another boot left. */
static int finish(struct recorder *recorder, struct error *err)
{
	const uint32_t *next = recorder->intern.next;
	int64_t id = 0;
	int r = 0;
	while (r >= 0) {
		r = store_number(recorder->db, 0, &id, err,
				 "SELECT min(id) FROM segment WHERE is_indexed = 0 AND id > %lld",
				 (long long)id);
		if (r < 0 || !id)
			break;
		r = schema_index(recorder->db, id, err);
		if (r >= 0)
			r = store_run(recorder->db, err,
				      "UPDATE segment SET strings = %u, netns = %u,"
				      " processes = %u, places = %u, crews = %u WHERE id = %lld",
				      next[INTERN_STRING], next[INTERN_NETNS], next[INTERN_PROCESS],
				      next[INTERN_PLACE], next[INTERN_CREW], (long long)id);
	}
	return r;
}

static int change(struct recorder *recorder, struct segment *next, struct error *err)
{
	long long id = next->id;
	int r = store_run(recorder->db, err, "BEGIN IMMEDIATE");
	if (r >= 0)
		r = finish(recorder, err);
	if (r >= 0)
		r = store_run(recorder->db, err,
			      "INSERT INTO segment (id, boot, base, opened, closed, slack, n,"
			      " n_events, is_indexed) VALUES (%lld, %lld, %lld, 0, 0, 0, 0, 0, 0)",
			      id, (long long)recorder->boot, (long long)next->base);
	if (r >= 0)
		r = schema_segment(recorder->db, id, err);
	if (r >= 0)
		r = keep_open(recorder->db, id, err);
	if (r >= 0)
		r = store_run(recorder->db, err, "COMMIT");
	if (r < 0)
		sqlite3_exec(recorder->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int segment_begin(struct recorder *recorder, uint64_t base, struct error *err)
{
	struct segment next = {.base = base};
	/* Also no number of one that was dropped is given again. */
	int r = store_number(
		recorder->db, 0, &next.id, err,
		"SELECT max((SELECT ifnull(max(id), 0) FROM segment),"
		" (SELECT ifnull(max(value), 0) FROM about WHERE key = 'segment')) + 1");
	/* The old statements would hold on to tables that change. */
	if (r >= 0)
		r = change(recorder, &next, err);
	if (r < 0) {
		recorder->is_full =
			r == -ENOSPC; /* the old one grows on, and this is tried again */
		return r;
	}
	recorder->segment = next;
	recorder->intern.segment = next.id;
	return segment_prepare(recorder, err);
}
