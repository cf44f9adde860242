/* Events to rows: one for each interval, when it has ended; what is open is kept until then. */
#include <errno.h>
#include <string.h>

#include "base/table.h"
#include "history/recorder.h"
#include "model/ends.h"

/* A socket that is bound for longer than this before it listens was two things, one after the
 * other. */
#define BOUND_BEFORE_NS UINT64_C(1000000000)
/* What the kernel takes for outgoing ports where nothing else is known. */
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_LAST 60999

/* ---- the clock ---- */

void take_clock(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, bool only_jumps)
{
	int64_t ahead = (int64_t)(time_ns - uptime_ns),
		by = recorder->has_clock ? ahead - recorder->ahead : 0;
	bool is_jump = recorder->has_clock && (by > JUMP_NS || by < -JUMP_NS);
	if (recorder->has_clock && !is_jump && (only_jumps || (by < DRIFT_NS && by > -DRIFT_NS)))
		return;
	struct clock_row *clock = vector_add(&recorder->waiting.clocks);
	if (!clock)
		return; /* the next event tries again */
	*clock = (struct clock_row){.uptime = uptime_ns, .ahead = ahead, .jump = is_jump ? by : 0};
	recorder->ahead = ahead;
	recorder->has_clock = true;
}

/* ---- what was lost ---- */

int take_gap(struct recorder *recorder, int64_t from_boot, uint64_t from, uint64_t to,
	     uint64_t lost, const char *why)
{
	struct gap_row *gap = vector_add(&recorder->waiting.gaps);
	if (!gap)
		return -ENOMEM;
	*gap = (struct gap_row){.from_boot = from_boot, .from = from, .to = to, .lost = lost};
	snprintf(gap->why, sizeof(gap->why), "%s", why ? why : "events were lost");
	return 0;
}

/* There is room for one row more; else it is dropped, and counted. */
static bool has_room(struct recorder *recorder, uint64_t uptime)
{
	if (recorder->waiting.rows.n + recorder->waiting.events.n < WAITING_ROWS)
		return true;
	recorder->state.n_dropped++;
	recorder->n_lost++;
	if (!recorder->first_lost)
		recorder->first_lost = uptime;
	return false;
}

/* ---- a socket and its holder ---- */

static void row_holder(struct recorder *recorder, const struct event *event,
		       const struct socket *socket, struct interval_row *row)
{
	const struct holder *holder = snapshot_holder(event->snapshot, socket->holder);
	if (!holder)
		return;
	row->has_holder = true;
	row->fd = holder->fd;
	row->process =
		intern_process(&recorder->intern, event->snapshot, holder->process, &row->exe);
	row->crew = intern_crew(&recorder->intern, event->snapshot, socket);
}

static void row_ends(const struct socket *socket, struct interval_row *row)
{
	row->cookie = socket->cookie;
	row->inode = socket->inode;
	row->port = socket->local_port;
	if (socket_has_peer(socket)) {
		row->has_peer = true;
		row->peer = socket->peer;
		row->peer_port = socket->peer_port;
		row->is_v4_peer = ip_is_mapped(&socket->peer);
	}
}

static uint64_t netns_of(const struct event *event, const struct socket *socket)
{
	return socket->netns < event->snapshot->netns.n
		       ? snapshot_netns(event->snapshot, socket->netns)->inode
		       : 0;
}

/* As the kernel's state says, but what is told of after its end was something before. */
static uint8_t state_of(const struct socket *socket, bool is_connection)
{
	if (socket->proto != PROTO_TCP)
		return socket->state == STATE_GONE ? STATE_UNCONN : socket->state;
	if (is_connection)
		return STATE_ESTABLISHED;
	return socket->state == STATE_UNCONN || socket->state == STATE_GONE ? STATE_BOUND
									    : socket->state;
}

/* ---- first appearances ---- */

uint64_t first_hash(uint8_t proto, uint16_t port, const char *exe)
{
	uint64_t hash = (uint64_t)proto << 16 | port;
	for (; *exe; exe++)
		hash = (hash ^ (uint8_t)*exe) * 0x100000001b3u;
	return table_mix(hash);
}

/* It was not yet known; now it is. */
bool is_first(struct recorder *recorder, uint64_t hash)
{
	uint32_t place;
	for (uint32_t i = table_find(&recorder->by_first, hash, &place); i != TABLE_NONE;
	     i = table_next(&recorder->by_first, hash, &place))
		if (*(uint64_t *)vector_at(&recorder->firsts, i) == hash)
			return false;
	uint64_t *added = vector_add(&recorder->firsts);
	if (!added)
		return false;
	*added = hash;
	if (table_add(&recorder->by_first, hash, recorder->firsts.n - 1) == 0)
		return true;
	recorder->firsts.n--;
	return false;
}

