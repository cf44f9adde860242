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
		recorder->put_row, recorder->put_event, recorder->put_open,  recorder->drop_open,
		recorder->put_gap, recorder->put_clock, recorder->put_first, recorder->put_segment,
		recorder->begin,   recorder->commit,	recorder->rollback};
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

static void bind_known(sqlite3_stmt *put, int at, uint32_t number)
{
	if (number)
		sqlite3_bind_int64(put, at, number);
	else
		sqlite3_bind_null(put, at);
}

static void bind_length(sqlite3_stmt *put, int at, uint64_t number)
{
	if (number == EVENT_UNKNOWN || number > INT64_MAX)
		sqlite3_bind_null(put, at);
	else
		sqlite3_bind_int64(put, at, (int64_t)number);
}

static void bind_peer(sqlite3_stmt *put, int at, const struct ip *peer, bool has, bool is_v4,
		      uint16_t port)
{
	if (!has) {
		sqlite3_bind_null(put, at);
		sqlite3_bind_null(put, at + 1);
		return;
	}
	sqlite3_bind_blob(put, at, peer->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16, SQLITE_STATIC);
	sqlite3_bind_int(put, at + 1, port);
}

static void bind_fd(sqlite3_stmt *put, int at, bool has_holder, int32_t fd)
{
	if (has_holder)
		sqlite3_bind_int(put, at, fd);
	else
		sqlite3_bind_null(put, at);
}

static int write_row(struct recorder *recorder, const struct interval_row *row)
{
	sqlite3_stmt *put = recorder->put_row;
	uint64_t length = row->closed - row->opened;
	int level = interval_level(length);
	sqlite3_bind_int64(put, 1, (int64_t)(row->closed - recorder->segment.base));
	sqlite3_bind_int64(put, 2, (int64_t)length);
	if (level < 0)
		sqlite3_bind_null(put, 3);
	else
		sqlite3_bind_int(put, 3, level);
	bind_known(put, 4, row->place);
	sqlite3_bind_int(put, 5, row->port);
	bind_peer(put, 6, &row->peer, row->has_peer, row->is_v4_peer, row->peer_port);
	bind_known(put, 8, row->exe);
	bind_known(put, 9, row->process);
	bind_fd(put, 10, row->has_holder, row->fd);
	bind_known(put, 11, row->crew);
	sqlite3_bind_int64(put, 12, bits_pack(&row->bits));
	bind_length(put, 13, row->cookie ? row->cookie : EVENT_UNKNOWN);
	bind_known(put, 14, row->inode);
	bind_length(put, 15, row->sent);
	bind_length(put, 16, row->received);
	bind_known(put, 17, row->error > 0 ? (uint32_t)row->error : 0);
	bind_known(put, 18, row->closer);
	return store_step(put);
}

static int write_event(struct recorder *recorder, const struct event_row *row)
{
	sqlite3_stmt *put = recorder->put_event;
	sqlite3_bind_int64(put, 1, (int64_t)row->uptime);
	sqlite3_bind_int(put, 2, row->kind);
	bind_known(put, 3, row->place);
	sqlite3_bind_int(put, 4, row->port);
	bind_peer(put, 5, &row->peer, row->has_peer, row->is_v4_peer, row->peer_port);
	bind_known(put, 7, row->process);
	bind_fd(put, 8, row->has_holder, row->fd);
	bind_known(put, 9, row->crew);
	sqlite3_bind_int(put, 10, row->sure);
	sqlite3_bind_int(put, 11, row->how);
	sqlite3_bind_int(put, 12, row->told_by);
	sqlite3_bind_int(put, 13, row->error);
	sqlite3_bind_int(put, 14, row->error_sure);
	bind_known(put, 15, row->doer);
	bind_length(put, 16, row->length);
	sqlite3_bind_int(put, 17, row->role);
	bind_length(put, 18, row->cookie ? row->cookie : EVENT_UNKNOWN);
	bind_known(put, 19, row->inode);
	bind_known(put, 20, row->way_place);
	bind_known(put, 21, row->has_way ? row->way_port : 0);
	bind_known(put, 22, row->way_process);
	bind_fd(put, 23, row->way_process != 0, row->way_fd);
	return store_step(put);
}

