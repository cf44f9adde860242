/* The recorder's life: the file opened, what was open found again, each turn, the end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/table.h"
#include "history/recorder.h"
#include "history/record.h"

#define FILE_MODE 0640

static const char boot_id_has[] =
	"0123456789-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static uint64_t first_key(const void *owner, uint32_t index)
{
	return *(const uint64_t *)vector_at(owner, index);
}

static void close_database(struct recorder *recorder)
{
	write_done(recorder);
	intern_done(&recorder->intern);
	recorder->intern = (struct intern){.segment = 0};
	recorder->put_rows = recorder->drop_rows = recorder->put_event = recorder->put_open =
		recorder->drop_open = NULL;
	recorder->put_gap = recorder->put_clock = recorder->put_first = NULL;
	recorder->put_segment = recorder->put_mark = recorder->begin = recorder->commit =
		recorder->rollback = NULL;
	sqlite3_close_v2(recorder->db);
	recorder->db = NULL;
}

static void recorder_free(struct recorder *recorder)
{
	struct vector *const vectors[] = {&recorder->waiting.rows,   &recorder->waiting.events,
					  &recorder->waiting.gaps,   &recorder->waiting.clocks,
					  &recorder->waiting.firsts, &recorder->firsts};
	close_database(recorder);
	tail_done(&recorder->tail);
	live_done(&recorder->live);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	table_done(&recorder->by_first);
	if (recorder->lock >= 0)
		close(recorder->lock);
	free(recorder);
}

static struct recorder *recorder_new(const struct recorder_wish *wish)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	if (!recorder)
		return NULL;
	recorder->sink.event = take_event;
	recorder->lock = -1;
	recorder->wish = *wish;
	recorder->began = recorder->last = recorder->visible = wish->uptime_ns;
	recorder->segment_rows = SEGMENT_ROWS;
	snprintf(recorder->path, sizeof(recorder->path), "%s", wish->path);
	snprintf(recorder->boot_id, sizeof(recorder->boot_id), "%s", wish->boot_id);
	live_init(&recorder->live);
	bool has_room = tail_init(&recorder->tail) == 0;
	vector_init(&recorder->waiting.rows, sizeof(struct interval_row));
	vector_init(&recorder->waiting.events, sizeof(struct event_row));
	vector_init(&recorder->waiting.gaps, sizeof(struct gap_row));
	vector_init(&recorder->waiting.clocks, sizeof(struct clock_row));
	vector_init(&recorder->waiting.firsts, sizeof(struct first_row));
	vector_init(&recorder->firsts, sizeof(uint64_t));
	table_init(&recorder->by_first, first_key, &recorder->firsts);
	if (has_room)
		return recorder;
	recorder_free(recorder);
	return NULL;
}

static void recorder_freep(struct recorder **recorder)
{
	if (*recorder)
		recorder_free(*recorder);
}

/* ---- the file ---- */

static int make_file(const struct recorder_wish *wish, struct error *err)
{
	cleanup(closep) int fd =
		open(wish->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0) {
		int r = error_set(err, -errno, "make %s", wish->path);
		if (r == -ENOENT)
			error_hint(err, "make its folder first");
		return r;
	}
	if (wish->group != (gid_t)-1 && fchown(fd, (uid_t)-1, wish->group) < 0)
		return error_set(err, -errno, "give %s to its group", wish->path);
	return fchmod(fd, FILE_MODE) < 0 ? error_set(err, -errno, "make %s", wish->path) : 0;
}

static int count_log(void *data, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	*(int *)data = pages;
	return SQLITE_OK;
}

