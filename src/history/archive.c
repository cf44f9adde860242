/* The file as one question sees it: what it says of boots, clocks and segments. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "history/archive.h"

static void archive_free(struct archive *archive)
{
	sqlite3_close_v2(archive->db);
	vector_done(&archive->boots);
	vector_done(&archive->clocks);
	vector_done(&archive->parts);
	free(archive);
}

static void archive_freep(struct archive **archive)
{
	if (*archive)
		archive_free(*archive);
}

/* Read-only, without a lock that could hinder the recorder. Where nobody writes and the files
 * beside it are not there and cannot be made, what stands in the file is all there is. */
static int open_read_only(struct archive *archive, bool is_immutable, struct error *err)
{
	cleanup(freep) char *uri = malloc(PATH_MAX * 3 + 32);
	if (!uri)
		return error_set(err, -ENOMEM, "open %s", archive->path);
	char *to = uri + snprintf(uri, 8, "file:");
	for (const char *at = archive->path; *at; at++)
		if (*at == '?' || *at == '#' || *at == '%')
			to += snprintf(to, 4, "%%%02x", *at);
		else
			*to++ = *at;
	snprintf(to, 32, "?mode=ro%s", is_immutable ? "&immutable=1" : "");
	sqlite3_close_v2(archive->db);
	archive->db = NULL;
	int code =
		sqlite3_open_v2(uri, &archive->db,
				SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return store_error(archive->db, code, err, "open");
	sqlite3_extended_result_codes(archive->db, 1);
	sqlite3_busy_timeout(archive->db, 2000);
	return store_run(
		archive->db, NULL,
		"PRAGMA cache_size = -16384; PRAGMA query_only = 1; PRAGMA mmap_size = 4294967296;"
		"PRAGMA temp_store = MEMORY");
}

static int read_version(struct archive *archive, struct error *err)
{
	int64_t version;
	struct alive alive;
	struct error first = {.code = 0};
	int r = store_number(archive->db, 0, &version, &first, "PRAGMA user_version");
	bool has_no_log = r == -EACCES || r == -EROFS;
	if (has_no_log && (guard_look(archive->path, &alive) < 0 || !alive.pid)) {
		r = open_read_only(archive, true, err);
		if (r >= 0)
			r = store_number(archive->db, 0, &version, &first, "PRAGMA user_version");
	}
	if (r < 0) {
		if (err)
			*err = first;
		return r;
	}
	if (version > STORE_SCHEMA)
		return error_text(err, -ENOTSUP, "%s was written by a newer Doorward",
				  archive->path);
	if (version == STORE_SCHEMA)
		return 0;
	if (version == 0)
		return error_text(err, -EBADMSG, "%s is no history, or it was only begun",
				  archive->path);
	error_text(err, -ENOTSUP, "%s was written by an older Doorward", archive->path);
	error_hint(err, "`doorward record` brings it up to date when it starts");
	return -ENOTSUP;
}

int recall_open(const char *path, struct archive **ret, struct error *err)
{
	int version;
	store_faults();
	int r = guard_header(path, &version, err);
	if (r == 0)
		return error_text(err, -EBADMSG, "%s is no history", path);
	if (r == -EACCES)
		error_hint(err, "its group may read it: `doorward`, if nobody changed it");
	if (r == -ENOENT)
		error_hint(err, "`doorward record` makes it");
	if (r < 0)
		return r;
	cleanup(archive_freep) struct archive *archive = calloc(1, sizeof(*archive));
	if (!archive)
		return error_set(err, -ENOMEM, "open %s", path);
	if (strlen(path) >= sizeof(archive->path))
		return error_set(err, -ENAMETOOLONG, "open %s", path);
	snprintf(archive->path, sizeof(archive->path), "%s", path);
	vector_init(&archive->boots, sizeof(struct boot));
	vector_init(&archive->clocks, sizeof(struct clock_piece));
	vector_init(&archive->parts, sizeof(struct part));
	r = open_read_only(archive, false, err);
	if (r >= 0)
		r = read_version(archive, err);
	if (r < 0)
		return r;
	*ret = TAKE_POINTER(archive);
	return 0;
}

void recall_close(struct archive *archive)
{
	if (archive)
		archive_free(archive);
}

/* ---- what stands around the rows ---- */

/* Every row of @sql to @take, which gets room in @into. */
static int load(struct archive *archive, const char *sql, struct vector *into,
		void (*take)(sqlite3_stmt *from, void *to), struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	into->n = 0;
	int r = store_prepare(archive->db, &all, err, "%s", sql);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		void *to = vector_add(into);
		if (!to)
			return error_set(err, -ENOMEM, "read %s", archive->path);
		take(all, to);
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(archive->db, code, err, "read") : r;
}

static void take_boot(sqlite3_stmt *from, void *to)
{
	*(struct boot *)to = (struct boot){.id = sqlite3_column_int64(from, 0),
					   .started = (uint64_t)sqlite3_column_int64(from, 1),
					   .ended = (uint64_t)sqlite3_column_int64(from, 2)};
}

static void take_piece(sqlite3_stmt *from, void *to)
{
	*(struct clock_piece *)to =
		(struct clock_piece){.boot = sqlite3_column_int64(from, 0),
				     .uptime = (uint64_t)sqlite3_column_int64(from, 1),
				     .ahead = sqlite3_column_int64(from, 2),
				     .jump = sqlite3_column_int64(from, 3)};
}

static void take_part(sqlite3_stmt *from, void *to)
{
	*(struct part *)to = (struct part){.id = sqlite3_column_int64(from, 0),
					   .boot = sqlite3_column_int64(from, 1),
					   .base = (uint64_t)sqlite3_column_int64(from, 2),
					   .opened = (uint64_t)sqlite3_column_int64(from, 3),
					   .closed = (uint64_t)sqlite3_column_int64(from, 4),
					   .slack = (uint64_t)sqlite3_column_int64(from, 5),
					   .n = (uint64_t)sqlite3_column_int64(from, 6),
					   .n_events = (uint64_t)sqlite3_column_int64(from, 7),
					   .is_indexed = sqlite3_column_int(from, 8) == 1};
}

int archive_begin(struct archive *archive, struct error *err)
{
	int r = store_run(archive->db, err, "BEGIN");
	if (r < 0)
		return r;
	r = load(archive, "SELECT id, started, ended FROM boot ORDER BY id", &archive->boots,
		 take_boot, err);
	if (r >= 0)
		r = load(archive,
			 "SELECT boot, uptime, ahead, jump FROM clock ORDER BY boot, uptime",
			 &archive->clocks, take_piece, err);
	if (r >= 0)
		r = load(archive,
			 "SELECT id, boot, base, opened, closed, slack, n, n_events, is_indexed"
			 " FROM segment ORDER BY id",
			 &archive->parts, take_part, err);
	archive->pruned =
		(struct moment){.boot = store_about(archive->db, "pruned_boot", 0),
				.uptime = (uint64_t)store_about(archive->db, "pruned", 0)};
	if (r < 0)
		archive_end(archive);
	return r;
}

void archive_end(struct archive *archive)
{
	sqlite3_exec(archive->db, "COMMIT", NULL, NULL, NULL);
}

/* ---- what the clocks said ---- */

/* The last piece that begins at or before it; the first of its boot where none does. */
static const struct clock_piece *piece_of(const struct archive *archive, int64_t boot,
					  uint64_t uptime)
{
	const struct clock_piece *all = archive->clocks.data;
	uint32_t low = 0, high = archive->clocks.n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (all[middle].boot < boot ||
		    (all[middle].boot == boot && all[middle].uptime <= uptime))
			low = middle + 1;
		else
			high = middle;
	}
	if (low && all[low - 1].boot == boot)
		return &all[low - 1];
	return low < archive->clocks.n && all[low].boot == boot ? &all[low] : NULL;
}

