/* What keys do. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "model/events.h"
#include "model/plan.h"
#include "top/actions.h"
#include "top/map.h"
#include "top/state.h"
#include "view/cell.h"

#define CLOSE_SOCKETS_MAX 20 /* of one row, named one by one */
#define COPY_MAX 4096	     /* bytes that a terminal takes in one OSC 52 for certain */

/* ---- which is meant ---- */

/* The first socket of what is chosen; NULL: nothing is, and that was said. */
static const struct socket *chosen(struct top *top, uint32_t *ret_row)
{
	uint32_t row;
	if (!list_chosen(top, &row)) {
		top_say(top, true, "no row is chosen, or it is gone");
		return NULL;
	}
	*ret_row = row;
	const struct rows *rows = &top->shown->rows;
	if (top->shown->is_events &&
	    events_at(rows->snapshot, rows->order[rows_first(rows, row)])->socket == NONE) {
		top_say(top, true, "that line tells of the watching, and of no port");
		return NULL;
	}
	return snapshot_socket(rows->snapshot, rows->order[rows_first(rows, row)]);
}

static void set_netns(const struct top *top, const struct socket *socket, struct job *job)
{
	const struct netns *netns = snapshot_netns(top->shown->snapshot, socket->netns);
	if (!netns || netns->is_self)
		return;
	snprintf(job->netns, sizeof(job->netns), "%" PRIu64, netns->inode);
	snprintf(job->inside, sizeof(job->inside), "%s", netns->name ? netns->name : job->netns);
}

/* Its number would be taken for a door of our own namespace. (A plan is of cookies, a story of all
 * namespaces.) */
static bool may_be_asked(struct top *top, const struct socket *socket)
{
	if (socket->netns != NONE || top->shown->snapshot->origin != ORIGIN_HOST)
		return true;
	top_say(top, true,
		"it is in another network namespace, which may not be told without root");
	return false;
}

static void set_target(struct job *job, const struct socket *socket)
{
	snprintf(job->target, sizeof(job->target), "%s/%u", proto_words[socket->proto],
		 socket->local_port);
	job->socket = *socket;
}

static void start(struct top *top, struct job *job, const char *what)
{
	bool is_inside = job->inside[0] && job->kind != JOB_STORY; /* a story is of them all */
	snprintf(job->title, sizeof(job->title), "%s %.60s%s%s%s", what, job->target,
		 is_inside ? " inside network namespace " : "", is_inside ? job->inside : "",
		 top->walked ? ", as it is now" : ""); /* and not then, as the list */
	job->columns = top->canvas.columns > 4 ? top->canvas.columns - 2u : top->canvas.columns;
	job->is_utf8 = top->options->is_utf8;
	job->number = top->pager.number + 1;
	if (!jobs_add(top->jobs, job)) {
		top_say(top, true, "what was asked before is not answered yet");
		job_free(job);
		return;
	}
	pager_open(top, job->title);
}

/* The port under the map's cursor. */
static bool set_door(struct top *top, struct job *job)
{
	snprintf(job->target, sizeof(job->target), "%s/%u", door_proto_words[top->map.proto],
		 top->map.port);
	job->socket = (struct socket){
		.proto = top->map.proto == DOOR_UDP ? PROTO_UDP : PROTO_TCP,
		.local_port = top->map.port,
		.family = FAMILY_IPV6,
	};
	if (!top->map.port)
		top_say(top, true, "0 is the number of no door");
	return top->map.port != 0;
}

/* A job about what is chosen. NULL: nothing is. */
static struct job *job_about(struct top *top, enum job_kind kind)
{
	uint32_t row;
	struct job *job = job_new(kind);
	if (!job) {
		top_say(top, true, "out of memory");
		return NULL;
	}
	const struct socket *socket = NULL;
	bool is_set = false;
	if (tabs[top->tab].is_map) {
		is_set = set_door(top, job);
	} else if ((socket = chosen(top, &row)) &&
		   (kind == JOB_PLAN || kind == JOB_STORY || may_be_asked(top, socket))) {
		set_target(job, socket);
		set_netns(top, socket, job);
		is_set = true;
	}
	if (is_set)
		return job;
	job_free(job);
	return NULL;
}

static bool has_port(struct top *top, struct job *job)
{
	if (job->socket.proto != PROTO_RAW && job->socket.local_port)
		return true;
	top_say(top, true, "it has no port");
	job_free(job);
	return false;
}

void action_story(struct top *top)
{
	if (tabs[top->tab].is_map && !top->map.is_zoomed) {
		map_enter(top);
		return;
	}
	struct job *job = job_about(top, JOB_STORY);
	if (job && has_port(top, job))
		start(top, job, "story of");
}

