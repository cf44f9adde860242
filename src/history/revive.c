/* Rows to sockets of a snapshot: what they speak of is read once, when it is first met. */
#include <errno.h>
#include <string.h>

#include "history/archive.h"
#include "history/intern.h"
#include "model/filter.h"

#define TEXT_MAX (1 << 20) /* a string longer than this was not written by us */

static uint64_t number_key(const void *owner, uint32_t index)
{
	return ((const struct numbered *)vector_at(owner, index))->id;
}

static uint32_t number_find(const struct by_number *by, uint32_t id)
{
	uint32_t place;
	for (uint32_t i = table_find(&by->table, id, &place); i != TABLE_NONE;
	     i = table_next(&by->table, id, &place)) {
		const struct numbered *numbered = vector_at(&by->all, i);
		if (numbered->id == id)
			return numbered->index;
	}
	return NONE;
}

static void number_add(struct revival *revival, struct by_number *by, uint32_t id, uint32_t index)
{
	struct numbered *added = vector_add(&by->all);
	if (added)
		*added = (struct numbered){.id = id, .index = index};
	if (!added || table_add(&by->table, id, by->all.n - 1) < 0)
		revival->error = -ENOMEM;
}

static int start(struct revival *revival)
{
	revival->snapshot = snapshot_new();
	if (!revival->snapshot)
		return -ENOMEM;
	revival->snapshot->origin = ORIGIN_HISTORY;
	revival->snapshot->is_privileged = true; /* what was not seen stands in `missing` */
	revival->snapshot->origin_name =
		arena_intern_string(&revival->snapshot->arena, revival->archive->path);
	return revival->snapshot->origin_name ? 0 : -ENOMEM;
}

static int read_users(struct revival *revival, struct error *err)
{
	struct snapshot *snapshot = revival->snapshot;
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = store_prepare(revival->archive->db, &all, err,
			      "SELECT uid, name FROM user ORDER BY uid");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(all, 1);
		struct user *user = name ? vector_add(&snapshot->users) : NULL;
		if (user)
			*user = (struct user){.uid = (uint32_t)sqlite3_column_int64(all, 0),
					      .name = arena_intern_string(&snapshot->arena, name)};
	}
	return r >= 0 && code != SQLITE_DONE ? store_error(revival->archive->db, code, err, "read")
					     : r;
}

int revival_init(struct revival *revival, struct archive *archive, struct error *err)
{
	sqlite3 *db = archive->db;
	*revival = (struct revival){.archive = archive};
	struct by_number *const all[] = {&revival->by_place, &revival->by_string,
					 &revival->by_process, &revival->by_netns};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		vector_init(&all[i]->all, sizeof(struct numbered));
		table_init(&all[i]->table, number_key, &all[i]->all);
	}
	vector_init(&revival->places, sizeof(struct known_place));
	vector_init(&revival->strings, sizeof(const char *));
	int r = start(revival);
	if (r < 0)
		return error_set(err, r, "read %s", archive->path);
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} statements[] = {
		{&revival->get_string, "SELECT text FROM string WHERE id = ?1"},
		{&revival->get_crew, "SELECT holders FROM crew WHERE id = ?1"},
		{&revival->get_netns, "SELECT inode, name, is_self, is_initial, details FROM netns"
				      " WHERE id = ?1"},
		{&revival->get_place, "SELECT proto, family, state, flags, held_by, uid, interface,"
				      " backlog, local, netns FROM place WHERE id = ?1"},
		{&revival->get_process,
		 "SELECT pid, ppid, start_ticks, start_time, uid, known, name, exe, exe_deleted,"
		 " cmdline, cwd, unit, runs, came_from, engine, container, container_name, netns"
		 " FROM process WHERE id = ?1"}};
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(statements); i++)
		r = store_prepare(db, statements[i].statement, err, "%s", statements[i].sql);
	return r >= 0 ? read_users(revival, err) : r;
}

void revival_done(struct revival *revival)
{
	struct by_number *const all[] = {&revival->by_place, &revival->by_string,
					 &revival->by_process, &revival->by_netns};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		vector_done(&all[i]->all);
		table_done(&all[i]->table);
	}
	vector_done(&revival->places);
	vector_done(&revival->strings);
	sqlite3_finalize(revival->get_place);
	sqlite3_finalize(revival->get_string);
	sqlite3_finalize(revival->get_process);
	sqlite3_finalize(revival->get_netns);
	sqlite3_finalize(revival->get_crew);
	snapshot_free(revival->snapshot);
}

