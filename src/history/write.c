/* Rows to the file: a transaction a time, many rows each. */
#include <errno.h>
#include <string.h>

#include "base/table.h"
#include "history/recorder.h"

int write_prepare(struct recorder *recorder, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} all[] = {
		{&recorder->begin, "BEGIN IMMEDIATE"},
		{&recorder->commit, "COMMIT"},
		{&recorder->rollback, "ROLLBACK"},
		{&recorder->put_open, "INSERT OR REPLACE INTO open VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
				      " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"},
		{&recorder->drop_open, "DELETE FROM open WHERE id = ?1"},
		{&recorder->put_gap, "INSERT INTO gap VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)"},
		{&recorder->put_clock, "INSERT OR REPLACE INTO clock VALUES (?1, ?2, ?3, ?4)"},
		{&recorder->put_mark,
		 "INSERT OR REPLACE INTO about VALUES ('ring', ?1), ('ring_at', ?2),"
		 " ('ring_untold', ?3)"},
		{&recorder->put_first, "INSERT OR IGNORE INTO first_seen VALUES (?1, ?2, ?3, ?4,"
				       " ?5, ?6, ?7, ?8, ?9)"},
		{&recorder->put_segment, "UPDATE segment SET opened = ?2, closed = ?3, slack = ?4,"
					 " n = ?5, n_events = ?6 WHERE id = ?1"},
	};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(all); i++)
		r = store_prepare(recorder->db, all[i].statement, err, "%s", all[i].sql);
	return r;
}

void write_done(struct recorder *recorder)
{
	sqlite3_stmt *const statements[] = {
		recorder->put_rows,  recorder->drop_rows, recorder->put_event,
		recorder->put_open,  recorder->drop_open, recorder->put_gap,
		recorder->put_clock, recorder->put_first, recorder->put_segment,
		recorder->put_mark,  recorder->begin,	  recorder->commit,
		recorder->rollback};
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		sqlite3_finalize(statements[i]);
}

bool write_has_some(const struct recorder *recorder)
{
	return recorder->waiting.rows.n || recorder->waiting.events.n || recorder->waiting.gaps.n ||
	       recorder->waiting.clocks.n || recorder->waiting.firsts.n || recorder->live.dirty.n ||
	       recorder->live.removed.n || recorder->n_lost;
}

/* ---- one of each ---- */

static int64_t number_fd(bool has_holder, int32_t fd)
{
	return has_holder ? fd : NUMBER_NONE;
}

/* Its address and, behind it, its port. */
static void bind_peer(sqlite3_stmt *put, int at, const struct ip *peer, bool has, bool is_v4,
		      uint16_t port)
{
	const int64_t number = has ? port : NUMBER_NONE;
	store_bind(put, at + 1, &number, 1);
	if (has)
		sqlite3_bind_blob(put, at, peer->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16,
				  SQLITE_STATIC);
	else
		sqlite3_bind_null(put, at);
}

static int write_event(struct recorder *recorder, const struct event_row *row)
{
	const int64_t ends[] = {(int64_t)row->uptime, row->kind, number_known(row->place),
				row->port},
		      rest[] = {number_known(row->process),
				number_fd(row->has_holder, row->fd),
				number_known(row->crew),
				row->sure,
				row->how,
				row->told_by,
				row->error,
				row->error_sure,
				number_known(row->doer),
				number_length(row->length),
				row->role,
				row->cookie ? (int64_t)row->cookie : NUMBER_NONE,
				number_known(row->inode),
				number_known(row->way_place),
				number_known(row->has_way ? row->way_port : 0),
				number_known(row->way_process),
				number_fd(row->way_process != 0, row->way_fd)};
	store_bind(recorder->put_event, 1, ends, ARRAY_SIZE(ends));
	bind_peer(recorder->put_event, 5, &row->peer, row->has_peer, row->is_v4_peer,
		  row->peer_port);
	store_bind(recorder->put_event, 7, rest, ARRAY_SIZE(rest));
	return store_step(recorder->put_event);
}

static int write_open(struct recorder *recorder, const struct live *live)
{
	const struct interval_row *row = &live->row;
	const int64_t ends[] = {(int64_t)live->id, recorder->boot, (int64_t)row->opened,
				number_known(row->place), row->port},
		      rest[] = {number_known(row->exe),
				number_known(row->process),
				number_fd(row->has_holder, row->fd),
				number_known(row->crew),
				bits_pack(&row->bits),
				row->cookie ? (int64_t)row->cookie : NUMBER_NONE,
				number_known(row->inode)};
	store_bind(recorder->put_open, 1, ends, ARRAY_SIZE(ends));
	bind_peer(recorder->put_open, 6, &row->peer, row->has_peer, row->is_v4_peer,
		  row->peer_port);
	store_bind(recorder->put_open, 8, rest, ARRAY_SIZE(rest));
	return store_step(recorder->put_open);
}

