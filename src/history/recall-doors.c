/* Doors over time: which appeared first when, what changed, what nobody uses. */
#include <errno.h>
#include <string.h>

#include "base/table.h"
#include "history/recall.h"
#include "model/ends.h"
#include "model/filter.h"

#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_LAST 60999

/* ---- first appearances ---- */

static int first_of(struct answering *answering, sqlite3_stmt *from, struct error *err)
{
	struct revival *revival = &answering->revival;
	struct revived_row row = {.port = (uint16_t)sqlite3_column_int(from, 0),
				  .place = (uint32_t)sqlite3_column_int64(from, 4),
				  .process = (uint32_t)sqlite3_column_int64(from, 5),
				  .has_holder = sqlite3_column_type(from, 6) != SQLITE_NULL,
				  .fd = sqlite3_column_int(from, 6)};
	const struct moment at = {.boot = sqlite3_column_int64(from, 1),
				  .uptime = (uint64_t)sqlite3_column_int64(from, 2)};
	if (moment_is_before(&at, &answering->from) || moment_is_before(&answering->until, &at))
		return 0;
	uint32_t n_holders = revival->snapshot->holders.n, index = revive_socket(revival, &row);
	if (index == NONE)
		return answer_broken(answering, err);
	if (!filter_match(answering->recall->filter, revival->snapshot, index)) {
		revive_undo(revival, index, n_holders);
		return 0;
	}
	struct first_seen *first = vector_add(&answering->ret->firsts);
	if (!first)
		return answer_broken(answering, err);
	*first =
		(struct first_seen){.time_ns = archive_time(answering->archive, at.boot, at.uptime),
				    .is_exact = sqlite3_column_int(from, 3) == 1,
				    .socket = index};
	return 0;
}

/* The newest, where there are more than are wanted. */
static void cut_firsts(struct answering *answering)
{
	struct vector *firsts = &answering->ret->firsts;
	if (firsts->n <= answering->limit)
		return;
	uint32_t more = firsts->n - answering->limit;
	memmove(firsts->data, vector_at(firsts, more), (size_t)answering->limit * firsts->size);
	firsts->n = answering->limit;
	answering->is_cut = true;
}

int recall_first_seen(struct archive *archive, const struct recall *recall, struct remembered *ret,
		      struct error *err)
{
	cleanup(answering_done) struct answering answering = {.archive = NULL};
	cleanup(statement_free) sqlite3_stmt *all = NULL;
	int r = answering_init(&answering, archive, recall, ret, err);
	if (r >= 0)
		r = store_prepare(archive->db, &all, err,
				  "SELECT port, boot, uptime, is_exact, place, process, fd"
				  " FROM first_seen WHERE port BETWEEN %u AND %u"
				  " ORDER BY boot, uptime, port",
				  answering.narrow.port_first, answering.narrow.port_last);
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(all)) == SQLITE_ROW)
		r = first_of(&answering, all, err);
	if (r >= 0 && code != SQLITE_DONE)
		r = store_error(archive->db, code, err, "read");
	if (r < 0)
		return r;
	cut_firsts(&answering);
	return answer_seal(&answering, err);
}

/* ---- the doors of a moment ---- */

struct door {
	struct revived_row row;
	uint32_t socket; /* index */
	uint32_t next;	 /* of the same port; NONE: it is the last */
	uint32_t last;	 /* of its port; only of the first one */
};

struct doors {
	struct answering *answering;
	struct vector all;  /* struct door */
	struct table table; /* the first of each port: some have thousands */
	uint64_t at;
	bool only_tcp;
};

static const struct socket *socket_of(const struct doors *doors, uint32_t index)
{
	const struct door *door = vector_at(&doors->all, index);
	return snapshot_socket(doors->answering->revival.snapshot, door->socket);
}

/* Of a port in a namespace, whatever its address. */
static uint64_t port_key(const struct socket *socket)
{
	return (uint64_t)socket->netns << 32 | (uint32_t)socket->local_port << 8 | socket->proto;
}

static uint64_t door_key(const void *owner, uint32_t index)
{
	return port_key(socket_of(owner, index));
}

static struct door *door_at(const struct doors *doors, uint32_t index)
{
	return vector_at(&doors->all, index);
}

/* NONE: there is none. */
static uint32_t first_of_port(const struct doors *doors, const struct socket *socket)
{
	uint32_t place;
	uint64_t key = port_key(socket);
	uint32_t i = table_find(&doors->table, key, &place);
	while (i != TABLE_NONE && door_key(doors, i) != key)
		i = table_next(&doors->table, key, &place);
	return i == TABLE_NONE ? NONE : i;
}