/* The row of that number; NULL: there is none (of a file that was tampered with), or an error. The
 * statement is to be reset. */
static sqlite3_stmt *get(struct revival *revival, sqlite3_stmt *statement, uint32_t id)
{
	if (!id || revival->error)
		return NULL;
	sqlite3_bind_int64(statement, 1, id);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return statement;
	if (code != SQLITE_DONE)
		revival->error = store_errno(code);
	sqlite3_reset(statement);
	return NULL;
}

static uint32_t column_u32(sqlite3_stmt *from, int at)
{
	return (uint32_t)sqlite3_column_int64(from, at);
}

static const char *text_of(struct revival *revival, uint32_t id)
{
	if (!id)
		return NULL;
	uint32_t index = number_find(&revival->by_string, id);
	if (index != NONE)
		return *(const char **)vector_at(&revival->strings, index);
	sqlite3_stmt *row = get(revival, revival->get_string, id);
	if (!row)
		return NULL;
	int n = sqlite3_column_bytes(row, 0);
	const char *bytes = sqlite3_column_blob(row, 0);
	const char *text = n <= TEXT_MAX ? arena_intern(&revival->snapshot->arena,
							bytes ? bytes : "", (size_t)n)
					 : NULL;
	sqlite3_reset(row);
	const char **added = text ? vector_add(&revival->strings) : NULL;
	if (!added) {
		revival->error = n <= TEXT_MAX ? -ENOMEM : -EBADMSG;
		return NULL;
	}
	*added = text;
	number_add(revival, &revival->by_string, id, revival->strings.n - 1);
	return text;
}

static uint32_t netns_of(struct revival *revival, uint32_t id)
{
	uint32_t index = id ? number_find(&revival->by_netns, id) : NONE;
	if (!id || index != NONE)
		return index;
	sqlite3_stmt *row = get(revival, revival->get_netns, id);
	if (!row)
		return NONE;
	struct netns netns = {.inode = (uint64_t)sqlite3_column_int64(row, 0),
			      .is_self = sqlite3_column_int(row, 2) == 1,
			      .is_initial = sqlite3_column_int(row, 3) == 1};
	uint32_t name = store_known(row, 1);
	int n = sqlite3_column_bytes(row, 4);
	if (details_read(sqlite3_column_blob(row, 4), (size_t)n, &revival->snapshot->arena,
			 &netns) < 0)
		revival->error = -ENOMEM;
	sqlite3_reset(row);
	netns.name = text_of(revival, name);
	struct netns *added = vector_add(&revival->snapshot->netns);
	if (!added) {
		revival->error = -ENOMEM;
		return NONE;
	}
	*added = netns;
	index = revival->snapshot->netns.n - 1;
	number_add(revival, &revival->by_netns, id, index);
	return index;
}

static uint32_t container_of(struct revival *revival, uint8_t engine, const char *id,
			     const char *name)
{
	struct vector *all = &revival->snapshot->containers;
	if (!engine && !id)
		return NONE;
	for (uint32_t i = 0; i < all->n; i++) {
		const struct container *known = vector_at(all, i);
		if (known->id == id && known->name == name && known->engine == engine)
			return i;
	}
	struct container *added = vector_add(all);
	if (!added) {
		revival->error = -ENOMEM;
		return NONE;
	}
	*added = (struct container){.id = id ? id : "", .name = name, .engine = engine};
	return all->n - 1;
}