static int write_gap(struct recorder *recorder, const struct gap_row *gap)
{
	const int64_t numbers[] = {gap->from_boot, (int64_t)gap->from, recorder->boot,
				   (int64_t)gap->to, number_length(gap->lost)};
	store_bind(recorder->put_gap, 1, numbers, ARRAY_SIZE(numbers));
	sqlite3_bind_text(recorder->put_gap, 6, gap->why, -1, SQLITE_STATIC);
	return store_step(recorder->put_gap);
}

static int write_clock(struct recorder *recorder, const struct clock_row *clock)
{
	const int64_t numbers[] = {recorder->boot, (int64_t)clock->uptime, clock->ahead,
				   clock->jump ? clock->jump : NUMBER_NONE};
	store_bind(recorder->put_clock, 1, numbers, ARRAY_SIZE(numbers));
	return store_step(recorder->put_clock);
}

/* What a first appearance names stays for ever. */
static int keep_for_ever(struct recorder *recorder, const struct first_row *first)
{
	static const char *const texts[] = {"name",	 "exe",	      "cmdline",
					    "cwd",	 "unit",      "runs",
					    "came_from", "container", "container_name"};
	long long place = first->place, process = first->process;
	char sql[160];
	snprintf(sql, sizeof(sql), "UPDATE place SET seen = %lld WHERE id = %lld",
		 (long long)SEEN_FOR_EVER, place);
	int code = sqlite3_exec(recorder->db, sql, NULL, NULL, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(texts); i++) {
		snprintf(sql, sizeof(sql),
			 "UPDATE string SET seen = %lld WHERE id ="
			 " (SELECT %s FROM process WHERE id = %lld)",
			 (long long)SEEN_FOR_EVER, texts[i], process);
		code = sqlite3_exec(recorder->db, sql, NULL, NULL, NULL);
	}
	snprintf(sql, sizeof(sql), "UPDATE process SET seen = %lld WHERE id = %lld",
		 (long long)SEEN_FOR_EVER, process);
	if (code == SQLITE_OK)
		code = sqlite3_exec(recorder->db, sql, NULL, NULL, NULL);
	snprintf(
		sql, sizeof(sql),
		"UPDATE netns SET seen = %lld WHERE id = (SELECT netns FROM place WHERE id = %lld)",
		(long long)SEEN_FOR_EVER, place);
	return code == SQLITE_OK ? sqlite3_exec(recorder->db, sql, NULL, NULL, NULL) : code;
}

static int write_first(struct recorder *recorder, const struct first_row *first)
{
	const int64_t numbers[] = {first->proto,
				   first->port,
				   first->exe,
				   recorder->boot,
				   (int64_t)first->uptime,
				   first->is_exact,
				   number_known(first->place),
				   number_known(first->process),
				   number_fd(first->has_holder, first->fd)};
	store_bind(recorder->put_first, 1, numbers, ARRAY_SIZE(numbers));
	int code = store_step(recorder->put_first);
	return code == SQLITE_OK ? keep_for_ever(recorder, first) : code;
}

/* ---- all of it ---- */

static int write_beside(struct recorder *recorder)
{
	int code = SQLITE_OK;
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->waiting.clocks.n; i++)
		code = write_clock(recorder, vector_at(&recorder->waiting.clocks, i));
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->waiting.gaps.n; i++)
		code = write_gap(recorder, vector_at(&recorder->waiting.gaps, i));
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->waiting.firsts.n; i++)
		code = write_first(recorder, vector_at(&recorder->waiting.firsts, i));
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->live.removed.n; i++) {
		const uint64_t *id = vector_at(&recorder->live.removed, i);
		sqlite3_bind_int64(recorder->drop_open, 1, (int64_t)*id);
		code = store_step(recorder->drop_open);
	}
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->live.dirty.n; i++) {
		const uint32_t *index = vector_at(&recorder->live.dirty, i);
		const struct live *live = vector_at(&recorder->live.all, *index);
		if (live->is_used && live->is_dirty)
			code = write_open(recorder, live);
	}
	return code;
}

/* What the segment is said to hold: bounds of its times, and how far they are out of order. */
static void widen(struct segment *segment, const struct interval_row *row)
{
	if (!segment->opened || row->opened < segment->opened)
		segment->opened = row->opened;
	if (row->closed >= segment->closed)
		segment->closed = row->closed;
	else if (segment->closed - row->closed > segment->slack)
		segment->slack = segment->closed - row->closed;
	segment->n++;
}

static int write_segment(struct recorder *recorder, const struct segment *segment)
{
	const int64_t numbers[] = {segment->id,
				   (int64_t)segment->opened,
				   (int64_t)segment->closed,
				   (int64_t)segment->slack,
				   segment->n,
				   segment->n_events};
	store_bind(recorder->put_segment, 1, numbers, ARRAY_SIZE(numbers));
	return store_step(recorder->put_segment);
}

/* Together with the events: who is killed before they are acknowledged does not tell them twice. */
static int write_mark(struct recorder *recorder)
{
	if (!recorder->wish.mark)
		return SQLITE_OK;
	struct recorder_mark mark = recorder->wish.mark(recorder->wish.mark_data);
	if (!mark.stream)
		return SQLITE_OK;
	const int64_t numbers[] = {(int64_t)mark.stream, (int64_t)mark.at, (int64_t)mark.untold};
	store_bind(recorder->put_mark, 1, numbers, ARRAY_SIZE(numbers));
	return store_step(recorder->put_mark);
}

