/* What was open from when to when, newest first. */
#include <errno.h>
#include <string.h>

#include "history/recall.h"

#define MORE(limit) ((limit) / 8 + 64) /* so many above the limit are kept before it is cut */

/* ---- what every answer has ---- */

int answering_init(struct answering *answering, struct archive *archive,
		   const struct recall *recall, struct remembered *ret, struct error *err)
{
	*answering = (struct answering){.archive = archive,
					.recall = recall,
					.ret = ret,
					.limit = recall->limit ? recall->limit : UINT32_MAX,
					.until = {.boot = INT64_MAX, .uptime = UINT64_MAX}};
	vector_init(&answering->rows, sizeof(struct revived_row));
	int r = archive_begin(archive, err);
	if (r < 0)
		return r;
	if (recall->since_ns)
		answering->from = archive_moment(archive, recall->since_ns);
	if (recall->until_ns)
		answering->until = archive_moment(archive, recall->until_ns);
	narrow_by(&answering->narrow, archive->db, recall->filter);
	return revival_init(&answering->revival, archive, err);
}

void answering_done(struct answering *answering)
{
	if (!answering->archive)
		return;
	revival_done(&answering->revival);
	vector_done(&answering->rows);
	archive_end(answering->archive);
}

int answer_broken(struct answering *answering, struct error *err)
{
	int r = answering->revival.error ? answering->revival.error : -ENOMEM;
	return error_set(err, r, "read %s", answering->archive->path);
}

uint32_t answer_interval(struct answering *answering, const struct revived_row *row)
{
	const struct archive *archive = answering->archive;
	struct interval *interval = vector_add(&answering->ret->intervals);
	if (!interval) {
		answering->revival.error = -ENOMEM;
		return NONE;
	}
	*interval = row->interval;
	interval->opened_ns = archive_time(archive, interval->boot, interval->opened_uptime_ns);
	if (interval->closed_uptime_ns) {
		interval->closed_ns =
			archive_time(archive, interval->boot, interval->closed_uptime_ns);
		interval->duration_ns = interval->closed_uptime_ns - interval->opened_uptime_ns;
	} else {
		uint64_t now = answering->recall->now_ns;
		interval->duration_ns = now > interval->opened_ns ? now - interval->opened_ns : 0;
	}
	interval->socket = revive_socket(&answering->revival, row);
	interval->by = revive_process(&answering->revival, row->closer);
	return answering->revival.error ? NONE : answering->ret->intervals.n - 1;
}

int answer_seal(struct answering *answering, struct error *err)
{
	struct snapshot *snapshot = answering->revival.snapshot;
	struct moment until = answering->until;
	struct remembered *ret = answering->ret;
	const struct vector *boots = &answering->archive->boots;
	const struct boot *last = boots->n ? vector_at(boots, boots->n - 1) : NULL;
	if (!answering->recall->until_ns) /* until the record's end, whenever that is */
		until = (struct moment){.boot = last ? last->id : 0, .uptime = INT64_MAX};
	int r = tell_unknown(answering->archive, snapshot, &answering->from, &until,
			     answering->recall->since_ns, err);
	if (r < 0)
		return r;
	snapshot->time = (double)answering->recall->now_ns / 1e9;
	if (last && archive_tell_host(answering->archive, snapshot, last->id) < 0)
		return answer_broken(answering, err);
	if (answering->revival.error || snapshot_seal(snapshot) < 0)
		return answer_broken(answering, err);
	for (uint32_t i = 0; i < ret->events.n; i++)
		((struct event *)vector_at(&ret->events, i))->snapshot = snapshot;
	ret->is_cut = answering->is_cut;
	ret->snapshot = TAKE_POINTER(answering->revival.snapshot);
	return 0;
}

/* ---- rows ---- */

/* Newest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct interval *x = &((const struct revived_row *)a)->interval,
			      *y = &((const struct revived_row *)b)->interval;
	if (x->boot != y->boot)
		return x->boot > y->boot ? -1 : 1;
	if (x->opened_uptime_ns != y->opened_uptime_ns)
		return x->opened_uptime_ns > y->opened_uptime_ns ? -1 : 1;
	return (x->closed_uptime_ns < y->closed_uptime_ns) -
	       (x->closed_uptime_ns > y->closed_uptime_ns);
}

/* Only the newest of them stay; what opened before the last of these need not be looked at. */
static void cut(struct answering *answering)
{
	struct vector *rows = &answering->rows;
	if (rows->n)
		qsort(rows->data, rows->n, sizeof(struct revived_row), compare_rows);
	if (rows->n <= answering->limit)
		return;
	answering->is_cut = true;
	rows->n = answering->limit;
	const struct revived_row *last = vector_at(rows, rows->n - 1);
	answering->least = (int64_t)last->interval.boot == answering->boot
				   ? last->interval.opened_uptime_ns
				   : UINT64_MAX;
}

