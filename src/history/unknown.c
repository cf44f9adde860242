/* What the record does not know of a span of time: before it, after it, in a gap, and what is no
 * longer kept. */
#include <errno.h>
#include <string.h>

#include "history/archive.h"

static struct moment begin_of(const struct archive *archive)
{
	const struct boot *first = archive->boots.n ? vector_at(&archive->boots, 0) : NULL;
	return first ? (struct moment){.boot = first->id, .uptime = first->started}
		     : (struct moment){.boot = INT64_MAX};
}

static const char *dated(struct arena *arena, const char *format, uint64_t time_ns)
{
	char text[160], date[EVENT_TIME_MAX];
	size_t n = event_time_text(time_ns, date);
	if (n > 11) /* to the second */
		memcpy(date + n - 11, "Z", 2);
	snprintf(text, sizeof(text), format, date);
	return arena_intern_string(arena, text);
}

static int add(struct snapshot *snapshot, enum why why, uint64_t count, const char *hint)
{
	const struct missing missing = {
		.what = WHAT_SOCKETS, .why = why, .count = count, .hint = hint};
	return snapshot_add_missing(snapshot, &missing);
}

static void take_gap(const struct archive *archive, sqlite3_stmt *row, struct arena *arena,
		     struct gap *ret)
{
	const char *why = (const char *)sqlite3_column_text(row, 5);
	*ret = (struct gap){.from_ns = archive_time(archive, sqlite3_column_int64(row, 0),
						    (uint64_t)sqlite3_column_int64(row, 1)),
			    .to_ns = archive_time(archive, sqlite3_column_int64(row, 2),
						  (uint64_t)sqlite3_column_int64(row, 3)),
			    .lost = sqlite3_column_type(row, 4) == SQLITE_NULL
					    ? EVENT_UNKNOWN
					    : (uint64_t)sqlite3_column_int64(row, 4),
			    .why = arena_intern_string(arena, why ? why : "")};
}

int read_gaps(struct archive *archive, const struct moment *from, const struct moment *to,
	      struct arena *arena, struct vector *ret, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = store_prepare(archive->db, &all, err,
			      "SELECT boot, uptime, to_boot, to_uptime, lost, why FROM gap"
			      " ORDER BY id DESC");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		const struct moment began = {.boot = sqlite3_column_int64(all, 0),
					     .uptime = (uint64_t)sqlite3_column_int64(all, 1)},
				    ended = {.boot = sqlite3_column_int64(all, 2),
					     .uptime = (uint64_t)sqlite3_column_int64(all, 3)};
		if (moment_is_before(to, &began) || moment_is_before(&ended, from))
			continue;
		struct gap *gap = vector_add(ret);
		if (!gap)
			return error_set(err, -ENOMEM, "read %s", archive->path);
		take_gap(archive, all, arena, gap);
		if (!gap->why)
			return error_set(err, -ENOMEM, "read %s", archive->path);
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(archive->db, code, err, "read") : r;
}

/* Where nobody records now, what is later than the last word of who did is not known. */
static int tell_after(const struct archive *archive, struct snapshot *snapshot,
		      const struct moment *to)
{
	struct alive alive;
	const struct boot *last =
		archive->boots.n ? vector_at(&archive->boots, archive->boots.n - 1) : NULL;
	if (!last || guard_look(archive->path, &alive) < 0 || alive.pid)
		return 0;
	struct moment end = {.boot = last->id, .uptime = alive.uptime_ns};
	for (uint32_t i = 0; i < archive->parts.n; i++) {
		const struct part *part = vector_at(&archive->parts, i);
		if (part->boot == last->id && part->closed > end.uptime)
			end.uptime = part->closed;
	}
	if (!moment_is_before(&end, to))
		return 0;
	return add(snapshot, WHY_INTERRUPTED, 0,
		   dated(&snapshot->arena, "the record ends at %s: nobody writes it now",
			 archive_time(archive, end.boot, end.uptime)));
}

int tell_unknown(struct archive *archive, struct snapshot *snapshot, const struct moment *from,
		 const struct moment *to, uint64_t from_ns, struct error *err)
{
	struct moment begin = begin_of(archive);
	struct vector gaps;
	vector_init(&gaps, sizeof(struct gap));
	int r = 0;
	uint64_t begin_ns = archive->boots.n ? archive_time(archive, begin.boot, begin.uptime) : 0;
	if (from_ns && (moment_is_before(from, &begin) || from_ns < begin_ns))
		r = add(snapshot, WHY_UNSEEN, 0,
			begin_ns ? dated(&snapshot->arena,
					 "nothing is known of before %s, when the record begins",
					 begin_ns)
				 : "nothing is known of then: nothing was recorded yet");
	if (r >= 0 && from_ns && archive->pruned.boot && moment_is_before(from, &archive->pruned))
		r = add(snapshot, WHY_GONE, 0,
			dated(&snapshot->arena, "what ended before %s is no longer kept (--retain)",
			      archive_time(archive, archive->pruned.boot, archive->pruned.uptime)));
	if (r >= 0 && to->uptime != INT64_MAX)
		r = tell_after(archive, snapshot, to);
	if (r < 0)
		return error_set(err, r, "read %s", archive->path);
	r = read_gaps(archive, from, to, &snapshot->arena, &gaps, err);
	for (uint32_t i = 0; r >= 0 && i < gaps.n; i++) {
		const struct gap *gap = vector_at(&gaps, i);
		if (!gap->lost) /* nobody recorded, but all was kept */
			continue;
		if (add(snapshot, WHY_INTERRUPTED, gap->lost == EVENT_UNKNOWN ? 0 : gap->lost,
			gap->why) < 0)
			r = error_set(err, -ENOMEM, "read %s", archive->path);
	}
	vector_done(&gaps);
	return r;
}