static int open_database(struct recorder *recorder, struct error *err)
{
	int code = sqlite3_open_v2(
		recorder->path, &recorder->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (code != SQLITE_OK)
		return store_error(recorder->db, code, err, "open");
	int one = 1;
	sqlite3_extended_result_codes(recorder->db, 1);
	sqlite3_busy_timeout(recorder->db, 2000);
	sqlite3_db_config(recorder->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	/* The log stays when nobody writes: who may only read could not make it. */
	sqlite3_file_control(recorder->db, "main", SQLITE_FCNTL_PERSIST_WAL, &one);
	int r = store_run(recorder->db, err,
			  "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA page_size = 4096;"
			  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			  "PRAGMA cache_size = -24576; PRAGMA temp_store = MEMORY;"
			  "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 0");
	sqlite3_wal_hook(recorder->db, count_log, &recorder->log_pages);
	return r;
}

static int have_schema(struct recorder *recorder, int64_t version, struct error *err)
{
	if (version > STORE_SCHEMA)
		return error_text(err, -ENOTSUP, "%s was written by a newer Doorward",
				  recorder->path);
	if (version)
		return version < STORE_SCHEMA ? schema_migrate(recorder->db, (int)version, err) : 0;
	int r = store_run(recorder->db, err, "BEGIN IMMEDIATE");
	if (r >= 0)
		r = schema_make(recorder->db, err);
	if (r >= 0)
		r = store_run(recorder->db, err, "COMMIT");
	return r >= 0 ? write_sync(recorder, err) : r;
}

/* Each table can be read, the newest segment to its end; what is broken elsewhere is met, and told,
 * when it is read. */
static int check(struct recorder *recorder, struct error *err)
{
	static const char *const all[] = {"about", "boot",    "clock",	   "gap",   "string",
					  "netns", "user",    "process",   "place", "crew",
					  "open",  "segment", "first_seen"};
	int64_t found;
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(all); i++)
		r = store_number(recorder->db, 0, &found, err, "SELECT count(*) FROM %s", all[i]);
	if (r >= 0)
		r = store_number(recorder->db, 0, &found, err, "SELECT max(id) FROM segment");
	if (r >= 0 && found)
		r = store_number(recorder->db, 0, &found, err,
				 "SELECT count(*) + (SELECT count(*) FROM event_%lld)"
				 " FROM interval_%lld",
				 (long long)found, (long long)found);
	return r;
}

static int open_file(struct recorder *recorder, struct error *err)
{
	int version = 0;
	int64_t found = 0;
	int r = guard_header(recorder->path, &version, err);
	if (r == -ENOENT)
		r = make_file(&recorder->wish, err);
	else if (r == 0)
		return error_text(err, -EBADF, "%s is no database", recorder->path);
	if (r >= 0)
		r = open_database(recorder, err);
	if (r >= 0)
		r = store_number(recorder->db, 0, &found, err, "PRAGMA user_version");
	if (r >= 0)
		r = have_schema(recorder, found, err);
	if (r >= 0)
		r = check(recorder, err);
	return r;
}

/* One that is broken is moved aside, never written to and never deleted. */
static int open_or_set_aside(struct recorder *recorder, struct error *err)
{
	struct error first = {.code = 0};
	bool is_known_broken = recorder->before.is_broken && access(recorder->path, F_OK) == 0;
	int r = is_known_broken ? -EBADF : open_file(recorder, &first);
	bool is_foreign = r == -EBADMSG && !recorder->db; /* another program's is left alone */
	if ((r != -EBADMSG && r != -EBADF) || is_foreign) {
		if (r < 0 && err)
			*err = first;
		return r;
	}
	close_database(recorder);
	r = guard_set_aside(recorder->path, recorder->wish.time_ns, recorder->state.set_aside,
			    sizeof(recorder->state.set_aside), err);
	if (r < 0)
		return r;
	recorder->before = (struct alive){.pid = 0};
	return open_file(recorder, err);
}

/* ---- what was there ---- */

static int load_firsts(struct recorder *recorder, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = store_prepare(
		recorder->db, &all, err,
		"SELECT proto, port, text FROM first_seen JOIN string ON string.id = exe");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		const char *exe = (const char *)sqlite3_column_text(all, 2);
		is_first(recorder,
			 first_hash((uint8_t)sqlite3_column_int(all, 0),
				    (uint16_t)sqlite3_column_int(all, 1), exe ? exe : ""));
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(recorder->db, code, err, "read") : r;
}

static struct interval_row open_row(sqlite3_stmt *from)
{
	struct interval_row row = {.opened = (uint64_t)sqlite3_column_int64(from, 1),
				   .place = store_known(from, 2),
				   .port = (uint16_t)sqlite3_column_int(from, 3),
				   .exe = store_known(from, 6),
				   .process = store_known(from, 7),
				   .has_holder = sqlite3_column_type(from, 8) != SQLITE_NULL,
				   .fd = sqlite3_column_int(from, 8),
				   .crew = store_known(from, 9),
				   .bits = bits_unpack(sqlite3_column_int64(from, 10)),
				   .cookie = (uint64_t)sqlite3_column_int64(from, 11),
				   .inode = store_known(from, 12),
				   .sent = EVENT_UNKNOWN,
				   .received = EVENT_UNKNOWN};
	row.has_peer = store_peer(from, 4, &row.peer, &row.is_v4_peer);
	row.peer_port = (uint16_t)sqlite3_column_int(from, 5);
	return row;
}

/* What is open of this boot is met again by its key. */
static uint64_t open_key(sqlite3_stmt *from, const struct interval_row *row)
{
	struct socket socket = {.cookie = row->cookie,
				.local_port = row->port,
				.peer_port = row->peer_port,
				.peer = row->peer,
				.proto = (uint8_t)sqlite3_column_int(from, 13)};
	const void *local = sqlite3_column_blob(from, 14);
	if (local && sqlite3_column_bytes(from, 14) == sizeof(socket.local.bytes))
		memcpy(socket.local.bytes, local, sizeof(socket.local.bytes));
	return live_key(&socket, (uint64_t)sqlite3_column_int64(from, 15), row->bits.is_connection);
}

static int load_open(struct recorder *recorder, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = store_prepare(
		recorder->db, &all, err,
		"SELECT open.id, opened, place, port, peer, peer_port, exe, process, fd, crew, "
		"bits,"
		" cookie, open.inode, proto, local, netns.inode FROM open"
		" LEFT JOIN place ON place.id = open.place LEFT JOIN netns ON netns.id = netns"
		" WHERE boot = %lld",
		(long long)recorder->boot);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		struct interval_row row = open_row(all);
		struct live *live = live_add(&recorder->live, open_key(all, &row), &row);
		if (!live)
			return error_set(err, -ENOMEM, "read %s", recorder->path);
		live->id = (uint64_t)sqlite3_column_int64(all, 0);
		live->is_stored = live->is_of_before = true;
	}
	if (r >= 0 && code != SQLITE_DONE)
		r = store_error(recorder->db, code, err, "read");
	int64_t last;
	if (r >= 0)
		r = store_number(recorder->db, 0, &last, err, "SELECT max(id) FROM open");
	if (r >= 0)
		recorder->live.next_id = (uint64_t)last + 1;
	return r;
}

