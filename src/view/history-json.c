/* What a history remembers, as one JSON object. */
#include <errno.h>
#include <string.h>

#include "view/history.h"
#include "view/json.h"
#include "view/line.h"

#define PUT(out, literal) out_bytes(out, literal, sizeof(literal) - 1)

struct writing {
	struct out *out;
	struct line *line;
	const struct remembered *remembered;
};

static void put_time(struct out *out, const char *key, uint64_t ns)
{
	char text[RFC3339_MAX];
	out_format(out, ",\"%s\":", key);
	if (!ns) {
		PUT(out, "null");
		return;
	}
	size_t n = calendar_rfc3339(text, ns, &zone_utc, 9);
	out_char(out, '"');
	out_bytes(out, text, n);
	out_char(out, '"');
}

static void put_seconds(struct out *out, const char *key, uint64_t ns)
{
	out_format(out, ",\"%s\":", key);
	if (ns == EVENT_UNKNOWN)
		PUT(out, "null");
	else
		out_format(out, "%llu.%09u", (unsigned long long)(ns / NS_PER_SECOND),
			   (unsigned)(ns % NS_PER_SECOND));
}

static void put_number(struct out *out, const char *key, uint64_t number)
{
	out_format(out, ",\"%s\":", key);
	if (number == EVENT_UNKNOWN)
		PUT(out, "null");
	else
		out_u64(out, number);
}

static void put_word(struct out *out, const char *key, const char *word)
{
	out_format(out, word && word[0] ? ",\"%s\":\"%s\"" : ",\"%s\":null", key, word);
}

static void put_bool(struct out *out, const char *key, bool is)
{
	out_format(out, ",\"%s\":%s", key, is ? "true" : "false");
}

static void put_interval(struct writing *writing, const struct interval *interval)
{
	struct out *out = writing->out;
	const struct snapshot *snapshot = writing->remembered->snapshot;
	out_char(out, '{');
	line_json_socket(writing->line, out, snapshot, interval->socket);
	put_time(out, "opened", interval->opened_ns);
	put_time(out, "closed", interval->closed_ns);
	put_bool(out, "opened_exact", interval->opened_exact);
	if (interval->closed_ns)
		put_bool(out, "closed_exact", interval->closed_exact);
	else
		put_word(out, "closed_exact", NULL);
	put_seconds(out, "duration", interval->duration_ns);
	put_number(out, "bytes_sent", interval->bytes_sent);
	put_number(out, "bytes_received", interval->bytes_received);
	put_word(out, "how", how_words[interval->how]);
	put_number(out, "errno", interval->error ? (uint64_t)interval->error : EVENT_UNKNOWN);
	put_word(out, "sure", sure_words[interval->sure]);
	PUT(out, ",\"by\":");
	line_json_process(writing->line, out, snapshot, interval->by);
	put_word(out, "source", told_by_words[interval->opened_told_by]);
	put_number(out, "boot", interval->boot);
	out_char(out, '}');
}

/* ,"key":[ and each of @vector by @put, a line each. */
static void put_list(struct writing *writing, const char *key, const struct vector *vector,
		     void (*put)(struct writing *, const void *))
{
	out_format(writing->out, ",\"%s\":[", key);
	for (uint32_t i = 0; i < vector->n; i++) {
		out_string(writing->out, i ? ",\n" : "\n");
		put(writing, vector_at(vector, i));
	}
	out_string(writing->out, vector->n ? "\n]" : "]");
}

static void put_one_interval(struct writing *writing, const void *data)
{
	put_interval(writing, data);
}

static void put_event(struct writing *writing, const void *data)
{
	line_json(writing->line, writing->out, data, NULL); /* and a newline */
}

static void put_gap(struct writing *writing, const void *data)
{
	const struct gap *gap = data;
	struct out *out = writing->out;
	PUT(out, "{\"why\":");
	json_text(out, gap->why);
	put_time(out, "from", gap->from_ns);
	put_time(out, "to", gap->to_ns);
	put_number(out, "lost", gap->lost);
	out_char(out, '}');
}