uint32_t revive_process(struct revival *revival, uint32_t id)
{
	uint32_t index = id ? number_find(&revival->by_process, id) : NONE;
	if (!id || index != NONE)
		return index;
	sqlite3_stmt *row = get(revival, revival->get_process, id);
	if (!row)
		return NONE;
	struct process process = {.pid = sqlite3_column_int(row, 0),
				  .ppid = sqlite3_column_int(row, 1),
				  .start_ticks = (uint64_t)sqlite3_column_int64(row, 2),
				  .start_time = sqlite3_column_double(row, 3),
				  .uid = column_u32(row, 4),
				  .known = column_u32(row, 5),
				  .exe_deleted = sqlite3_column_int(row, 8) == 1,
				  .parent = NONE};
	uint32_t name = store_known(row, 6), exe = store_known(row, 7),
		 cmdline = store_known(row, 9), cwd = store_known(row, 10),
		 unit = store_known(row, 11), runs = store_known(row, 12),
		 from = store_known(row, 13), container = store_known(row, 15),
		 container_name = store_known(row, 16), netns = store_known(row, 17);
	uint8_t engine = store_below(row, 14, ENGINE_MAX);
	sqlite3_reset(row);
	process.name = text_of(revival, name);
	process.exe = text_of(revival, exe);
	process.cmdline = text_of(revival, cmdline);
	process.cwd = text_of(revival, cwd);
	process.unit = text_of(revival, unit);
	process.runs = text_of(revival, runs);
	process.from = text_of(revival, from);
	process.container = container_of(revival, engine, text_of(revival, container),
					 text_of(revival, container_name));
	process.netns = netns_of(revival, netns);
	struct process *added = vector_add(&revival->snapshot->processes);
	if (!added) {
		revival->error = -ENOMEM;
		return NONE;
	}
	*added = process;
	index = revival->snapshot->processes.n - 1;
	number_add(revival, &revival->by_process, id, index);
	return index;
}

/* ---- sockets ---- */

static const struct socket *place_of(struct revival *revival, uint32_t id)
{
	uint32_t index = number_find(&revival->by_place, id);
	if (index != NONE)
		return &((struct known_place *)vector_at(&revival->places, index))->socket;
	struct socket socket = {.netns = NONE, .holder = NONE, .tcp_info = NONE};
	uint32_t netns = 0;
	sqlite3_stmt *row = get(revival, revival->get_place, id);
	if (row) {
		socket.proto = store_below(row, 0, PROTO_MAX);
		socket.family = store_below(row, 1, FAMILY_MAX);
		socket.state = store_below(row, 2, STATE_MAX);
		socket.flags = store_below(row, 3, UINT8_MAX);
		socket.held_by = store_below(row, 4, HELD_MAX);
		socket.uid = column_u32(row, 5);
		socket.interface = column_u32(row, 6);
		socket.send_queue = column_u32(row, 7);
		const void *local = sqlite3_column_blob(row, 8);
		if (local && sqlite3_column_bytes(row, 8) == sizeof(socket.local.bytes))
			memcpy(socket.local.bytes, local, sizeof(socket.local.bytes));
		netns = store_known(row, 9);
		sqlite3_reset(row);
	}
	if (!socket.state || !state_words[socket.state])
		socket.state = STATE_UNCONN;
	socket.netns = netns_of(revival, netns);
	struct known_place *added = vector_add(&revival->places);
	if (!added) {
		revival->error = -ENOMEM;
		return NULL;
	}
	added->socket = socket;
	number_add(revival, &revival->by_place, id, revival->places.n - 1);
	return &added->socket;
}

static bool fill(struct revival *revival, const struct revived_row *row, struct socket *ret)
{
	const struct socket *place = place_of(revival, row->place);
	if (!place)
		return false;
	*ret = *place;
	ret->cookie = row->cookie;
	ret->inode = row->inode;
	ret->local_port = row->port;
	ret->peer_port = row->peer_port;
	ret->role = row->bits.role;
	if (row->has_peer)
		ret->peer = row->peer;
	else if (ret->family == FAMILY_IPV4)
		ret->peer = ip_from_v4((const uint8_t[4]){0});
	return true;
}

bool revival_may_match(struct revival *revival, const struct revived_row *row,
		       const struct filter *filter)
{
	struct socket socket;
	if (!filter)
		return true;
	return fill(revival, row, &socket) && filter_may_match(filter, revival->snapshot, &socket);
}

static void add_holder(struct revival *revival, uint32_t socket, uint32_t process, int32_t fd)
{
	uint32_t index = revive_process(revival, process);
	if (index != NONE && snapshot_add_holder(revival->snapshot, socket, index, fd) == NONE)
		revival->error = -ENOMEM;
}