/* The newest segment of the boot goes on where it is not full; else a new one begins. */
static int go_on(struct recorder *recorder, uint64_t base, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *last = NULL;
	int r = store_prepare(recorder->db, &last, err,
			      "SELECT id, base, opened, closed, slack, n, n_events FROM segment"
			      " WHERE boot = %lld AND is_indexed = 0 ORDER BY id DESC LIMIT 1",
			      (long long)recorder->boot);
	if (r < 0)
		return r;
	recorder->segment = (struct segment){.id = 0};
	if (sqlite3_step(last) != SQLITE_ROW)
		return segment_begin(recorder, base, err);
	recorder->segment = (struct segment){.id = sqlite3_column_int64(last, 0),
					     .base = (uint64_t)sqlite3_column_int64(last, 1),
					     .opened = (uint64_t)sqlite3_column_int64(last, 2),
					     .closed = (uint64_t)sqlite3_column_int64(last, 3),
					     .slack = (uint64_t)sqlite3_column_int64(last, 4),
					     .n = (uint32_t)sqlite3_column_int64(last, 5),
					     .n_events = (uint32_t)sqlite3_column_int64(last, 6)};
	recorder->intern.segment = recorder->segment.id;
	return segment_prepare(recorder, err);
}

/* ---- boots ---- */