static int put_door(struct doors *doors, const struct revived_row *row, uint32_t socket)
{
	struct door *door = vector_add(&doors->all);
	uint32_t index = doors->all.n - 1;
	if (!door)
		return -ENOMEM;
	*door = (struct door){.row = *row, .socket = socket, .next = NONE, .last = index};
	uint32_t first = first_of_port(doors, socket_of(doors, index));
	if (first == NONE)
		return table_add(&doors->table, door_key(doors, index), index);
	door_at(doors, door_at(doors, first)->last)->next = index;
	door_at(doors, first)->last = index;
	return 0;
}

static void doors_init(struct doors *doors, struct answering *answering)
{
	*doors = (struct doors){.answering = answering};
	vector_init(&doors->all, sizeof(struct door));
	table_init(&doors->table, door_key, doors);
}

static void doors_done(struct doors *doors)
{
	vector_done(&doors->all);
	table_done(&doors->table);
}

static bool is_door(const struct snapshot *snapshot, const struct socket *socket)
{
	if (!socket_is_server(socket))
		return false;
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	if (socket->state == STATE_LISTEN)
		return true;
	if (netns && netns->ephemeral.last)
		return !netns_port_is_ephemeral(netns, socket->local_port);
	return socket->local_port < EPHEMERAL_FIRST || socket->local_port > EPHEMERAL_LAST;
}

static int keep_door(void *data, struct revived_row *row)
{
	struct doors *doors = data;
	struct answering *answering = doors->answering;
	struct revival *revival = &answering->revival;
	if (row->has_peer || row->interval.opened_uptime_ns > doors->at)
		return 0;
	uint32_t n_holders = revival->snapshot->holders.n, index = revive_socket(revival, row);
	if (index == NONE)
		return revival->error ? revival->error : -EBADMSG;
	const struct socket *socket = snapshot_socket(revival->snapshot, index);
	if (!is_door(revival->snapshot, socket) ||
	    (doors->only_tcp && socket->proto != PROTO_TCP) ||
	    !filter_match(answering->recall->filter, revival->snapshot, index)) {
		revive_undo(revival, index, n_holders);
		return 0;
	}
	return put_door(doors, row, index);
}

static int doors_at(struct doors *doors, const struct moment *at, struct error *err)
{
	struct answering *answering = doors->answering;
	struct archive *archive = answering->archive;
	const struct vector *boots = &archive->boots;
	const struct boot *last = boots->n ? vector_at(boots, boots->n - 1) : NULL;
	struct narrow narrow = answering->narrow;
	int r = 0;
	narrow.only_without_peer = true; /* what has a peer is no door */
	doors->at = at->uptime;
	if (last && last->id == at->boot)
		r = search_open(archive, at->boot, &narrow, keep_door, doors, err);
	for (uint32_t i = archive->parts.n; r == 0 && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		if (part->boot == at->boot)
			r = search_at(archive, part, at->uptime, &narrow, keep_door, doors, err);
	}
	if (r == answering->revival.error || r == -ENOMEM)
		return r ? answer_broken(answering, err) : 0;
	return r;
}

/* ---- what changed ---- */

#define PUBLIC 3

static unsigned width(const struct socket *socket)
{
	switch (ip_reach(&socket->local)) {
	case REACH_LOOPBACK:
		return 0;
	case REACH_LINK_LOCAL:
		return 1;
	case REACH_PRIVATE:
	case REACH_SHARED:
		return 2;
	default:
		return PUBLIC;
	}
}

static uint32_t find_door(const struct doors *doors, const struct socket *socket, bool same_address)
{
	uint32_t i = first_of_port(doors, socket);
	while (i != NONE && same_address && !ip_equal(&socket_of(doors, i)->local, &socket->local))
		i = door_at(doors, i)->next;
	return i;
}

static bool is_opened_before(const struct revived_row *a, const struct revived_row *b)
{
	if (a->interval.boot != b->interval.boot)
		return a->interval.boot < b->interval.boot;
	return a->interval.opened_uptime_ns < b->interval.opened_uptime_ns;
}

/* The one of that address that was opened first. */
static const struct door *first_door(const struct doors *doors, const struct socket *socket)
{
	const struct door *first = NULL, *door;
	for (uint32_t i = first_of_port(doors, socket); i != NONE; i = door->next) {
		door = door_at(doors, i);
		if (ip_equal(&socket_of(doors, i)->local, &socket->local) &&
		    (!first || is_opened_before(&door->row, &first->row)))
			first = door;
	}
	return first;
}

