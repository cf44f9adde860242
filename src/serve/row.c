/* Rows as JSON, and what makes one the same as before. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/plan.h"
#include "base/format.h"
#include "base/table.h"
#include "base/text.h"
#include "serve/row.h"
#include "view/json.h"

#define CELL_BYTES_MAX 1024 /* of a command line there is more in the story */

/* ---- the same row ---- */

static uint64_t mix(uint64_t so_far, uint64_t next)
{
	return table_mix(so_far * 31 + next);
}

static uint64_t mix_bytes(uint64_t so_far, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	for (; n >= 8; n -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		so_far = mix(so_far, word);
	}
	for (; n; n--)
		so_far = mix(so_far, *at++);
	return so_far;
}

static uint64_t mix_text(uint64_t so_far, const char *text)
{
	return text ? mix_bytes(mix(so_far, 1), text, strlen(text)) : mix(so_far, 2);
}

/* What all sockets of a service have in common (rows_group). */
static uint64_t id_of_service(const struct record *record, uint64_t id)
{
	id = mix(id, (uint64_t)record->socket->state << 8 | record->socket->held_by);
	if (!record->process)
		return mix(id, record->socket->uid);
	return mix_text(mix_text(id, record->process->unit),
			record->process->exe ? record->process->exe : record->process->name);
}

/* What the grouping unites by; 0: this row is of its own. */
static uint64_t id_of_group(const struct record *record, enum rows_by by)
{
	const struct process *process = record->process;
	const struct snapshot *snapshot = record->snapshot;
	const struct container *container =
		process ? snapshot_container(snapshot, process->container) : NULL;
	if (!process && (by == ROWS_BY_PROCESS || by == ROWS_BY_UNIT || by == ROWS_BY_CONTAINER))
		return mix(by, record->socket->held_by);
	switch (by) {
	case ROWS_BY_PROCESS:
		return mix(mix(by, (uint64_t)process->pid), process->start_ticks);
	case ROWS_BY_UNIT:
		return mix_text(by, container ? container->id : process->unit);
	case ROWS_BY_CONTAINER:
		return mix_text(by, container ? container->id : NULL);
	case ROWS_BY_PEER:
		return mix_bytes(by, record->socket->peer.bytes,
				 sizeof(record->socket->peer.bytes));
	default:
		return 0;
	}
}

uint64_t row_id(const struct rows *rows, uint32_t row, enum rows_by by)
{
	struct record record;
	rows_record(rows, row, 0, &record);
	uint64_t group = id_of_group(&record, by);
	if (group)
		return group;
	const struct socket *socket = record.socket;
	const struct netns *netns = snapshot_netns(rows->snapshot, socket->netns);
	uint64_t id =
		mix((uint64_t)socket->proto << 16 | socket->local_port, netns ? netns->inode : 0);
	if (rows_length(rows, row) > 1)
		return id_of_service(&record, id);
	id = mix_bytes(id, socket->local.bytes, sizeof(socket->local.bytes));
	if (!socket_has_peer(socket))
		return mix(id, socket->cookie ? socket->cookie : socket->inode);
	return mix(mix_bytes(id, socket->peer.bytes, sizeof(socket->peer.bytes)),
		   socket->peer_port);
}

enum change row_change(const struct rows *rows, uint32_t row, const uint8_t *change)
{
	uint32_t first = rows_first(rows, row), n = rows_length(rows, row), n_new = 0, n_other = 0;
	for (uint32_t i = 0; change && i < n; i++) {
		n_new += change[rows->order[first + i]] == CHANGE_NEW;
		n_other += change[rows->order[first + i]] == CHANGE_CHANGED;
	}
	if (n_new == n)
		return CHANGE_NEW;
	return n_new || n_other ? CHANGE_CHANGED : CHANGE_NONE;
}

/* ---- as JSON ---- */