/* A listener, or what is bound by number and has no peer. */
static bool is_door(const struct event *event, const struct socket *socket, uint8_t state)
{
	if (!socket->local_port || socket->proto == PROTO_RAW || socket_has_peer(socket))
		return false;
	if (state == STATE_LISTEN)
		return true;
	if (state != STATE_UNCONN)
		return false;
	const struct netns *netns = socket->netns < event->snapshot->netns.n
					    ? snapshot_netns(event->snapshot, socket->netns)
					    : NULL;
	if (netns && netns->ephemeral.last)
		return !netns_port_is_ephemeral(netns, socket->local_port);
	return socket->local_port < EPHEMERAL_FIRST || socket->local_port > EPHEMERAL_LAST;
}

static void take_first(struct recorder *recorder, const struct event *event,
		       const struct socket *socket, const struct interval_row *row)
{
	const struct holder *holder = snapshot_holder(event->snapshot, socket->holder);
	const char *exe = holder ? snapshot_process(event->snapshot, holder->process)->exe : NULL;
	if (!exe || !row->exe ||
	    !is_door(event, socket, state_of(socket, row->bits.is_connection)) ||
	    !is_first(recorder, first_hash(socket->proto, socket->local_port, exe)))
		return;
	struct first_row *first = vector_add(&recorder->waiting.firsts);
	if (first)
		*first = (struct first_row){.uptime = row->opened,
					    .exe = row->exe,
					    .place = row->place,
					    .process = row->process,
					    .fd = row->fd,
					    .port = row->port,
					    .proto = socket->proto,
					    .is_exact = row->bits.opened_exact,
					    .has_holder = row->has_holder};
}

/* ---- intervals ---- */

static int close_row(struct recorder *recorder, const struct interval_row *row)
{
	if (!has_room(recorder, row->closed))
		return 0;
	struct interval_row *added = vector_add(&recorder->waiting.rows);
	if (!added)
		return -ENOMEM;
	*added = *row;
	return 0;
}

/* One that was handed twice, or after a restart: what differs is taken from the newer. */
static int take_again(struct recorder *recorder, const struct event *event, struct live *live,
		      const struct interval_row *row)
{
	live->is_of_before = false;
	bool is_other = live->row.place != row->place;
	bool is_held = row->has_holder &&
		       (row->process != live->row.process || row->crew != live->row.crew);
	if (!is_other && !is_held)
		return 0;
	if (is_other && event->kind == EVENT_OPENED &&
	    event->uptime_ns > live->row.opened + BOUND_BEFORE_NS) {
		struct interval_row ended = live->row;
		ended.closed = event->uptime_ns;
		ended.bits.closed_exact = true;
		ended.bits.closed_told_by = event->told_by;
		int r = close_row(recorder, &ended);
		if (r < 0)
			return r;
		live->row.opened = event->uptime_ns;
		live->row.bits.opened_exact = true;
	}
	live->row.place = row->place;
	if (row->has_holder) {
		live->row.has_holder = true;
		live->row.process = row->process;
		live->row.exe = row->exe;
		live->row.fd = row->fd;
		live->row.crew = row->crew;
		live->row.bits.sure = row->bits.sure;
	}
	take_first(recorder, event, event_socket(event), &live->row);
	return live_touch(&recorder->live, live);
}

static struct interval_row row_of(const struct event *event, const struct socket *socket,
				  bool is_connection)
{
	struct interval_row row = {.opened = event->uptime_ns,
				   .sent = EVENT_UNKNOWN,
				   .received = EVENT_UNKNOWN,
				   .fd = -1};
	row_ends(socket, &row);
	row.bits = (struct interval_bits){.sure = event->sure,
					  .role = socket->role,
					  .opened_told_by = event->told_by,
					  .opened_exact = event->kind != EVENT_STANDING &&
							  event->told_by != TOLD_BY_RESYNC,
					  .is_connection = is_connection};
	return row;
}

static int take_opening(struct recorder *recorder, const struct event *event, bool is_connection)
{
	const struct socket *socket = event_socket(event);
	/* Of no process, and nobody says when it ends. */
	if (event->kind == EVENT_STANDING &&
	    (socket->state == STATE_TIME_WAIT || (!socket->inode && !socket->cookie)))
		return 0;
	struct interval_row row = row_of(event, socket, is_connection);
	uint8_t state =
		event->kind == EVENT_STANDING ? socket->state : state_of(socket, is_connection);
	row.place = intern_place(&recorder->intern, event->snapshot, socket, state);
	row_holder(recorder, event, socket, &row);
	uint64_t key = live_key(socket, netns_of(event, socket), is_connection);
	struct live *live = live_find(&recorder->live, key, &row);
	if (live)
		return take_again(recorder, event, live, &row);
	live = live_add(&recorder->live, key, &row);
	if (!live)
		return -ENOMEM;
	take_first(recorder, event, socket, &row);
	return live_touch(&recorder->live, live);
}