/* The one of that port, or of that address too, that was opened last before @row was; NULL: there
 * is none. */
static const struct door *door_before(const struct doors *doors, const struct socket *socket,
				      const struct revived_row *row, bool same_address)
{
	const struct door *last = NULL, *door;
	for (uint32_t i = first_of_port(doors, socket); i != NONE; i = door->next) {
		door = door_at(doors, i);
		if ((same_address && !ip_equal(&socket_of(doors, i)->local, &socket->local)) ||
		    !is_opened_before(&door->row, row))
			continue;
		if (!last || is_opened_before(&last->row, &door->row))
			last = door;
	}
	return last;
}

/* The widest of that port; -1: there is none. */
static int widest(const struct doors *doors, const struct socket *socket)
{
	int found = -1;
	for (uint32_t i = first_of_port(doors, socket); i != NONE; i = door_at(doors, i)->next)
		if ((int)width(socket_of(doors, i)) > found)
			found = (int)width(socket_of(doors, i));
	return found;
}

static const char *exe_of(const struct doors *doors, uint32_t index)
{
	const struct snapshot *snapshot = doors->answering->revival.snapshot;
	const struct holder *holder = snapshot_holder(snapshot, socket_of(doors, index)->holder);
	return holder ? snapshot_process(snapshot, holder->process)->exe : NULL;
}

static uint32_t index_of(const struct doors *doors, const struct door *door)
{
	return (uint32_t)(door - (const struct door *)doors->all.data);
}

static int add_change(struct answering *answering, enum door_change_kind kind,
		      const struct door *door, const struct door *before)
{
	uint32_t interval = answer_interval(answering, &door->row), old = NONE;
	if (interval != NONE && before)
		old = answer_interval(answering, &before->row);
	struct door_change *change = vector_add(&answering->ret->changes);
	if (interval == NONE || (before && old == NONE) || !change)
		return -ENOMEM;
	const struct interval *of = vector_at(&answering->ret->intervals, interval);
	*change = (struct door_change){.time_ns = kind == DOOR_GONE ? of->closed_ns : of->opened_ns,
				       .interval = interval,
				       .before = old,
				       .kind = (uint8_t)kind};
	return 0;
}

/* It was not there before: what came and went meanwhile on its port was, first. */
static int tell_new(const struct doors *now, const struct doors *passing, uint32_t index)
{
	struct answering *answering = now->answering;
	const struct door *door = vector_at(&now->all, index);
	const struct socket *socket = socket_of(now, index);
	const struct door *same = door_before(passing, socket, &door->row, true),
			  *other = door_before(passing, socket, &door->row, false);
	if (!same && other && width(socket) == PUBLIC && widest(passing, socket) < PUBLIC)
		return add_change(answering, DOOR_PUBLIC, door, other);
	const char *exe = exe_of(now, index),
		   *old = same ? exe_of(passing, index_of(passing, same)) : NULL;
	if (!exe || !old || exe == old)
		return add_change(answering, DOOR_NEW, door, NULL);
	int r = add_change(answering, DOOR_NEW, first_door(passing, socket), NULL);
	return r < 0 ? r : add_change(answering, DOOR_HOLDER, door, same);
}

static int compare_later(const struct doors *before, const struct doors *now,
			 const struct doors *passing, uint32_t index)
{
	const struct door *door = vector_at(&now->all, index);
	const struct socket *socket = socket_of(now, index);
	uint32_t same = find_door(before, socket, true);
	if (find_door(now, socket, true) != index && find_door(now, socket, true) < index)
		return 0; /* another of the same address told it */
	if (same == NONE) {
		int was = widest(before, socket);
		bool is_public = was >= 0 && was < PUBLIC && width(socket) == PUBLIC;
		uint32_t old = is_public ? find_door(before, socket, false) : NONE;
		if (was < 0)
			return tell_new(now, passing, index);
		return add_change(now->answering, is_public ? DOOR_PUBLIC : DOOR_NEW, door,
				  old == NONE ? NULL : vector_at(&before->all, old));
	}
	const char *exe = exe_of(now, index);
	for (uint32_t i = same; i != NONE; i = door_at(before, i)->next)
		if (ip_equal(&socket_of(before, i)->local, &socket->local) &&
		    exe_of(before, i) == exe)
			return 0; /* one of those that held it holds it still */
	const char *old = exe_of(before, same);
	if (!exe || !old)
		return 0; /* it is not known that they differ */
	return add_change(now->answering, DOOR_HOLDER, door, vector_at(&before->all, same));
}

