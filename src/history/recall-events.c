/* What happened without a length: refused binds, connects that failed; gaps, and jumps of the
 * clock. */
#include <errno.h>
#include <string.h>

#include "history/recall.h"
#include "model/filter.h"

/* The socket that stood in the way, with the first of its holders. */
static uint32_t read_way(struct answering *answering, sqlite3_stmt *from)
{
	struct revived_row row = {.place = store_known(from, 19),
				  .port = (uint16_t)sqlite3_column_int(from, 20),
				  .process = store_known(from, 21),
				  .fd = sqlite3_column_int(from, 22)};
	row.has_holder = row.process != 0;
	return row.place ? revive_socket(&answering->revival, &row) : NONE;
}

static int read_event(struct answering *answering, sqlite3_stmt *from, int64_t boot,
		      struct event *ret)
{
	struct revival *revival = &answering->revival;
	struct revived_row row = {.place = store_known(from, 2),
				  .port = (uint16_t)sqlite3_column_int(from, 3),
				  .peer_port = (uint16_t)sqlite3_column_int(from, 5),
				  .process = store_known(from, 6),
				  .has_holder = sqlite3_column_type(from, 7) != SQLITE_NULL,
				  .fd = sqlite3_column_int(from, 7),
				  .crew = store_known(from, 8),
				  .bits = {.role = store_below(from, 16, ROLE_MAX)},
				  .cookie = (uint64_t)sqlite3_column_int64(from, 17),
				  .inode = store_known(from, 18)};
	const void *peer = sqlite3_column_blob(from, 4);
	int n = sqlite3_column_bytes(from, 4);
	row.has_peer = peer && (n == 4 || n == 16);
	if (row.has_peer)
		row.peer = n == 4 ? ip_from_v4(peer) : ip_from_v6(peer);
	uint64_t uptime = (uint64_t)sqlite3_column_int64(from, 0);
	bool has_length = sqlite3_column_type(from, 15) != SQLITE_NULL;
	*ret = (struct event){.time_ns = archive_time(answering->archive, boot, uptime),
			      .uptime_ns = uptime,
			      .duration_ns = has_length ? (uint64_t)sqlite3_column_int64(from, 15)
							: EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .error = sqlite3_column_int(from, 12),
			      .kind = sqlite3_column_int(from, 1) == EVENT_REFUSED
					      ? EVENT_REFUSED
					      : EVENT_CONNECT_FAILED,
			      .sure = store_below(from, 9, SURE_MAX),
			      .how = store_below(from, 10, HOW_MAX),
			      .told_by = store_below(from, 11, TOLD_BY_MAX),
			      .error_sure = store_below(from, 13, SURE_MAX),
			      .snapshot = revival->snapshot,
			      .socket = revive_socket(revival, &row),
			      .by = revive_process(revival, store_known(from, 14)),
			      .in_the_way = read_way(answering, from)};
	return revival->error;
}

static int events_of_part(struct answering *answering, const struct part *part, uint64_t first,
			  uint64_t last, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *rows = NULL;
	struct archive *archive = answering->archive;
	struct snapshot *snapshot = answering->revival.snapshot;
	struct vector *events = &answering->ret->events;
	const struct narrow *narrow = &answering->narrow;
	int r = store_prepare(
		archive->db, &rows, err,
		"SELECT uptime, kind, place, port, peer, peer_port, process, fd, crew,"
		" sure, how, told_by, error, error_sure, doer, length, role, cookie,"
		" inode, way_place, way_port, way_process, way_fd FROM event_%lld"
		" WHERE uptime >= %lld AND uptime <= %lld AND %sport BETWEEN %u AND %u"
		" ORDER BY id DESC",
		(long long)part->id, (long long)first,
		(long long)(last > INT64_MAX ? INT64_MAX : last),
		narrow->port_first == narrow->port_last ? "" : "+", narrow->port_first,
		narrow->port_last);
	int code = SQLITE_DONE;
	while (r >= 0 && events->n < answering->limit &&
	       (code = sqlite3_step(rows)) == SQLITE_ROW) {
		uint32_t n_sockets = snapshot->sockets.n, n_holders = snapshot->holders.n;
		struct event event;
		r = read_event(answering, rows, part->boot, &event);
		if (r < 0)
			return answer_broken(answering, err);
		if (!filter_match_event(answering->recall->filter, &event)) {
			revive_undo(&answering->revival, n_sockets, n_holders);
			continue;
		}
		struct event *added = vector_add(events);
		if (!added)
			return answer_broken(answering, err);
		*added = event;
	}
	answering->is_cut |= events->n >= answering->limit;
	return r >= 0 && code != SQLITE_DONE && code != SQLITE_ROW
		       ? store_error(archive->db, code, err, "read")
		       : r;
}

int answer_events(struct answering *answering, struct error *err)
{
	const struct vector *parts = &answering->archive->parts;
	const struct moment *from = &answering->from, *until = &answering->until;
	int r = 0;
	for (uint32_t i = parts->n; r >= 0 && i--;) {
		const struct part *part = vector_at(parts, i);
		if (!part->n_events || part->boot < from->boot || part->boot > until->boot)
			continue;
		r = events_of_part(answering, part, part->boot == from->boot ? from->uptime : 0,
				   part->boot == until->boot ? until->uptime : UINT64_MAX, err);
	}
	return r;
}

int answer_gaps(struct answering *answering, struct error *err)
{
	struct archive *archive = answering->archive;
	const struct moment *from = &answering->from, *until = &answering->until;
	int r = read_gaps(archive, from, until, &answering->revival.snapshot->arena,
			  &answering->ret->gaps, err);
	for (uint32_t i = archive->clocks.n; r >= 0 && i--;) {
		const struct clock_piece *piece = vector_at(&archive->clocks, i);
		const struct moment at = {.boot = piece->boot, .uptime = piece->uptime};
		if (!piece->jump || moment_is_before(&at, from) || moment_is_before(until, &at))
			continue;
		struct clock_jump *jump = vector_add(&answering->ret->jumps);
		if (!jump)
			return answer_broken(answering, err);
		*jump = (struct clock_jump){
			.time_ns = archive_time(archive, piece->boot, piece->uptime),
			.uptime_ns = piece->uptime,
			.by_ns = piece->jump};
	}
	return r;
}
