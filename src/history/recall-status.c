/* What a file holds, and how its recorder does. */
#include <string.h>
#include <sys/stat.h>

#include "history/archive.h"

static uint64_t size_of(const char *path, const char *beside)
{
	char name[PATH_MAX + 8];
	struct stat status;
	snprintf(name, sizeof(name), "%s%s", path, beside);
	return stat(name, &status) < 0 ? 0 : (uint64_t)status.st_size;
}

static void sum_parts(const struct archive *archive, struct history_status *ret)
{
	for (uint32_t i = 0; i < archive->parts.n; i++) {
		const struct part *part = vector_at(&archive->parts, i);
		ret->n_intervals += part->n;
		ret->n_events += part->n_events;
		uint64_t closed = part->n + part->n_events
					  ? archive_time(archive, part->boot, part->closed)
					  : 0;
		if (closed > ret->newest_ns)
			ret->newest_ns = closed;
	}
	ret->n_segments = archive->parts.n;
	ret->n_boots = archive->boots.n;
	if (archive->boots.n) {
		const struct boot *first = vector_at(&archive->boots, 0);
		ret->oldest_ns = archive_time(archive, first->id, first->started);
	}
	if (archive->pruned.boot) {
		ret->pruned_ns =
			archive_time(archive, archive->pruned.boot, archive->pruned.uptime);
		ret->oldest_ns = ret->pruned_ns > ret->oldest_ns ? ret->pruned_ns : ret->oldest_ns;
	}
}

static int count(struct archive *archive, struct history_status *ret, struct error *err)
{
	const struct boot *last =
		archive->boots.n ? vector_at(&archive->boots, archive->boots.n - 1) : NULL;
	int64_t n_open = 0, newest = 0, n_gaps = 0, lost = 0;
	int r = store_number(archive->db, 0, &n_open, err, "SELECT count(*) FROM open");
	if (r >= 0)
		r = store_number(archive->db, 0, &newest, err, "SELECT max(opened) FROM open");
	if (r >= 0)
		r = store_number(archive->db, 0, &n_gaps, err, "SELECT count(*) FROM gap");
	if (r >= 0)
		r = store_number(archive->db, 0, &lost, err, "SELECT sum(lost) FROM gap");
	ret->n_open = (uint64_t)n_open;
	ret->n_gaps = (uint32_t)n_gaps;
	ret->lost = (uint64_t)lost;
	uint64_t opened = newest && last ? archive_time(archive, last->id, (uint64_t)newest) : 0;
	if (opened > ret->newest_ns)
		ret->newest_ns = opened;
	return r;
}

int recall_status(struct archive *archive, struct history_status *ret, struct error *err)
{
	struct alive alive;
	*ret = (struct history_status){.size = size_of(archive->path, "") +
					       size_of(archive->path, "-wal")};
	if (guard_look(archive->path, &alive) >= 0) {
		ret->recorder = (pid_t)alive.pid;
		ret->alive_ns = alive.time_ns;
		ret->lag_ns = alive.lag_ns;
		ret->n_dropped = alive.n_dropped;
		ret->is_full = alive.is_full;
	}
	int r = archive_begin(archive, err);
	if (r < 0)
		return r;
	sum_parts(archive, ret);
	r = count(archive, ret, err);
	archive_end(archive);
	return r;
}