static void put_jump(struct writing *writing, const void *data)
{
	const struct clock_jump *jump = data;
	struct out *out = writing->out;
	out_format(out, "{\"by\":%.9f", (double)jump->by_ns / NS_PER_SECOND);
	put_time(out, "time", jump->time_ns);
	put_seconds(out, "uptime", jump->uptime_ns);
	out_char(out, '}');
}

static void put_first(struct writing *writing, const void *data)
{
	const struct first_seen *first = data;
	out_char(writing->out, '{');
	line_json_socket(writing->line, writing->out, writing->remembered->snapshot, first->socket);
	put_time(writing->out, "first_seen", first->time_ns);
	put_bool(writing->out, "first_seen_exact", first->is_exact);
	out_char(writing->out, '}');
}

static void put_change(struct writing *writing, const void *data)
{
	const struct door_change *change = data;
	const struct vector *intervals = &writing->remembered->intervals;
	struct out *out = writing->out;
	out_format(out, "{\"change\":\"%s\"", door_change_words[change->kind]);
	put_time(out, "time", change->time_ns);
	PUT(out, ",\"door\":");
	put_interval(writing, vector_at(intervals, change->interval));
	PUT(out, ",\"before\":");
	if (change->before == NONE)
		PUT(out, "null");
	else
		put_interval(writing, vector_at(intervals, change->before));
	out_char(out, '}');
}

static void put_idle(struct writing *writing, const void *data)
{
	const struct idle_door *idle = data;
	struct out *out = writing->out;
	out_char(out, '{');
	out_format(out, "\"never_used\":%s", idle->used_ns ? "false" : "true");
	put_time(out, "last_used", idle->used_ns);
	PUT(out, ",\"door\":");
	put_interval(writing, vector_at(&writing->remembered->intervals, idle->interval));
	out_char(out, '}');
}

static void put_question(struct writing *writing, enum history_question question)
{
	const struct remembered *remembered = writing->remembered;
	switch (question) {
	case HISTORY_INTERVALS:
		put_list(writing, "intervals", &remembered->intervals, put_one_interval);
		put_list(writing, "events", &remembered->events, put_event);
		break;
	case HISTORY_FIRST_SEEN:
		put_list(writing, "first_seen", &remembered->firsts, put_first);
		break;
	case HISTORY_CHANGES:
		put_list(writing, "changes", &remembered->changes, put_change);
		break;
	case HISTORY_IDLE:
		put_list(writing, "idle", &remembered->idle, put_idle);
		break;
	}
	put_list(writing, "gaps", &remembered->gaps, put_gap);
	put_list(writing, "clock_jumps", &remembered->jumps, put_jump);
}

int history_json(struct out *out, const struct history_show *show, enum history_question question)
{
	struct writing writing = {
		.out = out,
		.line = line_new(&(struct line_style){.columns = 0}),
		.remembered = show->remembered,
	};
	if (!writing.line)
		return -ENOMEM;
	out_char(out, '{');
	json_envelope(out, show->remembered->snapshot);
	put_time(out, "since", show->since_ns);
	put_time(out, "until", show->until_ns);
	put_question(&writing, question);
	put_bool(out, "cut", show->remembered->is_cut);
	PUT(out, "}\n");
	line_free(writing.line);
	return 0;
}

uint32_t history_count(const struct history_show *show, enum history_question question)
{
	const struct remembered *remembered = show->remembered;
	switch (question) {
	case HISTORY_FIRST_SEEN:
		return remembered->firsts.n;
	case HISTORY_CHANGES:
		return remembered->changes.n;
	case HISTORY_IDLE:
		return remembered->idle.n;
	case HISTORY_INTERVALS:
		break;
	}
	return remembered->intervals.n + remembered->events.n;
}
