/* What a history remembers, as CSV (RFC 4180, lines end in \n). */
#include <errno.h>
#include <string.h>

#include "view/csv.h"
#include "view/history-cell.h"

/* Of the socket, by the registry, behind what is its own. */
static const char *const names[] = {"proto", "address", "port",	   "peer", "peer_port",
				    "state", "reach",	"process", "pid",  "process_user",
				    "exe",   "unit",	"netns"};

struct row {
	struct out *out;
	struct out cell;			       /* in memory */
	const struct field *fields[ARRAY_SIZE(names)]; /* NULL: it has none of that name */
	bool is_first;
};

static void end_cell(struct row *row)
{
	if (!row->is_first)
		out_char(row->out, ',');
	row->is_first = false;
	csv_cell(row->out, row->cell.data, row->cell.n);
	row->cell.n = 0;
}

static void put_time(struct row *row, uint64_t ns)
{
	char text[RFC3339_MAX];
	if (ns)
		out_bytes(&row->cell, text, calendar_rfc3339(text, ns, &zone_utc, 9));
	end_cell(row);
}

static void put_text(struct row *row, const char *text)
{
	out_string(&row->cell, text);
	end_cell(row);
}

static void put_number(struct row *row, uint64_t number)
{
	if (number != EVENT_UNKNOWN)
		out_u64(&row->cell, number);
	end_cell(row);
}

static void put_seconds(struct row *row, uint64_t ns)
{
	if (ns != EVENT_UNKNOWN)
		out_format(&row->cell, "%llu.%09u", (unsigned long long)(ns / NS_PER_SECOND),
			   (unsigned)(ns % NS_PER_SECOND));
	end_cell(row);
}

static void put_socket(struct row *row, const struct snapshot *snapshot, uint32_t socket)
{
	const struct record record = history_record(snapshot, socket);
	char scratch[256];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct field *field = row->fields[i];
		struct value value = {.scratch = scratch};
		if (field && (field->of != OF_HOLDER || record.process)) {
			field->get(&record, &value);
			if (value.kind != VALUE_NULL)
				value_text(&row->cell, &value);
		}
		end_cell(row);
	}
	out_char(row->out, '\n');
	row->is_first = true;
}

static void put_titles(struct out *out, const char *own)
{
	out_string(out, own);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		out_format(out, ",%s", names[i]);
	out_char(out, '\n');
}

static void put_interval(struct row *row, const struct remembered *remembered,
			 const struct interval *interval)
{
	put_time(row, interval->opened_ns);
	put_time(row, interval->closed_ns);
	put_text(row, interval->opened_exact ? "true" : "false");
	put_text(row, !interval->closed_ns ? "" : interval->closed_exact ? "true" : "false");
	put_seconds(row, interval->duration_ns);
	put_number(row, interval->bytes_sent);
	put_number(row, interval->bytes_received);
	put_text(row, how_words[interval->how]);
	put_text(row, sure_words[interval->sure]);
	put_socket(row, remembered->snapshot, interval->socket);
}

#define INTERVAL_TITLES \
	"opened,closed,opened_exact,closed_exact,duration,bytes_sent,bytes_received,how,sure"

static void put_intervals(struct row *row, const struct remembered *remembered)
{
	put_titles(row->out, INTERVAL_TITLES);
	for (uint32_t i = 0; i < remembered->intervals.n; i++)
		put_interval(row, remembered, vector_at(&remembered->intervals, i));
}

static void put_firsts(struct row *row, const struct remembered *remembered)
{
	put_titles(row->out, "first_seen,first_seen_exact");
	for (uint32_t i = 0; i < remembered->firsts.n; i++) {
		const struct first_seen *first = vector_at(&remembered->firsts, i);
		put_time(row, first->time_ns);
		put_text(row, first->is_exact ? "true" : "false");
		put_socket(row, remembered->snapshot, first->socket);
	}
}

static void put_changes(struct row *row, const struct remembered *remembered)
{
	put_titles(row->out, "time,change," INTERVAL_TITLES);
	for (uint32_t i = 0; i < remembered->changes.n; i++) {
		const struct door_change *change = vector_at(&remembered->changes, i);
		put_time(row, change->time_ns);
		put_text(row, door_change_words[change->kind]);
		put_interval(row, remembered, vector_at(&remembered->intervals, change->interval));
	}
}

static void put_idle(struct row *row, const struct remembered *remembered)
{
	put_titles(row->out, "last_used," INTERVAL_TITLES);
	for (uint32_t i = 0; i < remembered->idle.n; i++) {
		const struct idle_door *idle = vector_at(&remembered->idle, i);
		put_time(row, idle->used_ns);
		put_interval(row, remembered, vector_at(&remembered->intervals, idle->interval));
	}
}

int history_csv(struct out *out, const struct history_show *show, enum history_question question)
{
	static void (*const put[])(struct row *, const struct remembered *) = {
		[HISTORY_INTERVALS] = put_intervals,
		[HISTORY_FIRST_SEEN] = put_firsts,
		[HISTORY_CHANGES] = put_changes,
		[HISTORY_IDLE] = put_idle,
	};
	struct row row = {.out = out, .is_first = true};
	int r = out_init(&row.cell, -1);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		row.fields[i] = field_find(names[i]);
	put[question](&row, show->remembered);
	r = row.cell.error;
	out_done(&row.cell);
	return r;
}