int row_writer_init(struct row_writer *writer, const struct rows *rows, enum rows_by by,
		    const struct field *const *fields)
{
	unsigned n = 0;
	*writer = (struct row_writer){
		.rows = rows, .by = by, .fields = fields, .cell = {.fd = -1}, .json = {.fd = -1}};
	while (fields[n])
		n++;
	writer->columns = calloc(n + 1u, sizeof(*writer->columns));
	if (!writer->columns || out_init(&writer->cell, -1) < 0 || out_init(&writer->json, -1) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		writer->columns[i] = (struct column){
			.field = fields[i], .is_holder = strcmp(fields[i]->name, "process") == 0};
	return 0;
}

void row_writer_done(struct row_writer *writer)
{
	free(writer->columns);
	out_done(&writer->cell);
	out_done(&writer->json);
}

/* All that the row unites is one door, so that an act which names it means no more and no less. */
static bool is_one_door(const struct rows *rows, uint32_t row)
{
	uint32_t n = rows_length(rows, row);
	const uint32_t *order = rows->order + rows_first(rows, row);
	const struct socket *first = snapshot_socket(rows->snapshot, order[0]);
	for (uint32_t i = 1; i < n; i++) {
		const struct socket *next = snapshot_socket(rows->snapshot, order[i]);
		if (socket_has_peer(first) || socket_has_peer(next) ||
		    next->local_port != first->local_port || next->proto != first->proto ||
		    next->netns != first->netns)
			return false;
	}
	return true;
}

/* name = "value", where the language can say it. */
static void put_test(struct out *out, const char *name, const char *value)
{
	char text[256];
	if (!value || strchr(value, '"') || strlen(value) >= sizeof(text) - 32)
		return;
	snprintf(text, sizeof(text), "%s = \"%s\"", name, value);
	json_text(out, text);
}

/* The filter that chooses what the row unites, of all that the page's own chooses. A plan made of
 * it shows each socket before anything is done. */
static void put_choice(struct out *out, const struct rows *rows, uint32_t row, enum rows_by by)
{
	struct record record;
	rows_record(rows, row, 0, &record);
	const struct process *process = record.process;
	const struct container *container =
		process ? snapshot_container(rows->snapshot, process->container) : NULL;
	char text[FORMAT_IP_MAX + 1];
	size_t before = out->n;
	if (by == ROWS_BY_PROCESS && process) {
		snprintf(text, sizeof(text), "%d", process->pid);
		put_test(out, "pid", text);
	} else if ((by == ROWS_BY_CONTAINER || by == ROWS_BY_UNIT) && container) {
		put_test(out, "container", container->id);
	} else if (by == ROWS_BY_UNIT && process) {
		put_test(out, "unit", process->unit);
	} else if (by == ROWS_BY_PEER && socket_has_peer(record.socket)) {
		text[ip_format(text, &record.socket->peer, ip_is_mapped(&record.socket->peer))] =
			'\0';
		put_test(out, "peer", text);
	}
	if (out->n == before)
		out_string(out, "null");
}

/* Where it is may not be told; only that it is not here. */
static bool is_elsewhere(const struct snapshot *snapshot, const struct socket *socket)
{
	return socket->netns == NONE && snapshot->origin == ORIGIN_HOST;
}

/* What closes or tells all of the row and no more: a connection by both ends, an address where
 * there is one that is not every address, else the port; null, and then what chooses it. */
static void put_target(struct out *out, const struct rows *rows, uint32_t row, enum rows_by by)
{
	struct record record;
	struct identity identity;
	char text[160];
	rows_record(rows, row, 0, &record);
	const struct socket *socket = record.socket;
	out_string(out, ",\"target\":");
	if (socket->proto == PROTO_RAW || !socket->local_port || !is_one_door(rows, row) ||
	    is_elsewhere(rows->snapshot, socket)) {
		out_string(out, "null,\"chooses\":");
		put_choice(out, rows, row, by);
		return;
	}
	plan_identify(rows->snapshot, rows->order[rows_first(rows, row)], &identity);
	if (socket_has_peer(socket) || (rows_length(rows, row) == 1 && !ip_is_any(&socket->local)))
		identity_text(&identity, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%s/%u", proto_words[socket->proto],
			 socket->local_port);
	json_text(out, text);
	out_string(out, ",\"chooses\":null");
}

static void put_cell(struct row_writer *writer, const struct row *row, struct column *column)
{
	static const struct table_style style = {.is_utf8 = true};
	struct shown shown = cell_read(&writer->cell, row, column, &style);
	size_t n = shown.n;
	if (n > CELL_BYTES_MAX)
		for (n = CELL_BYTES_MAX; n && ((uint8_t)shown.bytes[n] & 0xc0) == 0x80;)
			n--;
	json_quote(&writer->json, shown.bytes, n);
}

/* What happened, and all of it in the words of `watch`. */
static void put_event(struct row_writer *writer)
{
	struct out *text = &writer->cell;
	text->n = 0;
	line_text(writer->line, text, writer->event);
	text->n -= text->n > 0; /* the newline */
	out_format(&writer->json,
		   ",\"event\":\"%s\",\"time\":%.3f,\"text\":", event_words[writer->event->kind],
		   (double)writer->event->time_ns / 1e9);
	json_quote(&writer->json, text->data, text->n);
}

char *row_writer_json(struct row_writer *writer, uint32_t number)
{
	struct row row;
	struct out *json = &writer->json;
	row_at(writer->rows, number, &row);
	row.most = MOST_LIVE;
	const struct netns *netns =
		snapshot_netns(writer->rows->snapshot, row.record.socket->netns);
	json->n = 0;
	out_format(json, "\"n\":%u", rows_length(writer->rows, number));
	put_target(json, writer->rows, number, writer->by);
	if (netns && !netns->is_self)
		out_format(json, ",\"netns\":%" PRIu64, netns->inode);
	else if (is_elsewhere(writer->rows->snapshot, row.record.socket))
		out_string(json, ",\"netns\":0");
	else
		out_string(json, ",\"netns\":null");
	if (writer->event)
		put_event(writer);
	out_string(json, ",\"cells\":[");
	for (unsigned i = 0; writer->fields[i]; i++) {
		if (i)
			out_char(json, ',');
		put_cell(writer, &row, &writer->columns[i]);
	}
	out_char(json, ']');
	out_char(json, '\0');
	return json->error || writer->cell.error ? NULL : strdup(json->data);
}