static int matches(struct answering *answering, const struct revived_row *row)
{
	struct revival *revival = &answering->revival;
	const struct filter *filter = answering->recall->filter;
	if (!filter)
		return 1;
	if (!revival_may_match(revival, row, filter))
		return revival->error;
	uint32_t n_holders = revival->snapshot->holders.n;
	uint32_t index = revive_socket(revival, row);
	if (index == NONE)
		return revival->error ? revival->error : -EBADMSG;
	bool is_match = filter_match(filter, revival->snapshot, index);
	revive_undo(revival, index, n_holders);
	return is_match;
}

static int keep(void *data, struct revived_row *row)
{
	struct answering *answering = data;
	const struct interval *interval = &row->interval;
	if (interval->opened_uptime_ns > answering->last ||
	    (interval->closed_uptime_ns && interval->closed_uptime_ns < answering->first))
		return 0;
	if (interval->opened_uptime_ns < answering->least) {
		answering->is_cut = true;
		/* Rows come in the order of their ends: none that follows opened later. */
		return interval->closed_uptime_ns &&
		       interval->closed_uptime_ns + answering->slack < answering->least;
	}
	int r = matches(answering, row);
	if (r <= 0)
		return r;
	struct revived_row *added = vector_add(&answering->rows);
	if (!added)
		return -ENOMEM;
	*added = *row;
	if (answering->limit < UINT32_MAX - MORE(answering->limit) &&
	    answering->rows.n >= answering->limit + MORE(answering->limit))
		cut(answering);
	return 0;
}

static int rows_of_boot(struct answering *answering, const struct boot *boot, bool is_newest,
			struct error *err)
{
	struct archive *archive = answering->archive;
	int r = 0;
	answering->boot = boot->id;
	answering->first = answering->from.boot == boot->id ? answering->from.uptime : 0;
	answering->last = answering->until.boot == boot->id ? answering->until.uptime : UINT64_MAX;
	if (is_newest)
		r = search_open(archive, boot->id, &answering->narrow, keep, answering, err);
	for (uint32_t i = archive->parts.n; r >= 0 && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		if (part->boot != boot->id || part->closed < answering->least)
			continue;
		answering->slack = part->slack;
		r = search_part(archive, part, answering->first, answering->last,
				&answering->narrow, keep, answering, err);
	}
	return r < 0 ? r : 0;
}

int answer_rows(struct answering *answering, struct error *err)
{
	const struct vector *boots = &answering->archive->boots;
	int r = 0;
	for (uint32_t i = boots->n; r >= 0 && i--;) {
		const struct boot *boot = vector_at(boots, i);
		if (boot->id > answering->until.boot || boot->id < answering->from.boot)
			continue;
		if (answering->rows.n >= answering->limit) {
			answering->is_cut = true;
			break;
		}
		answering->least = 0;
		r = rows_of_boot(answering, boot, i + 1 == boots->n, err);
	}
	if (r < 0)
		return r == answering->revival.error || r == -ENOMEM ? answer_broken(answering, err)
								     : r;
	cut(answering);
	return 0;
}

int recall_intervals(struct archive *archive, const struct recall *recall, struct remembered *ret,
		     struct error *err)
{
	cleanup(answering_done) struct answering answering = {.archive = NULL};
	int r = answering_init(&answering, archive, recall, ret, err);
	if (r >= 0)
		r = answer_rows(&answering, err);
	for (uint32_t i = 0; r >= 0 && i < answering.rows.n; i++)
		if (answer_interval(&answering, vector_at(&answering.rows, i)) == NONE)
			r = answer_broken(&answering, err);
	if (r >= 0)
		r = answer_events(&answering, err);
	if (r >= 0)
		r = answer_gaps(&answering, err);
	return r >= 0 ? answer_seal(&answering, err) : r;
}
