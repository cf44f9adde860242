/* An event as one JSON object. */
#include <stdlib.h>
#include <string.h>

#include "model/diagnosis.h"
#include "view/line.in.h"

#define PUT(out, literal) out_bytes(out, literal, sizeof(literal) - 1)
#define NS 1000000000u

static void put_word(struct out *out, const char *key, size_t n, const char *word)
{
	out_bytes(out, key, n);
	if (!word || !word[0]) {
		PUT(out, "null");
		return;
	}
	out_char(out, '"');
	out_string(out, word);
	out_char(out, '"');
}
#define WORD(out, key, word) put_word(out, ",\"" key "\":", sizeof(",\"" key "\":") - 1, word)

static void put_number(struct out *out, const char *key, size_t n, uint64_t number, bool is_known)
{
	out_bytes(out, key, n);
	if (is_known)
		out_u64(out, number);
	else
		PUT(out, "null");
}
#define NUMBER(out, key, number, is_known) \
	put_number(out, ",\"" key "\":", sizeof(",\"" key "\":") - 1, number, is_known)

static void put_nine(char *to, uint32_t number)
{
	for (unsigned i = 9; i--; number /= 10)
		to[i] = (char)('0' + number % 10);
}

static void put_seconds(struct out *out, uint64_t ns)
{
	char nine[10] = ".";
	if (ns == EVENT_UNKNOWN) {
		PUT(out, "null");
		return;
	}
	out_u64(out, ns / NS);
	put_nine(nine + 1, (uint32_t)(ns % NS));
	out_bytes(out, nine, sizeof(nine));
}

/* Events come in bursts: all but the fraction is that of the one before. */
static void put_time(struct line *line, struct out *out, uint64_t ns)
{
	if (!line->n_time || line->second != ns / NS) {
		line->n_time = event_time_text(ns, line->time);
		line->second = ns / NS;
	}
	put_nine(line->time + line->n_time - 10, (uint32_t)(ns % NS));
	out_char(out, '"');
	out_bytes(out, line->time, line->n_time);
	out_char(out, '"');
}

/* ---- a process ---- */

/* All texts that its JSON is made of, in one order. */
#define TEXTS_MAX 10
static void texts_of(const struct snapshot *snapshot, const struct process *process,
		     const char *ret[TEXTS_MAX])
{
	const struct container *container = snapshot_container(snapshot, process->container);
	const struct process *parent = snapshot_process(snapshot, process->parent);
	ret[0] = process->name;
	ret[1] = process->exe;
	ret[2] = process->cmdline;
	ret[3] = process->cwd;
	ret[4] = process->unit;
	ret[5] = process->runs;
	ret[6] = container ? container->id : NULL;
	ret[7] = container ? container->name : NULL;
	ret[8] = process->known & KNOWN_UID ? snapshot_user(snapshot, process->uid) : NULL;
	ret[9] = parent ? parent->name : NULL;
}

/* Its pointers say nothing: the memory behind them may be another's by now. */
static bool is_kept(const struct line_kept *kept, const struct process *process,
		    const char *const texts[TEXTS_MAX])
{
	const struct process *a = &kept->process;
	if (!kept->is_used || a->pid != process->pid || a->start_ticks != process->start_ticks ||
	    a->start_time != process->start_time || a->ppid != process->ppid ||
	    a->uid != process->uid || a->known != process->known ||
	    a->exe_deleted != process->exe_deleted)
		return false;
	const char *at = kept->texts.data;
	for (unsigned i = 0; i < TEXTS_MAX; i++) {
		if (*at++ != (texts[i] ? 't' : '0'))
			return false;
		if (!texts[i])
			continue;
		size_t n = strlen(texts[i]) + 1;
		if (strncmp(at, texts[i], n) != 0)
			return false;
		at += n;
	}
	return true;
}

static void keep(struct line_kept *kept, const struct json_shape *shape,
		 const struct record *record, const char *const texts[TEXTS_MAX])
{
	kept->process = *record->process;
	kept->texts.n = kept->before.n = kept->behind.n = 0;
	for (unsigned i = 0; i < TEXTS_MAX; i++) {
		out_char(&kept->texts, texts[i] ? 't' : '0');
		if (texts[i])
			out_bytes(&kept->texts, texts[i], strlen(texts[i]) + 1);
	}
	json_holder_keys(&kept->before, &kept->behind, shape, record);
	kept->is_used = !kept->texts.error && !kept->before.error && !kept->behind.error;
}

static struct line_kept *kept_at(struct line *line, int32_t pid)
{
	struct line_kept **at = &line->kept[(uint32_t)pid % LINE_KEPT];
	struct line_kept *kept = *at;
	if (kept)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept && out_init(&kept->texts, -1) >= 0 && out_init(&kept->before, -1) >= 0 &&
	    out_init(&kept->behind, -1) >= 0) {
		*at = kept;
		return kept;
	}
	if (kept) {
		out_done(&kept->texts);
		out_done(&kept->before);
		out_done(&kept->behind);
	}
	free(kept);
	return NULL;
}