static int write_within(struct recorder *recorder, struct segment *segment)
{
	int code = intern_write(&recorder->intern);
	for (uint32_t i = 0; i < recorder->waiting.rows.n; i++)
		widen(segment, vector_at(&recorder->waiting.rows, i));
	if (code == SQLITE_OK)
		code = tail_write(recorder, recorder->segment.n);
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->waiting.events.n; i++) {
		const struct event_row *row = vector_at(&recorder->waiting.events, i);
		if (row->uptime > segment->closed)
			segment->closed = row->uptime;
		if (!segment->opened)
			segment->opened = row->uptime;
		segment->n_events++;
		code = write_event(recorder, row);
	}
	if (code == SQLITE_OK)
		code = write_beside(recorder);
	if (code == SQLITE_OK)
		code = write_mark(recorder);
	return code == SQLITE_OK ? write_segment(recorder, segment) : code;
}

static void written(struct recorder *recorder, const struct segment *segment)
{
	recorder->state.n_intervals += recorder->waiting.rows.n;
	for (uint32_t i = 0; i < recorder->live.dirty.n; i++) {
		const uint32_t *index = vector_at(&recorder->live.dirty, i);
		struct live *live = vector_at(&recorder->live.all, *index);
		if (live->is_used && live->is_dirty) {
			live->is_dirty = false;
			live->is_stored = true;
		}
	}
	tail_written(recorder);
	struct vector *const vectors[] = {&recorder->waiting.rows,   &recorder->waiting.events,
					  &recorder->waiting.gaps,   &recorder->waiting.clocks,
					  &recorder->waiting.firsts, &recorder->live.dirty,
					  &recorder->live.removed};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vectors[i]->n = 0;
	recorder->segment = *segment;
	recorder->visible = recorder->last;
	recorder->waiting_since = 0;
}

/* What was dropped while there was no room is a gap. */
static int tell_lost(struct recorder *recorder, uint64_t uptime_ns)
{
	if (!recorder->n_lost)
		return 0;
	int r = take_gap(recorder, recorder->boot, recorder->first_lost, uptime_ns,
			 recorder->n_lost, "there was no room on the disk");
	if (r >= 0)
		recorder->n_lost = recorder->first_lost = 0;
	return r;
}

static int transaction(struct recorder *recorder, struct segment *segment, struct error *err)
{
	int code = store_step(recorder->begin);
	if (code == SQLITE_OK)
		code = write_within(recorder, segment);
	if (code == SQLITE_OK)
		code = store_step(recorder->commit);
	if (code == SQLITE_OK)
		return 0;
	int r = store_error(recorder->db, code, err, "write to");
	if (!sqlite3_get_autocommit(recorder->db))
		store_step(recorder->rollback);
	return r;
}

int write_all(struct recorder *recorder, uint64_t uptime_ns, struct error *err)
{
	struct segment segment = recorder->segment;
	if (!write_has_some(recorder) && !intern_has_news(&recorder->intern))
		return 0;
	uint32_t n_gaps = recorder->waiting.gaps.n;
	uint64_t n_lost = recorder->n_lost, first_lost = recorder->first_lost;
	int r = tell_lost(recorder, uptime_ns);
	if (r >= 0)
		r = transaction(recorder, &segment, err);
	recorder->is_full = r == -ENOSPC;
	recorder->try_at = recorder->is_full ? uptime_ns + TRY_AGAIN_NS : 0;
	if (r < 0) {
		recorder->waiting.gaps.n = n_gaps;
		recorder->n_lost = n_lost;
		recorder->first_lost = first_lost;
		return r;
	}
	written(recorder, &segment);
	if (!recorder->unsynced_since)
		recorder->unsynced_since = uptime_ns;
	r = intern_written(&recorder->intern);
	if (r < 0)
		return error_set(err, r, "record");
	if (segment.n + segment.n_events >= recorder->segment_rows)
		r = segment_begin(recorder, segment.closed, err);
	if (r >= 0 && recorder->log_pages >= LOG_PAGES)
		r = write_sync(recorder, err);
	return r;
}

/* From the log into the file, and both onto the disk. What readers still look at stays in the log
 * until the next time, and then it is the log that must be on the disk. */
int write_sync(struct recorder *recorder, struct error *err)
{
	sqlite3_file *log = NULL;
	int in_log = 0, moved = 0;
	int code = sqlite3_wal_checkpoint_v2(recorder->db, "main", SQLITE_CHECKPOINT_PASSIVE,
					     &in_log, &moved);
	recorder->unsynced_since = 0;
	recorder->log_pages = 0;
	if ((code != SQLITE_OK || moved < in_log) &&
	    sqlite3_file_control(recorder->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
		    SQLITE_OK &&
	    log && log->pMethods)
		log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return 0;
	return code == SQLITE_OK ? 0 : store_error(recorder->db, code, err, "write to");
}