/* What was not seen to open: as the event says when that was, else since the watching began. */
static void fill_unseen(struct recorder *recorder, const struct event *event,
			const struct socket *socket, struct interval_row *row)
{
	row->place = intern_place(&recorder->intern, event->snapshot, socket,
				  state_of(socket, row->bits.is_connection));
	uint64_t opened = event->opened_ns;
	if (!opened && event->duration_ns != EVENT_UNKNOWN &&
	    event->duration_ns <= event->uptime_ns)
		opened = event->uptime_ns - event->duration_ns;
	row->bits.opened_exact = opened != 0 && event->told_by != TOLD_BY_RESYNC;
	row->opened = opened ? opened : recorder->began;
	if (row->opened > event->uptime_ns)
		row->opened = event->uptime_ns;
}

static struct live *find_either(struct recorder *recorder, const struct event *event,
				const struct socket *socket, struct interval_row *row)
{
	uint64_t netns = netns_of(event, socket);
	bool was = row->bits.is_connection;
	struct live *live = live_find(&recorder->live, live_key(socket, netns, was), row);
	if (live || !socket->cookie)
		return live;
	row->bits.is_connection = !was;
	live = live_find(&recorder->live, live_key(socket, netns, !was), row);
	if (!live)
		row->bits.is_connection = was;
	return live;
}

static int take_closing(struct recorder *recorder, const struct event *event, bool is_connection)
{
	const struct socket *socket = event_socket(event);
	struct interval_row row = row_of(event, socket, is_connection), seen;
	struct live *live = find_either(recorder, event, socket, &row);
	if (!live && !has_room(recorder, event->uptime_ns))
		return 0;
	if (!live)
		fill_unseen(recorder, event, socket, &row);
	seen = live ? live->row : row;
	bool is_better =
		!seen.has_holder || (event->sure == SURE_EXACT && seen.bits.sure != SURE_EXACT);
	if (is_better && socket->holder != NONE) {
		row_holder(recorder, event, socket, &seen);
		seen.bits.sure = event->sure;
	}
	if (event->by != NONE) {
		uint32_t exe;
		seen.closer = intern_process(&recorder->intern, event->snapshot, event->by, &exe);
	}
	seen.closed = event->uptime_ns > seen.opened ? event->uptime_ns : seen.opened;
	seen.sent = event->bytes_sent;
	seen.received = event->bytes_received;
	seen.error = event->error;
	seen.bits.how = event->how;
	seen.bits.closed_told_by = event->told_by;
	seen.bits.closed_exact = event->told_by != TOLD_BY_RESYNC;
	if (seen.bits.role == ROLE_NONE)
		seen.bits.role = socket->role;
	if (live)
		live_remove(&recorder->live, live);
	return close_row(recorder, &seen);
}

int take_end_of_before(struct recorder *recorder, uint64_t at)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < recorder->live.all.n; i++) {
		struct live *live = vector_at(&recorder->live.all, i);
		if (!live->is_used || !live->is_of_before)
			continue;
		live->row.closed = at > live->row.opened ? at : live->row.opened;
		live->row.bits.closed_exact = false;
		live->row.bits.closed_told_by = TOLD_BY_RESYNC;
		r = close_row(recorder, &live->row);
		live_remove(&recorder->live, live);
	}
	return r;
}

/* ---- what has no length ---- */

static int take_try(struct recorder *recorder, const struct event *event)
{
	const struct socket *socket = event_socket(event);
	if (!socket || !has_room(recorder, event->uptime_ns))
		return 0;
	struct interval_row held = {.fd = -1};
	row_ends(socket, &held);
	row_holder(recorder, event, socket, &held);
	uint32_t exe, doer = 0;
	if (event->by != NONE)
		doer = intern_process(&recorder->intern, event->snapshot, event->by, &exe);
	struct event_row row = {
		.uptime = event->uptime_ns,
		.cookie = socket->cookie,
		.length = event->duration_ns,
		.peer = held.peer,
		.place = intern_place(&recorder->intern, event->snapshot, socket, socket->state),
		.process = held.process,
		.crew = held.crew,
		.doer = doer,
		.inode = socket->inode,
		.fd = held.fd,
		.way_fd = -1,
		.error = event->error,
		.port = held.port,
		.peer_port = held.peer_port,
		.kind = event->kind,
		.sure = event->sure,
		.how = event->how,
		.told_by = event->told_by,
		.error_sure = event->error_sure,
		.role = socket->role,
		.has_peer = held.has_peer,
		.is_v4_peer = held.is_v4_peer,
		.has_holder = held.has_holder};
	if (event->in_the_way != NONE && event->in_the_way < event->snapshot->sockets.n) {
		const struct socket *way = snapshot_socket(event->snapshot, event->in_the_way);
		struct interval_row way_held = {.fd = -1};
		row_holder(recorder, event, way, &way_held);
		row.has_way = true;
		row.way_place = intern_place(&recorder->intern, event->snapshot, way, way->state);
		row.way_port = way->local_port;
		row.way_process = way_held.process;
		row.way_fd = way_held.fd;
	}
	struct event_row *added = vector_add(&recorder->waiting.events);
	if (!added)
		return -ENOMEM;
	*added = row;
	return 0;
}