static void put_process(struct line *line, struct out *out, const struct snapshot *snapshot,
			const struct process *process, int32_t fd)
{
	const struct record record = {.snapshot = snapshot, .process = process};
	const char *texts[TEXTS_MAX];
	struct line_kept *kept = kept_at(line, process->pid);
	if (!kept) {
		PUT(out, "null");
		return;
	}
	texts_of(snapshot, process, texts);
	if (!is_kept(kept, process, texts))
		keep(kept, line->shape, &record, texts);
	out_char(out, '{');
	out_bytes(out, kept->before.data, kept->before.n);
	NUMBER(out, "fd", (uint64_t)fd, fd >= 0);
	out_bytes(out, kept->behind.data, kept->behind.n);
	out_char(out, '}');
}

void line_json_process(struct line *line, struct out *out, const struct snapshot *snapshot,
		       uint32_t process)
{
	const struct process *its = snapshot_process(snapshot, process);
	if (its)
		put_process(line, out, snapshot, its, -1);
	else
		PUT(out, "null");
}

/* The first as `holder`; where there are more all of them as `holders`. */
static void put_holders(struct line *line, struct out *out, const struct snapshot *snapshot,
			const struct socket *socket)
{
	const struct holder *first = snapshot_holder(snapshot, socket->holder);
	PUT(out, ",\"holder\":");
	if (!first) {
		PUT(out, "null");
		return;
	}
	put_process(line, out, snapshot, snapshot_process(snapshot, first->process), first->fd);
	if (first->next == NONE)
		return;
	PUT(out, ",\"holders\":");
	char between = '[';
	for (const struct holder *holder = first; holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		out_char(out, between);
		put_process(line, out, snapshot, snapshot_process(snapshot, holder->process),
			    holder->fd);
		between = ',';
	}
	out_char(out, ']');
}

void line_json_socket(struct line *line, struct out *out, const struct snapshot *snapshot,
		      uint32_t socket)
{
	json_socket_keys(out, line->shape, snapshot, socket);
	put_holders(line, out, snapshot, snapshot_socket(snapshot, socket));
}

/* ---- the event ---- */

static void put_error(struct out *out, const struct event *event)
{
	if (!event->error) {
		PUT(out, ",\"errno\":null,\"errno_name\":null,\"errno_sure\":null");
		return;
	}
	NUMBER(out, "errno", (uint64_t)event->error, true);
	WORD(out, "errno_name", errno_name(event->error));
	WORD(out, "errno_sure", sure_words[event->error_sure]);
}

static void put_of_socket(struct line *line, struct out *out, const struct event *event)
{
	const struct snapshot *snapshot = event->snapshot;
	out_char(out, ',');
	line_json_socket(line, out, snapshot, event->socket);
	PUT(out, ",\"by\":");
	line_json_process(line, out, snapshot, event->by);
	WORD(out, "sure", sure_words[event->sure]);
	put_error(out, event);
	PUT(out, ",\"duration\":");
	put_seconds(out, event->duration_ns);
	NUMBER(out, "bytes_sent", event->bytes_sent, event->bytes_sent != EVENT_UNKNOWN);
	NUMBER(out, "bytes_received", event->bytes_received,
	       event->bytes_received != EVENT_UNKNOWN);
	WORD(out, "how", how_words[event->how]);
	if (event->in_the_way != NONE) {
		PUT(out, ",\"in_the_way\":{");
		line_json_socket(line, out, snapshot, event->in_the_way);
		out_char(out, '}');
	}
}

static void put_started(struct out *out, const struct event *event, const struct vector *missing)
{
	PUT(out, ",\"schema\":\"" JSON_SCHEMA "\",\"host\":");
	json_text(out, event->snapshot ? event->snapshot->host : NULL);
	PUT(out, ",\"boot_id\":");
	json_text(out, event->snapshot ? event->snapshot->boot_id : NULL);
	PUT(out, ",\"missing\":");
	json_missing_list(out, missing);
}

void line_json(struct line *line, struct out *out, const struct event *event,
	       const struct vector *missing)
{
	PUT(out, "{\"event\":\"");
	out_string(out, event_words[event->kind]);
	PUT(out, "\",\"time\":");
	put_time(line, out, event->time_ns);
	PUT(out, ",\"uptime\":");
	put_seconds(out, event->uptime_ns);
	if (event->socket != NONE)
		put_of_socket(line, out, event);
	if (event->kind == EVENT_STARTED)
		put_started(out, event, missing);
	if (event->kind == EVENT_GAP) {
		PUT(out, ",\"duration\":");
		put_seconds(out, event->duration_ns);
	}
	WORD(out, "source", told_by_words[event->told_by]);
	NUMBER(out, "count", event->count, event->kind == EVENT_LOST || event->kind == EVENT_KNOCK);
	if (event->why) {
		PUT(out, ",\"reason\":");
		json_text(out, event->why);
	}
	PUT(out, "}\n");
}