/* What came and went in between is new, and gone. */
static int add_passing(struct doors *passing, const struct doors *before, const struct doors *now)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < passing->all.n; i++) {
		const struct socket *socket = socket_of(passing, i);
		const struct door *door = vector_at(&passing->all, i);
		if (find_door(before, socket, true) != NONE ||
		    find_door(now, socket, true) != NONE || find_door(passing, socket, true) < i)
			continue;
		r = add_change(passing->answering, DOOR_NEW, door, NULL);
		if (r >= 0)
			r = add_change(passing->answering, DOOR_GONE, door, NULL);
	}
	return r;
}

/* The newest, where there are more than are wanted. */
static void cut_changes(struct answering *answering)
{
	struct vector *changes = &answering->ret->changes;
	if (changes->n <= answering->limit)
		return;
	uint32_t more = changes->n - answering->limit;
	memmove(changes->data, vector_at(changes, more), (size_t)answering->limit * changes->size);
	changes->n = answering->limit;
	answering->is_cut = true;
}

static int compare_changes(const void *a, const void *b)
{
	const struct door_change *x = a, *y = b;
	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static int compare_doors(struct answering *answering, const struct doors *before,
			 const struct doors *now, struct doors *passing)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < now->all.n; i++)
		r = compare_later(before, now, passing, i);
	for (uint32_t i = 0; r >= 0 && i < before->all.n; i++) {
		const struct door *door = vector_at(&before->all, i);
		const struct socket *socket = socket_of(before, i);
		if (find_door(now, socket, true) == NONE && find_door(before, socket, true) >= i)
			r = add_change(answering, DOOR_GONE, door, NULL);
	}
	if (r >= 0)
		r = add_passing(passing, before, now);
	struct vector *changes = &answering->ret->changes;
	if (changes->n)
		qsort(changes->data, changes->n, sizeof(struct door_change), compare_changes);
	cut_changes(answering);
	return r;
}

/* All that ended within the span. */
static int doors_within(struct doors *doors, struct error *err)
{
	struct answering *answering = doors->answering;
	struct archive *archive = answering->archive;
	int r = 0;
	doors->at = UINT64_MAX;
	for (uint32_t i = archive->parts.n; r == 0 && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		struct narrow narrow = answering->narrow;
		if (part->boot < answering->from.boot || part->boot > answering->until.boot)
			continue;
		narrow.only_without_peer = true;
		r = search_part(archive, part,
				part->boot == answering->from.boot ? answering->from.uptime : 0,
				part->boot == answering->until.boot ? answering->until.uptime
								    : UINT64_MAX,
				&narrow, keep_door, doors, err);
	}
	if (r == answering->revival.error || r == -ENOMEM)
		return r ? answer_broken(answering, err) : 0;
	return r;
}

static struct moment latest(const struct answering *answering)
{
	const struct vector *boots = &answering->archive->boots;
	const struct boot *last = boots->n ? vector_at(boots, boots->n - 1) : NULL;
	if (answering->recall->until_ns)
		return answering->until;
	return (struct moment){.boot = last ? last->id : 0, .uptime = INT64_MAX};
}

int recall_changes(struct archive *archive, const struct recall *recall, struct remembered *ret,
		   struct error *err)
{
	cleanup(answering_done) struct answering answering = {.archive = NULL};
	cleanup(doors_done) struct doors before = {.at = 0}, now = {.at = 0}, passing = {.at = 0};
	doors_init(&before, &answering);
	doors_init(&now, &answering);
	doors_init(&passing, &answering);
	int r = answering_init(&answering, archive, recall, ret, err);
	struct moment end = r >= 0 ? latest(&answering) : answering.until;
	/* Before the record there was nothing that is known: what stood at its beginning is not
	 * new.
	 */
	if (r >= 0 && !answering.from.boot && archive->boots.n) {
		const struct boot *first = vector_at(&archive->boots, 0);
		answering.from = (struct moment){.boot = first->id, .uptime = first->started};
	}
	if (r >= 0)
		r = doors_at(&before, &answering.from, err);
	if (r >= 0)
		r = doors_at(&now, &end, err);
	if (r >= 0)
		r = doors_within(&passing, err);
	if (r >= 0 && compare_doors(&answering, &before, &now, &passing) < 0)
		r = answer_broken(&answering, err);
	if (r >= 0)
		r = answer_gaps(&answering, err);
	return r >= 0 ? answer_seal(&answering, err) : r;
}