void action_why(struct top *top)
{
	struct job *job = job_about(top, JOB_WHY);
	if (job && has_port(top, job))
		start(top, job, "why");
}

void action_deliver(struct top *top)
{
	struct job *job = job_about(top, JOB_DELIVER);
	if (!job || !has_port(top, job))
		return;
	const struct socket *socket = &job->socket;
	char text[FORMAT_IP_MAX + 1];
	if (!ip_is_any(&socket->local)) {
		bool is_v4 = socket_is_v4(socket);
		text[ip_format(text, &socket->local, is_v4)] = '\0';
		snprintf(job->target, sizeof(job->target), is_v4 ? "%s:%u" : "[%s]:%u", text,
			 socket->local_port);
	} else {
		snprintf(job->target, sizeof(job->target), "%u", socket->local_port);
	}
	start(top, job, "a packet to");
}

/* ---- closing ---- */

/* The very sockets, by what the kernel calls them. False: too many, or they cannot be named. */
static bool name_sockets(const struct rows *rows, uint32_t row, struct job *job)
{
	uint32_t first = rows_first(rows, row), n = rows_length(rows, row);
	size_t used = 0;
	for (uint32_t k = 0; k < n && n <= CLOSE_SOCKETS_MAX; k++) {
		const struct socket *socket =
			snapshot_socket(rows->snapshot, rows->order[first + k]);
		uint64_t number = socket->cookie ? socket->cookie : socket->inode;
		if (!number)
			return false;
		used += (size_t)snprintf(job->filter + used, sizeof(job->filter) - used,
					 "%s%s = %" PRIu64, k ? " or " : "",
					 socket->cookie ? "cookie" : "inode", number);
		if (used >= sizeof(job->filter))
			return false;
		job->takes_connections |= !socket_is_open(socket) && socket->state != STATE_BOUND;
	}
	return n <= CLOSE_SOCKETS_MAX;
}

void action_close(struct top *top)
{
	uint32_t row;
	struct job *job = job_about(top, JOB_PLAN);
	if (!job || !list_chosen(top, &row))
		return;
	const struct rows *rows = &top->shown->rows;
	uint32_t n = rows_length(rows, row);
	if (!name_sockets(rows, row, job)) {
		if (n > CLOSE_SOCKETS_MAX)
			top_say(top, true,
				"%u sockets are more than one key closes: `doorward close` does",
				n);
		else
			top_say(top, true, "the kernel tells no number by which to name it");
		job_free(job);
		return;
	}
	start(top, job, "close");
}

/* ---- blocking ---- */

void action_block(struct top *top)
{
	struct job *job = job_about(top, JOB_BLOCKED);
	if (job && has_port(top, job))
		start(top, job, "block");
}

/* ---- what a job asked ---- */

static bool again(struct top *top, struct job *question, enum job_kind kind, const char *what)
{
	struct job *job = job_new(kind);
	if (!job)
		return true;
	memcpy(job->target, question->target, sizeof(job->target));
	memcpy(job->filter, question->filter, sizeof(job->filter));
	memcpy(job->netns, question->netns, sizeof(job->netns));
	memcpy(job->inside, question->inside, sizeof(job->inside));
	job->socket = question->socket;
	job->takes_connections = question->takes_connections;
	job->is_forced = question->is_forced;
	if (kind == JOB_CLOSE)
		job->closing = TAKE_POINTER(question->closing);
	start(top, job, what);
	return true;
}

static bool answer_plan(struct top *top, struct job *question, unsigned point)
{
	if (point == 'y' && question->asks)
		return again(top, question, JOB_CLOSE, "closing");
	if (point != 'f')
		return false;
	question->is_forced = !question->is_forced;
	return again(top, question, JOB_PLAN, question->is_forced ? "close by force" : "close");
}

static bool start_block(struct top *top, struct job *question, uint64_t seconds, bool from_outside)
{
	struct job *job = job_new(JOB_BLOCK);
	if (!job)
		return true;
	memcpy(job->target, question->target, sizeof(job->target));
	memcpy(job->netns, question->netns, sizeof(job->netns));
	memcpy(job->inside, question->inside, sizeof(job->inside));
	job->seconds = seconds;
	job->from_outside = from_outside;
	start(top, job, "block");
	return true;
}

bool action_answer(struct top *top, struct job *question, unsigned point)
{
	if (question->kind == JOB_PLAN)
		return answer_plan(top, question, point);
	if (question->kind != JOB_BLOCKED)
		return false;
	if (question->is_blocked)
		return point == 'y' && again(top, question, JOB_UNBLOCK, "unblock");
	if (point == 'y' || point == 't')
		return start_block(top, question, point == 't' ? 600 : 0, false);
	return point == 'o' && start_block(top, question, 0, true);
}