/* What another boot left open ended with it at the latest: closed as it was last known. */
static int end_boot(struct recorder *recorder, int64_t boot, const char *boot_id, struct error *err)
{
	int64_t closed, opened;
	recorder->boot = boot;
	int r = store_number(recorder->db, 0, &closed, err,
			     "SELECT max(closed) FROM segment WHERE boot = %lld", (long long)boot);
	if (r >= 0)
		r = store_number(recorder->db, 0, &opened, err,
				 "SELECT max(opened) FROM open WHERE boot = %lld", (long long)boot);
	if (r < 0)
		return r;
	uint64_t known = (uint64_t)(closed > opened ? closed : opened);
	if (strcmp(recorder->before.boot_id, boot_id) == 0 && recorder->before.uptime_ns > known)
		known = recorder->before.uptime_ns;
	r = go_on(recorder, known, err);
	if (r >= 0)
		r = load_open(recorder, err);
	if (r >= 0 && take_end_of_before(recorder, known) < 0)
		r = error_set(err, -ENOMEM, "record");
	if (r >= 0)
		r = write_all(recorder, known, err);
	if (r >= 0)
		r = store_run(recorder->db, err, "UPDATE boot SET ended = %lld WHERE id = %lld",
			      (long long)known, (long long)boot);
	return r;
}

/* The one before this, if any, is ended; a gap lies between. */
static int end_other_boot(struct recorder *recorder, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *last = NULL;
	int r = store_prepare(recorder->db, &last, err,
			      "SELECT id, boot_id, ended FROM boot ORDER BY id DESC LIMIT 1");
	if (r < 0 || sqlite3_step(last) != SQLITE_ROW)
		return r;
	int64_t id = sqlite3_column_int64(last, 0), ended;
	char boot_id[HISTORY_BOOT_ID_MAX];
	const char *found = (const char *)sqlite3_column_text(last, 1);
	snprintf(boot_id, sizeof(boot_id), "%s", found ? found : "");
	sqlite3_reset(last);
	if (strcmp(boot_id, recorder->boot_id) == 0)
		return 0;
	r = end_boot(recorder, id, boot_id, err);
	if (r >= 0)
		r = store_number(recorder->db, 0, &ended, err,
				 "SELECT ended FROM boot WHERE id = %lld", (long long)id);
	if (r >= 0 && take_gap(recorder, id, (uint64_t)ended, recorder->wish.uptime_ns,
			       EVENT_UNKNOWN, "the host was started anew") < 0)
		r = error_set(err, -ENOMEM, "record");
	recorder->has_gap = true;
	return r;
}

static int keep_host(struct recorder *recorder, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *put = NULL;
	if (!recorder->wish.host)
		return 0;
	int r = store_prepare(recorder->db, &put, err,
			      "INSERT OR REPLACE INTO about VALUES ('host', ?)");
	if (r < 0)
		return r;
	sqlite3_bind_text(put, 1, recorder->wish.host, -1, SQLITE_STATIC);
	int code = sqlite3_step(put);
	return code == SQLITE_DONE ? 0 : store_error(recorder->db, code, err, "write");
}

static int begin_boot(struct recorder *recorder, struct error *err)
{
	int64_t known = 0;
	int r = store_number(recorder->db, 0, &known, err,
			     "SELECT count(*) FROM boot WHERE boot_id = '%s'", recorder->boot_id);
	recorder->knows_boot = known != 0;
	if (r >= 0)
		r = keep_host(recorder, err);
	if (r >= 0)
		r = store_run(recorder->db, err,
			      "INSERT OR IGNORE INTO boot (boot_id, started) VALUES ('%s', %lld)",
			      recorder->boot_id, (long long)recorder->began);
	if (r >= 0)
		r = store_number(recorder->db, 0, &recorder->boot, err,
				 "SELECT id FROM boot WHERE boot_id = '%s'", recorder->boot_id);
	int64_t ahead;
	if (r >= 0)
		r = store_number(recorder->db, INT64_MIN, &ahead, err,
				 "SELECT ahead FROM clock WHERE boot = %lld"
				 " ORDER BY uptime DESC LIMIT 1",
				 (long long)recorder->boot);
	if (r < 0)
		return r;
	recorder->has_clock = ahead != INT64_MIN;
	recorder->ahead = ahead;
	take_clock(recorder, recorder->wish.time_ns, recorder->wish.uptime_ns, false);
	return 0;
}