static int take_lost(struct recorder *recorder, const struct event *event)
{
	uint64_t from = recorder->last && recorder->last < event->uptime_ns ? recorder->last
									    : event->uptime_ns;
	if (event->duration_ns != EVENT_UNKNOWN && event->duration_ns <= event->uptime_ns &&
	    event->duration_ns)
		from = event->uptime_ns - event->duration_ns;
	if (event->kind == EVENT_GAP) {
		recorder->has_gap = true;
		if (event->duration_ns == EVENT_UNKNOWN && recorder->known &&
		    recorder->known < event->uptime_ns)
			from = recorder->known; /* since nobody recorded */
	}
	return take_gap(recorder, recorder->boot, from, event->uptime_ns, event->count, event->why);
}

/* Every source is attached: what the recorder before left open and was not met again has ended. */
static int take_started(struct recorder *recorder, const struct event *event)
{
	uint64_t known = recorder->known;
	if (recorder->has_started)
		return 0;
	recorder->has_started = true;
	if (!known && !recorder->has_gap) /* it begins with what stands: to find that took time */
		store_run(recorder->db, NULL, "UPDATE boot SET started = %lld WHERE id = %lld",
			  (long long)event->uptime_ns, (long long)recorder->boot);
	int r = take_end_of_before(recorder, known ? known : recorder->began);
	if (r < 0 || !known || recorder->has_gap)
		return r;
	return take_gap(recorder, recorder->boot,
			known < event->uptime_ns ? known : event->uptime_ns, event->uptime_ns,
			EVENT_UNKNOWN,
			recorder->before.pid ? "the recorder ended unexpectedly"
					     : "the recorder was stopped");
}

static int take_kind(struct recorder *recorder, const struct event *event)
{
	switch ((enum event_kind)event->kind) {
	case EVENT_OPENED:
		return event_socket(event) ? take_opening(recorder, event, false) : 0;
	case EVENT_ESTABLISHED:
		return event_socket(event) ? take_opening(recorder, event, true) : 0;
	case EVENT_STANDING:
		return event_socket(event) ? take_opening(recorder, event,
							  socket_is_connection(event_socket(event)))
					   : 0;
	case EVENT_CLOSED:
		return event_socket(event) ? take_closing(recorder, event, false) : 0;
	case EVENT_ENDED:
		return event_socket(event) ? take_closing(recorder, event, true) : 0;
	case EVENT_REFUSED:
	case EVENT_CONNECT_FAILED:
		return take_try(recorder, event);
	case EVENT_LOST:
	case EVENT_GAP:
		return take_lost(recorder, event);
	case EVENT_STARTED:
		return take_started(recorder, event);
	case EVENT_KNOCK: /* counted by who watches, not kept */
	case EVENT_MAX:
		break;
	}
	return 0;
}

static int write_some(struct recorder *recorder, uint64_t uptime_ns)
{
	if (recorder->waiting.rows.n + recorder->waiting.events.n < BATCH_ROWS || recorder->is_full)
		return 0;
	int r = write_all(recorder, uptime_ns, NULL);
	return r == -ENOMEM ? r : 0; /* the next turn tells of what else there is */
}

int take_event(struct event_sink *sink, const struct event *event)
{
	struct recorder *recorder = (struct recorder *)sink;
	/* what came before this one: up to there the mark is */
	int r = write_some(recorder, event->uptime_ns);
	if (r < 0)
		return r;
	take_clock(recorder, event->time_ns, event->uptime_ns, false);
	r = take_kind(recorder, event);
	recorder->state.n_events++;
	if (event->uptime_ns > recorder->last)
		recorder->last = event->uptime_ns;
	if (!recorder->waiting_since && write_has_some(recorder))
		recorder->waiting_since = event->uptime_ns;
	return r;
}