static int write_open(struct recorder *recorder, const struct live *live)
{
	const struct interval_row *row = &live->row;
	sqlite3_stmt *put = recorder->put_open;
	sqlite3_bind_int64(put, 1, (int64_t)live->id);
	sqlite3_bind_int64(put, 2, recorder->boot);
	sqlite3_bind_int64(put, 3, (int64_t)row->opened);
	bind_known(put, 4, row->place);
	sqlite3_bind_int(put, 5, row->port);
	bind_peer(put, 6, &row->peer, row->has_peer, row->is_v4_peer, row->peer_port);
	bind_known(put, 8, row->exe);
	bind_known(put, 9, row->process);
	bind_fd(put, 10, row->has_holder, row->fd);
	bind_known(put, 11, row->crew);
	sqlite3_bind_int64(put, 12, bits_pack(&row->bits));
	bind_length(put, 13, row->cookie ? row->cookie : EVENT_UNKNOWN);
	bind_known(put, 14, row->inode);
	return store_step(put);
}

static int write_gap(struct recorder *recorder, const struct gap_row *gap)
{
	sqlite3_stmt *put = recorder->put_gap;
	sqlite3_bind_int64(put, 1, gap->from_boot);
	sqlite3_bind_int64(put, 2, (int64_t)gap->from);
	sqlite3_bind_int64(put, 3, recorder->boot);
	sqlite3_bind_int64(put, 4, (int64_t)gap->to);
	bind_length(put, 5, gap->lost);
	sqlite3_bind_text(put, 6, gap->why, -1, SQLITE_STATIC);
	return store_step(put);
}

static int write_clock(struct recorder *recorder, const struct clock_row *clock)
{
	sqlite3_stmt *put = recorder->put_clock;
	sqlite3_bind_int64(put, 1, recorder->boot);
	sqlite3_bind_int64(put, 2, (int64_t)clock->uptime);
	sqlite3_bind_int64(put, 3, clock->ahead);
	if (clock->jump)
		sqlite3_bind_int64(put, 4, clock->jump);
	else
		sqlite3_bind_null(put, 4);
	return store_step(put);
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
	sqlite3_stmt *put = recorder->put_first;
	sqlite3_bind_int(put, 1, first->proto);
	sqlite3_bind_int(put, 2, first->port);
	sqlite3_bind_int64(put, 3, first->exe);
	sqlite3_bind_int64(put, 4, recorder->boot);
	sqlite3_bind_int64(put, 5, (int64_t)first->uptime);
	sqlite3_bind_int(put, 6, first->is_exact);
	bind_known(put, 7, first->place);
	bind_known(put, 8, first->process);
	bind_fd(put, 9, first->has_holder, first->fd);
	int code = store_step(put);
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
	sqlite3_stmt *put = recorder->put_segment;
	sqlite3_bind_int64(put, 1, segment->id);
	sqlite3_bind_int64(put, 2, (int64_t)segment->opened);
	sqlite3_bind_int64(put, 3, (int64_t)segment->closed);
	sqlite3_bind_int64(put, 4, (int64_t)segment->slack);
	sqlite3_bind_int64(put, 5, segment->n);
	sqlite3_bind_int64(put, 6, segment->n_events);
	return store_step(put);
}

static int write_within(struct recorder *recorder, struct segment *segment)
{
	int code = intern_write(&recorder->intern);
	for (uint32_t i = 0; code == SQLITE_OK && i < recorder->waiting.rows.n; i++) {
		const struct interval_row *row = vector_at(&recorder->waiting.rows, i);
		widen(segment, row);
		code = write_row(recorder, row);
	}
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