/* When the recorder before this one last knew what is open, in this boot; 0: there was none. */
static void look_back(struct recorder *recorder)
{
	const struct alive *before = &recorder->before;
	uint64_t known = recorder->segment.closed;
	if (recorder->knows_boot && recorder->segment.base > known)
		known = recorder->segment.base; /* where the one before it ended */
	for (uint32_t i = 0; i < recorder->live.all.n; i++) {
		const struct live *live = vector_at(&recorder->live.all, i);
		if (live->is_used && live->row.opened > known)
			known = live->row.opened;
	}
	if (recorder->knows_boot && strcmp(before->boot_id, recorder->boot_id) == 0 &&
	    before->uptime_ns > known)
		known = before->uptime_ns;
	recorder->known = known;
}

static int load_mark(struct recorder *recorder, struct error *err)
{
	int64_t stream = 0, at = 0, untold = 0;
	int r = store_number(recorder->db, 0, &stream, err,
			     "SELECT value FROM about WHERE key = 'ring'");
	if (r >= 0)
		r = store_number(recorder->db, 0, &at, err,
				 "SELECT value FROM about WHERE key = 'ring_at'");
	if (r >= 0) /* of an older recorder: all is told */
		r = store_number(recorder->db, at, &untold, err,
				 "SELECT value FROM about WHERE key = 'ring_untold'");
	recorder->state.mark =
		(struct recorder_mark){(uint64_t)stream, (uint64_t)at, (uint64_t)untold};
	return r;
}

static int begin(struct recorder *recorder, struct error *err)
{
	int r = write_prepare(recorder, err);
	if (r >= 0)
		r = intern_init(&recorder->intern, recorder->db, 1, err);
	if (r >= 0)
		r = load_firsts(recorder, err);
	if (r >= 0)
		r = end_other_boot(recorder, err);
	if (r >= 0)
		r = begin_boot(recorder, err);
	if (r >= 0)
		r = go_on(recorder, recorder->wish.uptime_ns, err);
	if (r >= 0)
		r = load_open(recorder, err);
	if (r >= 0)
		r = load_mark(recorder, err);
	look_back(recorder);
	return r >= 0 ? write_all(recorder, recorder->wish.uptime_ns, err) : r;
}

/* ---- what the module shows ---- */

static int tell_alive(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, int64_t pid)
{
	struct alive alive = {.pid = pid,
			      .time_ns = time_ns,
			      .uptime_ns = uptime_ns,
			      .lag_ns = recorder->last - recorder->visible,
			      .n_dropped = recorder->state.n_dropped,
			      .is_full = recorder->is_full,
			      .is_broken = recorder->is_broken};
	snprintf(alive.boot_id, sizeof(alive.boot_id), "%s", recorder->boot_id);
	recorder->told_at = uptime_ns;
	return guard_tell(recorder->lock, &alive);
}

int record_open(const struct recorder_wish *wish, struct recorder **ret, struct error *err)
{
	size_t n = strlen(wish->boot_id);
	if (strlen(wish->path) >= PATH_MAX - 80)
		return error_set(err, -ENAMETOOLONG, "record to %s", wish->path);
	/* It stands in SQL as it is. */
	if (!n || n >= HISTORY_BOOT_ID_MAX || strspn(wish->boot_id, boot_id_has) != n)
		return error_text(err, -EINVAL, "the host's boot_id is none");
	store_faults();
	cleanup(recorder_freep) struct recorder *recorder = recorder_new(wish);
	if (!recorder)
		return error_set(err, -ENOMEM, "record to %s", wish->path);
	int r = guard_lock(wish->path, FILE_MODE, wish->group, &recorder->lock, &recorder->before,
			   err);
	if (r >= 0)
		r = open_or_set_aside(recorder, err);
	if (r >= 0)
		r = begin(recorder, err);
	if (r < 0)
		return r;
	tell_alive(recorder, wish->time_ns, wish->uptime_ns, getpid());
	recorder->wish.host = NULL; /* it was borrowed */
	*ret = TAKE_POINTER(recorder);
	return 0;
}