static void add_crew(struct revival *revival, uint32_t socket, uint32_t crew)
{
	uint32_t members[512];
	sqlite3_stmt *row = get(revival, revival->get_crew, crew);
	if (!row)
		return;
	size_t n = (size_t)sqlite3_column_bytes(row, 0);
	n = n < sizeof(members) ? n / 8 * 8 : sizeof(members);
	if (n)
		memcpy(members, sqlite3_column_blob(row, 0), n);
	sqlite3_reset(row);
	for (size_t i = 0; i + 1 < n / sizeof(*members); i += 2)
		add_holder(revival, socket, members[i], (int32_t)members[i + 1]);
}

uint32_t revive_socket(struct revival *revival, const struct revived_row *row)
{
	struct socket socket;
	if (!fill(revival, row, &socket))
		return NONE;
	uint32_t index = snapshot_add_socket(revival->snapshot, &socket);
	if (index == NONE) {
		revival->error = -ENOMEM;
		return NONE;
	}
	if (row->has_holder)
		add_holder(revival, index, row->process, row->fd);
	if (row->crew)
		add_crew(revival, index, row->crew);
	return revival->error ? NONE : index;
}

void revive_undo(struct revival *revival, uint32_t socket, uint32_t n_holders)
{
	revival->snapshot->sockets.n = socket;
	revival->snapshot->holders.n = n_holders;
}

static void peer_of(sqlite3_stmt *from, int at, struct revived_row *row)
{
	const void *peer = sqlite3_column_blob(from, at);
	int n = sqlite3_column_bytes(from, at);
	row->has_peer = peer && (n == 4 || n == 16);
	if (row->has_peer)
		row->peer = n == 4 ? ip_from_v4(peer) : ip_from_v6(peer);
}

/* What the bits say, as far as it can be. */
static void judge_bits(struct revived_row *row)
{
	struct interval *interval = &row->interval;
	struct interval_bits *bits = &row->bits;
	interval->sure = bits->sure < SURE_MAX ? bits->sure : SURE_UNASKED;
	interval->how = bits->how < HOW_MAX ? bits->how : HOW_UNKNOWN;
	interval->opened_told_by =
		bits->opened_told_by < TOLD_BY_MAX ? bits->opened_told_by : TOLD_BY_BPF;
	interval->closed_told_by =
		bits->closed_told_by < TOLD_BY_MAX ? bits->closed_told_by : TOLD_BY_BPF;
	interval->opened_exact = bits->opened_exact;
	interval->closed_exact = bits->closed_exact;
	if (bits->role >= ROLE_MAX)
		bits->role = ROLE_NONE;
}

void read_row(sqlite3_stmt *from, struct revived_row *ret)
{
	*ret = (struct revived_row){
		.interval = {.opened_uptime_ns = (uint64_t)sqlite3_column_int64(from, 0),
			     .bytes_sent = EVENT_UNKNOWN,
			     .bytes_received = EVENT_UNKNOWN,
			     .socket = NONE,
			     .by = NONE},
		.place = store_known(from, 1),
		.port = (uint16_t)sqlite3_column_int(from, 2),
		.peer_port = (uint16_t)sqlite3_column_int(from, 4),
		.process = store_known(from, 5),
		.has_holder = sqlite3_column_type(from, 6) != SQLITE_NULL,
		.fd = sqlite3_column_int(from, 6),
		.crew = store_known(from, 7),
		.bits = bits_unpack(sqlite3_column_int64(from, 8)),
		.cookie = (uint64_t)sqlite3_column_int64(from, 9),
		.inode = store_known(from, 10)};
	peer_of(from, 3, ret);
	judge_bits(ret);
}

void revive_row(const struct interval_row *row, int64_t boot, struct revived_row *ret)
{
	*ret = (struct revived_row){.interval = {.closed_uptime_ns = row->closed,
						 .opened_uptime_ns = row->opened,
						 .bytes_sent = row->sent,
						 .bytes_received = row->received,
						 .socket = NONE,
						 .boot = (uint32_t)boot,
						 .by = NONE,
						 .error = row->error},
				    .peer = row->peer,
				    .bits = row->bits,
				    .cookie = row->cookie,
				    .place = row->place,
				    .exe = row->exe,
				    .process = row->process,
				    .crew = row->crew,
				    .closer = row->closer,
				    .inode = row->inode,
				    .fd = row->fd,
				    .port = row->port,
				    .peer_port = row->peer_port,
				    .has_peer = row->has_peer,
				    .has_holder = row->has_holder};
	judge_bits(ret);
}