/* ---- what is seen ---- */

void action_filter(struct top *top)
{
	line_set(&top->line, top->filter);
	memcpy(top->kept_filter, top->filter, sizeof(top->kept_filter));
	top->line_error = (struct error){0};
	top->layer = &layer_filter;
}

void action_group(struct top *top)
{
	struct choice *choice = top_choice(top);
	choice->by = (enum rows_by)((choice->by + 1) % ROWS_BY_MAX);
	top_say(top, false, "grouped by: %s", rows_by_words[choice->by]);
	top_keep_choice(top);
}

void action_sort(struct top *top)
{
	struct choice *choice = top_choice(top);
	int at = choice->sort[0] ? choice_find(choice, choice->sort[0]) : -1;
	while (choice->columns[at + 1] && top->shown &&
	       !arrangement_shows(top->shown, choice->columns[at + 1]))
		at++; /* nobody would see by what */
	const struct field *next = choice->columns[at + 1];
	choice->sort[0] = next; /* behind the last the usual order comes again */
	choice->sort[1] = NULL;
	choice->descending[0] = next && next->merge == MERGE_SUM;
	top_say(top, false, "sorted by: %s", next ? next->title : "protocol, port and address");
	top_keep_choice(top);
}

void action_reverse(struct top *top)
{
	struct choice *choice = top_choice(top);
	if (!choice->sort[0]) {
		top_say(top, true, "the usual order has no other way round: `s` sorts by a column");
		return;
	}
	choice->descending[0] = !choice->descending[0];
	top_keep_choice(top);
}

void action_columns(struct top *top)
{
	top->chosen = top->first_field = 0;
	top->layer = &layer_chooser;
}

void action_proto(struct top *top)
{
	top->map.proto = top->map.proto == DOOR_TCP ? DOOR_UDP : DOOR_TCP;
}

void action_drawing(struct top *top)
{
	top->map.drawing = (uint8_t)((top->map.drawing + 1) % (top->options->is_utf8 ? 3 : 1));
}

/* ---- copying and writing ---- */

static void read_row(struct top *top, uint32_t row_number, struct out *out)
{
	const struct table_style style = {.columns = 1, .is_utf8 = true};
	struct row row;
	row_at(&top->shown->rows, row_number, &row);
	for (unsigned i = 0; top_choice(top)->columns[i]; i++) {
		struct column column = {.field = top_choice(top)->columns[i]};
		if (!arrangement_shows(top->shown, column.field))
			continue;
		column.is_holder = strcmp(column.field->name, "process") == 0;
		struct shown shown = cell_read(&top->scratch, &row, &column, &style);
		if (out->n)
			out_char(out, '\t');
		out_bytes(out, shown.bytes, shown.n);
	}
}

static void encode_base64(struct out *out, const char *bytes, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t three = (uint32_t)(uint8_t)bytes[i] << 16 |
				 (i + 1 < n ? (uint32_t)(uint8_t)bytes[i + 1] << 8 : 0) |
				 (i + 2 < n ? (uint8_t)bytes[i + 2] : 0);
		for (unsigned k = 0; k < 4; k++)
			out_char(out, k > n - i ? '=' : digits[three >> (18 - 6 * k) & 63]);
	}
}

void action_copy(struct top *top)
{
	cleanup(out_done) struct out row = {.fd = -1}, code = {.fd = -1};
	uint32_t number;
	if (out_init(&row, -1) < 0 || out_init(&code, -1) < 0)
		return;
	if (tabs[top->tab].is_map)
		out_format(&row, "%s/%u", door_proto_words[top->map.proto], top->map.port);
	else if (chosen(top, &number))
		read_row(top, number, &row);
	else
		return;
	if (row.n > COPY_MAX)
		row.n = COPY_MAX;
	out_string(&code, "\033]52;c;");
	encode_base64(&code, row.data, row.n);
	out_string(&code, "\033\\");
	top->functions->send(top->screen, code.data, code.n);
	top_say(top, false, "copied, where the terminal allows it");
}

void action_write(struct top *top)
{
	if (!top_has_arrangement(top)) {
		top_say(top, true, "nothing is shown yet");
		return;
	}
	line_set(&top->line, top->shown->is_events ? "events.jsonl" : "doorward.json");
	top->line_error = (struct error){0};
	top->layer = &layer_file;
}

void action_moment(struct top *top)
{
	line_set(&top->line, "");
	top->line_error = (struct error){0};
	top->layer = &layer_moment;
}