struct event_sink *record_sink(struct recorder *recorder)
{
	return &recorder->sink;
}

/* What the file turned out to be is said beside it: the next recorder sets it aside. */
static int judge(struct recorder *recorder, int r, uint64_t time_ns, uint64_t uptime_ns)
{
	if (r == -EBADMSG) {
		recorder->is_broken = true;
		tell_alive(recorder, time_ns, uptime_ns, getpid());
	}
	return r;
}

static int keep_bounds(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns,
		       struct error *err)
{
	bool more;
	if (recorder->retained_at && uptime_ns < recorder->retained_at + RETAIN_EVERY_NS)
		return 0;
	recorder->retained_at = uptime_ns;
	int r = retain_turn(recorder, time_ns, &more, err);
	if (more)
		recorder->retained_at = 0;
	return r;
}

int record_turn(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, struct error *err)
{
	int r = 0;
	take_clock(recorder, time_ns, uptime_ns, true);
	if (!recorder->waiting_since && write_has_some(recorder))
		recorder->waiting_since = uptime_ns;
	bool is_due = recorder->is_full ? uptime_ns >= recorder->try_at
					: uptime_ns >= recorder->waiting_since + COMMIT_AFTER_NS ||
						  recorder->waiting.rows.n >= BATCH_ROWS;
	if (recorder->waiting_since && is_due)
		r = write_all(recorder, uptime_ns, err);
	bool is_sync_due =
		recorder->unsynced_since && uptime_ns >= recorder->unsynced_since + SYNC_AFTER_NS;
	if (r >= 0 && is_sync_due)
		r = write_sync(recorder, err);
	if (r >= 0 && !recorder->is_full)
		r = keep_bounds(recorder, time_ns, uptime_ns, err);
	if (!recorder->told_at || uptime_ns >= recorder->told_at + ALIVE_EVERY_NS)
		tell_alive(recorder, time_ns, uptime_ns, getpid());
	return judge(recorder, r, time_ns, uptime_ns);
}

int record_due(const struct recorder *recorder, uint64_t uptime_ns)
{
	uint64_t at = recorder->told_at + ALIVE_EVERY_NS;
	bool has_bounds = recorder->wish.retain_ns || recorder->wish.retain_size;
	uint64_t others[] = {
		recorder->is_full ? recorder->try_at : 0,
		!recorder->is_full && recorder->waiting_since
			? recorder->waiting_since + COMMIT_AFTER_NS
			: 0,
		recorder->unsynced_since ? recorder->unsynced_since + SYNC_AFTER_NS : 0,
		has_bounds ? recorder->retained_at ? recorder->retained_at + RETAIN_EVERY_NS : 1
			   : 0};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i] && others[i] < at)
			at = others[i];
	return at <= uptime_ns ? 0 : (int)((at - uptime_ns + 999999) / 1000000);
}

void record_state(const struct recorder *recorder, struct recorder_state *ret)
{
	*ret = recorder->state;
	ret->n_open = recorder->live.n;
	ret->is_full = recorder->is_full;
	ret->lag_ns = recorder->last - recorder->visible;
	ret->size = store_size(recorder->db);
}

int record_stop(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, struct error *err)
{
	if (!recorder)
		return 0;
	int r = write_all(recorder, uptime_ns, err);
	if (r >= 0)
		r = write_sync(recorder, err);
	tell_alive(recorder, time_ns, uptime_ns, 0);
	recorder_free(recorder);
	return r;
}
