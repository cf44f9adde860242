/* An event as a line for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/format.h"
#include "base/text.h"
#include "model/diagnosis.h"
#include "view/line.in.h"

#define ENDS_LEAST 21  /* columns: 255.255.255.255:65535 */
#define ENDS_MOST 44   /* beyond them a line is not aligned */
#define TAIL_LEAST 16  /* less room than that behind the ends: it stands on a line of its own */
#define TAIL_INDENT 14 /* there */
#define KIND_COLUMNS 14

static const char *const ink[EVENT_MAX] = {
	[EVENT_STARTED] = "\033[2m", [EVENT_OPENED] = "\033[32m",
	[EVENT_CLOSED] = "\033[33m", [EVENT_ESTABLISHED] = "\033[36m",
	[EVENT_ENDED] = "\033[2m",   [EVENT_REFUSED] = "\033[31m",
	[EVENT_LOST] = "\033[1;35m", [EVENT_GAP] = "\033[1;35m",
	[EVENT_KNOCK] = "\033[31m",  [EVENT_CONNECT_FAILED] = "\033[31m",
};

struct line *line_new(const struct line_style *style)
{
	struct line *line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->style = *style;
	line->shape = json_shape_all(true);
	line->ends = ENDS_LEAST;
	if (!line->shape || out_init(&line->tail, -1) < 0) {
		line_free(line);
		return NULL;
	}
	return line;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	for (unsigned i = 0; i < LINE_KEPT; i++) {
		if (!line->kept[i])
			continue;
		out_done(&line->kept[i]->texts);
		out_done(&line->kept[i]->before);
		out_done(&line->kept[i]->behind);
		free(line->kept[i]);
	}
	json_shape_free(line->shape);
	out_done(&line->tail);
	free(line);
}