/* ---- what nobody uses ---- */

struct use {
	struct answering *answering;
	const struct socket *listener;
	uint64_t used; /* uptime of the end of the newest; UINT64_MAX: one is open */
	bool is_found;
};

static int find_use(void *data, struct revived_row *row)
{
	struct use *use = data;
	struct revival *revival = &use->answering->revival;
	if (!row->has_peer || !row->peer_port)
		return 0;
	struct socket listener = *use->listener; /* reviving may move it */
	uint32_t n_holders = revival->snapshot->holders.n, index = revive_socket(revival, row);
	if (index == NONE)
		return revival->error ? revival->error : -EBADMSG;
	bool is_use = listener_takes(&listener, snapshot_socket(revival->snapshot, index)) &&
		      row->bits.role != ROLE_DIALLED;
	revive_undo(revival, index, n_holders);
	if (!is_use)
		return 0;
	use->is_found = true;
	use->used = row->interval.closed_uptime_ns ? row->interval.closed_uptime_ns : UINT64_MAX;
	return 1;
}

/* The last connection that it took: Unix ns; now where one is open, 0 where none is known. */
static int last_use(struct answering *answering, const struct socket *listener, uint64_t *ret,
		    struct error *err)
{
	struct archive *archive = answering->archive;
	struct socket copy = *listener;
	struct use use = {.answering = answering, .listener = &copy};
	struct narrow narrow;
	const struct boot *last = vector_at(&archive->boots, archive->boots.n - 1);
	narrow_to_port(&narrow, copy.local_port);
	*ret = 0;
	int r = search_open(archive, last->id, &narrow, find_use, &use, err);
	if (use.is_found)
		*ret = answering->recall->now_ns;
	for (uint32_t i = archive->parts.n; r == 0 && !use.is_found && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		r = search_part(archive, part, 0, UINT64_MAX, &narrow, find_use, &use, err);
		if (use.is_found)
			*ret = archive_time(archive, part->boot, use.used);
	}
	return r < 0 ? r : 0;
}

static int compare_idle(const void *a, const void *b)
{
	const struct idle_door *x = a, *y = b;
	return (x->used_ns > y->used_ns) - (x->used_ns < y->used_ns);
}

static int add_idle(struct doors *doors, uint32_t index, uint64_t before_ns, struct error *err)
{
	struct answering *answering = doors->answering;
	const struct door *door = vector_at(&doors->all, index);
	uint64_t used, opened = archive_time(answering->archive, door->row.interval.boot,
					     door->row.interval.opened_uptime_ns);
	if (opened > before_ns)
		return 0; /* it is not that old */
	int r = last_use(answering, socket_of(doors, index), &used, err);
	if (r < 0 || used > before_ns)
		return r;
	uint32_t interval = answer_interval(answering, &door->row);
	struct idle_door *idle = vector_add(&answering->ret->idle);
	if (interval == NONE || !idle)
		return answer_broken(answering, err);
	*idle = (struct idle_door){.used_ns = used, .interval = interval};
	return 0;
}

int recall_idle(struct archive *archive, const struct recall *recall, uint64_t idle_ns,
		struct remembered *ret, struct error *err)
{
	cleanup(answering_done) struct answering answering = {.archive = NULL};
	cleanup(doors_done) struct doors now = {.at = 0};
	doors_init(&now, &answering);
	int r = answering_init(&answering, archive, recall, ret, err);
	now.only_tcp = true;
	struct moment end = r >= 0 ? latest(&answering) : answering.until;
	uint64_t before_ns = recall->now_ns > idle_ns ? recall->now_ns - idle_ns : 0;
	if (r >= 0)
		r = doors_at(&now, &end, err);
	for (uint32_t i = 0; r >= 0 && i < now.all.n; i++)
		r = add_idle(&now, i, before_ns, err);
	if (r >= 0 && ret->idle.n)
		qsort(ret->idle.data, ret->idle.n, sizeof(struct idle_door), compare_idle);
	if (r < 0)
		return r;
	/* What of that time is not known is told, as of a span. */
	answering.from = archive_moment(archive, before_ns);
	const struct recall span = {.since_ns = before_ns, .now_ns = recall->now_ns};
	answering.recall = &span;
	return answer_seal(&answering, err);
}
