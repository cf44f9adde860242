/* What happened, told again as events in order; and what a file is. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "history/recall.h"

/* An end of an interval, an event or a gap. */
struct told {
	uint64_t uptime;
	int64_t boot;
	uint32_t index;
	uint8_t kind; /* enum event_kind */
};

static int compare_told(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	if (x->boot != y->boot)
		return x->boot < y->boot ? -1 : 1;
	if (x->uptime != y->uptime)
		return x->uptime < y->uptime ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

struct replay {
	struct answering answering;
	struct vector all; /* struct told */
	struct moment from, until;
	struct event_sink *sink;
};

static void replay_done(struct replay *replay)
{
	vector_done(&replay->all);
	answering_done(&replay->answering);
}

static int tell(struct replay *replay, const struct moment *at, enum event_kind kind,
		uint32_t index)
{
	if (moment_is_before(at, &replay->from) || moment_is_before(&replay->until, at))
		return 0;
	struct told *told = vector_add(&replay->all);
	if (!told)
		return -ENOMEM;
	*told = (struct told){
		.uptime = at->uptime, .boot = at->boot, .index = index, .kind = (uint8_t)kind};
	return 0;
}

static int collect(struct replay *replay)
{
	struct answering *answering = &replay->answering;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < answering->rows.n; i++) {
		const struct revived_row *row = vector_at(&answering->rows, i);
		const struct interval *interval = &row->interval;
		uint32_t index = answer_interval(answering, row);
		bool is_connection = row->bits.is_connection,
		     is_seen = interval->opened_exact || interval->opened_told_by == TOLD_BY_RESYNC;
		if (index == NONE)
			return -ENOMEM;
		const struct moment opened = {interval->boot, interval->opened_uptime_ns},
				    closed = {interval->boot, interval->closed_uptime_ns};
		if (is_seen)
			r = tell(replay, &opened, is_connection ? EVENT_ESTABLISHED : EVENT_OPENED,
				 index);
		if (r >= 0 && closed.uptime)
			r = tell(replay, &closed, is_connection ? EVENT_ENDED : EVENT_CLOSED,
				 index);
	}
	return r;
}

/* Events have no boot of their own: as their time says. */
static int collect_events(struct replay *replay)
{
	struct answering *answering = &replay->answering;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < answering->ret->events.n; i++) {
		const struct event *event = vector_at(&answering->ret->events, i);
		const struct moment at = {archive_moment(answering->archive, event->time_ns).boot,
					  event->uptime_ns};
		r = tell(replay, &at, event->kind, i);
	}
	for (uint32_t i = 0; r >= 0 && i < answering->ret->gaps.n; i++) {
		const struct gap *gap = vector_at(&answering->ret->gaps, i);
		const struct moment at = archive_moment(answering->archive, gap->to_ns);
		r = tell(replay, &at, gap->from_ns == gap->to_ns ? EVENT_LOST : EVENT_GAP, i);
	}
	return r;
}

static struct event of_gap(const struct replay *replay, const struct told *told)
{
	const struct gap *gap = vector_at(&replay->answering.ret->gaps, told->index);
	return (struct event){.time_ns = gap->to_ns,
			      .uptime_ns = told->uptime,
			      .duration_ns = gap->to_ns - gap->from_ns,
			      .count = gap->lost,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = told->kind,
			      .why = gap->why,
			      .snapshot = replay->answering.ret->snapshot,
			      .socket = NONE,
			      .by = NONE,
			      .in_the_way = NONE};
}

static struct event of_interval(const struct replay *replay, const struct told *told)
{
	const struct remembered *ret = replay->answering.ret;
	const struct interval *interval = vector_at(&ret->intervals, told->index);
	bool is_end = told->kind == EVENT_ENDED || told->kind == EVENT_CLOSED;
	struct event event = {.time_ns = is_end ? interval->closed_ns : interval->opened_ns,
			      .uptime_ns = told->uptime,
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = told->kind,
			      .sure = interval->sure,
			      .told_by =
				      is_end ? interval->closed_told_by : interval->opened_told_by,
			      .snapshot = ret->snapshot,
			      .socket = interval->socket,
			      .by = NONE,
			      .in_the_way = NONE};
	if (!is_end)
		return event;
	event.by = interval->by;
	event.how = interval->how;
	event.error = interval->error;
	event.bytes_sent = interval->bytes_sent;
	event.bytes_received = interval->bytes_received;
	if (interval->opened_exact) {
		event.opened_ns = interval->opened_uptime_ns;
		event.duration_ns = interval->duration_ns;
	}
	return event;
}

static int hand(struct replay *replay)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < replay->all.n; i++) {
		const struct told *told = vector_at(&replay->all, i);
		const struct remembered *ret = replay->answering.ret;
		struct event event;
		if (told->kind == EVENT_GAP || told->kind == EVENT_LOST)
			event = of_gap(replay, told);
		else if (told->kind == EVENT_REFUSED || told->kind == EVENT_CONNECT_FAILED)
			event = *(const struct event *)vector_at(&ret->events, told->index);
		else
			event = of_interval(replay, told);
		r = replay->sink->event(replay->sink, &event);
	}
	return r;
}

int recall_replay(struct archive *archive, const struct recall *recall, uint64_t until_uptime_ns,
		  struct event_sink *sink, struct error *err)
{
	cleanup(remembered_done) struct remembered remembered;
	remembered_init(&remembered);
	cleanup(replay_done) struct replay replay = {.sink = sink};
	vector_init(&replay.all, sizeof(struct told));
	struct recall all = *recall;
	all.limit = 0;
	int r = answering_init(&replay.answering, archive, &all, &remembered, err);
	const struct boot *last = NULL;
	if (r >= 0 && archive->boots.n)
		last = vector_at(&archive->boots, archive->boots.n - 1);
	replay.from = replay.answering.from;
	replay.until = replay.answering.until;
	if (last && until_uptime_ns != UINT64_MAX)
		replay.until = (struct moment){.boot = last->id, .uptime = until_uptime_ns};
	if (r >= 0)
		r = answer_rows(&replay.answering, err);
	if (r >= 0 && collect(&replay) < 0)
		r = answer_broken(&replay.answering, err);
	if (r >= 0)
		r = answer_events(&replay.answering, err);
	if (r >= 0)
		r = answer_gaps(&replay.answering, err);
	if (r >= 0)
		r = answer_seal(&replay.answering, err);
	if (r >= 0 && collect_events(&replay) < 0)
		r = answer_broken(&replay.answering, err);
	if (r < 0)
		return r;
	if (replay.all.n)
		qsort(replay.all.data, replay.all.n, sizeof(struct told), compare_told);
	return hand(&replay);
}