uint64_t archive_time(const struct archive *archive, int64_t boot, uint64_t uptime)
{
	const struct clock_piece *piece = piece_of(archive, boot, uptime);
	return piece ? uptime + (uint64_t)piece->ahead : 0;
}

/* The uptime at which a piece ends: the next of its boot begins, or the boot ends. */
static uint64_t end_of(const struct archive *archive, uint32_t index)
{
	const struct clock_piece *piece = vector_at(&archive->clocks, index);
	const struct clock_piece *next =
		index + 1 < archive->clocks.n ? vector_at(&archive->clocks, index + 1) : NULL;
	if (next && next->boot == piece->boot)
		return next->uptime;
	for (uint32_t i = 0; i < archive->boots.n; i++) {
		const struct boot *boot = vector_at(&archive->boots, i);
		if (boot->id == piece->boot && boot->ended)
			return boot->ended + 1;
	}
	return next ? piece->uptime : UINT64_MAX;
}

struct moment archive_moment(const struct archive *archive, uint64_t time_ns)
{
	struct moment before = {.boot = 0};
	uint64_t before_time = 0;
	for (uint32_t i = archive->clocks.n; i--;) {
		const struct clock_piece *piece = vector_at(&archive->clocks, i);
		uint64_t uptime = time_ns - (uint64_t)piece->ahead, end = end_of(archive, i);
		uint64_t first = piece->uptime + (uint64_t)piece->ahead;
		if (time_ns < first)
			continue;
		if (uptime < end)
			return (struct moment){.boot = piece->boot, .uptime = uptime};
		uint64_t last = end + (uint64_t)piece->ahead;
		if (last > before_time) {
			before_time = last;
			before = (struct moment){.boot = piece->boot, .uptime = end - 1};
		}
	}
	return before;
}

int archive_tell_host(struct archive *archive, struct snapshot *snapshot, int64_t boot)
{
	cleanup(statement_free) sqlite3_stmt *find = NULL;
	if (store_prepare(archive->db, &find, NULL,
			  "SELECT (SELECT boot_id FROM boot WHERE id = %lld),"
			  " (SELECT value FROM about WHERE key = 'host')",
			  (long long)boot) < 0 ||
	    sqlite3_step(find) != SQLITE_ROW)
		return 0;
	const char *boot_id = (const char *)sqlite3_column_text(find, 0),
		   *host = (const char *)sqlite3_column_text(find, 1);
	if (boot_id)
		snapshot->boot_id = arena_intern_string(&snapshot->arena, boot_id);
	if (host)
		snapshot->host = arena_intern_string(&snapshot->arena, host);
	return (boot_id && !snapshot->boot_id) || (host && !snapshot->host) ? -ENOMEM : 0;
}