size_t line_duration(char *to, uint64_t ns)
{
	int n;
	if (ns < 1000000)
		n = snprintf(to, 32, "%.0f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		n = snprintf(to, 32, "%.0f ms", (double)ns / 1e6);
	else if (ns < 60000000000)
		n = snprintf(to, 32, "%.1f s", (double)ns / 1e9);
	else
		return format_duration(to, 32, ns / 1000000000);
	return n > 0 ? (size_t)n : 0;
}

/* ---- time ---- */

static int zone_text(const struct tm *day, char *to, size_t size)
{
	long minutes = labs(day->tm_gmtoff / 60);
	return snprintf(to, size, "%c%02ld:%02ld", day->tm_gmtoff < 0 ? '-' : '+', minutes / 60,
			minutes % 60);
}

/* Columns that it took. */
static size_t put_clock(struct line *line, struct out *out, const struct event *event)
{
	time_t seconds = (time_t)(event->time_ns / 1000000000);
	unsigned ms = (unsigned)(event->time_ns / 1000000 % 1000);
	struct tm day = {0};
	char text[64], zone[16] = "";
	localtime_r(&seconds, &day);
	size_t n = 0;
	if (!line->style.columns) {
		n = strftime(text, sizeof(text), "%F ", &day);
		zone_text(&day, zone, sizeof(zone));
	}
	int more = snprintf(text + n, sizeof(text) - n, "%02d:%02d:%02d.%03u%s  ", day.tm_hour,
			    day.tm_min, day.tm_sec, ms, zone);
	n += more > 0 ? (size_t)more : 0;
	out_bytes(out, text, n);
	return n;
}

/* On a terminal the date and the zone stand on a line of their own, once a day. */
static void put_day(struct line *line, struct out *out, const struct event *event)
{
	time_t seconds = (time_t)(event->time_ns / 1000000000);
	struct tm day = {0};
	char text[64], zone[16];
	if (!line->style.columns)
		return;
	localtime_r(&seconds, &day);
	int number = (day.tm_year + 1900) * 366 + day.tm_yday;
	if (number == line->day)
		return;
	line->day = number;
	out_bytes(out, text, strftime(text, sizeof(text), "%F, local time ", &day));
	zone_text(&day, zone, sizeof(zone));
	out_format(out, "%s (UTC%s)\n", day.tm_zone ? day.tm_zone : "", zone);
}

/* ---- the socket ---- */

/* Columns. */
static size_t put_end(struct out *out, const struct ip *ip, uint16_t port)
{
	size_t n = ip_put(out, ip, ip_is_mapped(ip));
	char text[8] = ":*";
	size_t length = 2;
	if (port)
		length = 1 + format_u64(text + 1, port);
	out_bytes(out, text, length);
	return n + length;
}

static size_t put_ends(struct out *out, const struct socket *socket, bool is_inward)
{
	size_t n = put_end(out, &socket->local, socket->local_port);
	if (!socket_has_peer(socket))
		return n;
	out_string(out, is_inward ? " <- " : " -> ");
	return n + 4 + put_end(out, &socket->peer, socket->peer_port);
}

/* ---- who, and what else there is to say ---- */

static void put_process(struct out *out, const struct process *process)
{
	char title[128];
	out_format(out, "%s (%d)", process_title(process, title, sizeof(title)), process->pid);
}

static bool put_holder(struct out *out, const struct snapshot *snapshot,
		       const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	if (!holder)
		return false;
	put_process(out, snapshot_process(snapshot, holder->process));
	unsigned n = 0;
	for (; holder->next != NONE; holder = snapshot_holder(snapshot, holder->next))
		n++;
	if (n)
		out_format(out, " and %u more", n);
	return true;
}

static void put_error(struct out *out, const struct event *event)
{
	const char *name = errno_name(event->error);
	if (name)
		out_format(out, ": %s", name);
	else if (event->error)
		out_format(out, ": errno %d", event->error);
	if (event->error && event->error_sure == SURE_PROBABLE)
		out_string(out, ", probably");
}

static void tell_refused(struct out *out, const struct event *event)
{
	const struct snapshot *snapshot = event->snapshot;
	const struct process *by = snapshot_process(snapshot, event->by);
	const struct socket *socket = event_socket(event);
	if (by)
		put_process(out, by);
	else if (!put_holder(out, snapshot, socket))
		out_string(out, "?");
	put_error(out, event);
	if (event->in_the_way == NONE)
		return;
	const struct socket *other = snapshot_socket(snapshot, event->in_the_way);
	out_string(out, "; in the way: ");
	put_ends(out, other, other->role == ROLE_ACCEPTED);
	out_format(out, " %s", state_words[other->state] ? state_words[other->state] : "");
	out_string(out, by ? " of " : "");
	if (by && !put_holder(out, snapshot, socket))
		out_string(out, held_by_words[other->held_by][0] ? held_by_words[other->held_by]
								 : "nobody that can be seen");
}

static void tell_end(struct out *out, const struct event *event)
{
	char text[32];
	if (event->duration_ns != EVENT_UNKNOWN)
		out_format(out, ", after %.*s", (int)line_duration(text, event->duration_ns), text);
	else if (event->kind == EVENT_ENDED)
		out_string(out, ", its beginning was not seen");
	if (event->bytes_sent != EVENT_UNKNOWN)
		out_format(out, ", %.*s sent",
			   (int)format_size(text, sizeof(text), event->bytes_sent), text);
	if (event->bytes_received != EVENT_UNKNOWN)
		out_format(out, ", %.*s received",
			   (int)format_size(text, sizeof(text), event->bytes_received), text);
	if (event->how > HOW_CLOSED)
		out_format(out, ", %s",
			   event->how == HOW_TIMED_OUT ? "timed out" : how_words[event->how]);
}

static void tell(struct out *out, const struct event *event)
{
	const struct socket *socket = event_socket(event);
	const struct process *by = snapshot_process(event->snapshot, event->by);
	if (event->kind == EVENT_REFUSED) {
		tell_refused(out, event);
		return;
	}
	if (event->kind == EVENT_KNOCK) {
		out_string(out, event->why ? event->why : "");
		if (event->count > 1)
			out_format(out, ", %llu times", (unsigned long long)event->count);
		return;
	}
	if (!put_holder(out, event->snapshot, socket))
		out_string(out, by				    ? ""
				: held_by_words[socket->held_by][0] ? held_by_words[socket->held_by]
								    : "?");
	if (by) {
		out_string(out, socket->holder == NONE ? "by " : ", by ");
		put_process(out, by);
	}
	if (event->sure == SURE_PROBABLE)
		out_string(out, "?");
	if (event->kind == EVENT_OPENED && socket->state == STATE_BOUND)
		out_string(out, ", bound");
	if (event->kind == EVENT_CONNECT_FAILED)
		put_error(out, event);
	if (event->kind == EVENT_CLOSED || event->kind == EVENT_ENDED)
		tell_end(out, event);
	if (event->told_by == TOLD_BY_RESYNC)
		out_string(out, ", seen late");
}

/* ---- of the watching itself ---- */

static void tell_watching(struct out *tail, const struct event *event)
{
	char text[32];
	if (event->kind == EVENT_STARTED)
		out_format(tail, "watching by %s", told_by_words[event->told_by]);
	else if (event->kind == EVENT_LOST)
		out_format(tail, "%llu events are not known", (unsigned long long)event->count);
	else if (event->duration_ns != EVENT_UNKNOWN)
		out_format(tail, "nobody watched for %.*s",
			   (int)line_duration(text, event->duration_ns), text);
	else
		out_string(tail, "nobody watched");
	if (event->why)
		out_format(tail, ": %s", event->why);
}

void line_watching(struct out *out, const struct event *event)
{
	out_format(out, "%-*s  ", KIND_COLUMNS - 1, event_words[event->kind]);
	tell_watching(out, event);
}

static size_t put_kind(struct line *line, struct out *out, const struct event *event)
{
	const char *word =
		event->kind == EVENT_CONNECT_FAILED ? "connect failed" : event_words[event->kind];
	const char *colour = line->style.has_colour ? ink[event->kind] : NULL;
	out_string(out, colour ? colour : "");
	out_string(out, word);
	out_string(out, colour ? "\033[0m" : "");
	size_t n = strlen(word), more = n < KIND_COLUMNS ? KIND_COLUMNS - n : 0;
	out_spaces(out, more + 1);
	return n + more + 1;
}

/* Behind @used columns and @gap more. */
static void put_tail(struct line *line, struct out *out, size_t used, size_t gap)
{
	struct out *tail = &line->tail;
	size_t columns = line->style.columns ? line->style.columns : SIZE_MAX;
	size_t room = columns > used + gap ? columns - used - gap : 0;
	if (room >= TAIL_LEAST || room >= tail->n) {
		out_spaces(out, gap);
	} else {
		out_char(out, '\n');
		out_spaces(out, TAIL_INDENT);
		room = columns > TAIL_INDENT + TAIL_LEAST ? columns - TAIL_INDENT : TAIL_LEAST;
	}
	text_show_cut(out, tail->data, tail->n, room, !line->style.is_utf8);
	out_char(out, '\n');
}

void line_text(struct line *line, struct out *out, const struct event *event)
{
	put_day(line, out, event);
	size_t used = put_clock(line, out, event);
	used += put_kind(line, out, event);
	if (event->socket == NONE) {
		line->tail.n = 0;
		tell_watching(&line->tail, event);
		text_show(out, line->tail.data, line->tail.n);
		out_char(out, '\n');
		return;
	}
	const struct socket *socket = event_socket(event);
	const char *proto = proto_words[socket->proto];
	size_t n = strlen(proto), pad = n < 4 ? 4 - n : 1;
	out_bytes(out, proto, n);
	out_spaces(out, pad);
	size_t ends =
		put_ends(out, socket, socket->role == ROLE_ACCEPTED || event->kind == EVENT_KNOCK);
	if (ends > line->ends && ends <= ENDS_MOST)
		line->ends = (unsigned)ends;
	size_t gap = (ends < line->ends ? line->ends - ends : 0) + 2;
	line->tail.n = 0;
	tell(&line->tail, event);
	put_tail(line, out, used + n + pad + ends, gap);
}
