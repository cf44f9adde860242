/* JSON from the field registry. */
#include <stdlib.h>
#include <string.h>

#include "base/pieces.h"
#include "view/json.h"

#define KEYS_MAX 96

struct key {
	char text[40]; /* `,"local_address":` */
	uint8_t length;
	const struct field *field;
};

/* A process mostly holds many sockets: its part of the object as it was written last, but for the
 * descriptor between. */
struct written {
	const struct process *process;
	struct out before, behind; /* in memory */
};

struct json_shape {
	struct key socket[KEYS_MAX], holder[KEYS_MAX];
	unsigned n_socket, n_holder;
	const struct field *fd;
	unsigned fd_at; /* among the holder's keys; n_holder where it is not shown */
	struct written written[PIECES_WORKERS];
};

static void add_key(struct key *keys, unsigned *n, const struct field *field)
{
	for (unsigned i = 0; i < *n; i++)
		if (keys[i].field == field) /* a composite has named it before */
			return;
	if (*n == KEYS_MAX)
		return;
	struct key *key = &keys[(*n)++];
	key->field = field;
	key->length = (uint8_t)snprintf(key->text, sizeof(key->text), ",\"%s\":", field->json);
}

static void add_field(struct json_shape *shape, const struct field *field)
{
	if (!field->json)
		return;
	if (field->of == OF_HOLDER)
		add_key(shape->holder, &shape->n_holder, field);
	else
		add_key(shape->socket, &shape->n_socket, field);
}

/* Composite columns stand for the keys that they are made of. */
static void add_chosen(struct json_shape *shape, const struct field *field)
{
	static const struct {
		const char *composite, *parts[2];
	} composites[] = {{"local", {"address", "port"}},	  {"remote", {"peer", "peer_port"}},
			  {"shown_address", {"address", NULL}},	  {"shown_port", {"port", NULL}},
			  {"namespace", {"netns", "netns_name"}}, {"process", {"name", "runs"}}};
	for (size_t i = 0; i < ARRAY_SIZE(composites); i++)
		if (strcmp(field->name, composites[i].composite) == 0)
			for (unsigned k = 0; k < 2 && composites[i].parts[k]; k++)
				add_field(shape, field_find(composites[i].parts[k]));
	add_field(shape, field);
}

void json_shape_free(struct json_shape *shape)
{
	if (!shape)
		return;
	for (unsigned i = 0; i < PIECES_WORKERS; i++) {
		out_done(&shape->written[i].before);
		out_done(&shape->written[i].behind);
	}
	free(shape);
}

struct json_shape *json_shape_new(const struct field *const *fields)
{
	struct json_shape *shape = calloc(1, sizeof(*shape));
	if (!shape)
		return NULL;
	const struct field *field;
	if (fields)
		for (; *fields; fields++)
			add_chosen(shape, *fields);
	else
		for (unsigned i = 0; (field = field_at(i)); i++)
			if (field->flags & FIELD_JSON)
				add_field(shape, field);
	shape->fd = field_find("fd");
	while (shape->fd_at < shape->n_holder && shape->holder[shape->fd_at].field != shape->fd)
		shape->fd_at++;
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < PIECES_WORKERS; i++) {
		r = out_init(&shape->written[i].before, -1);
		if (r >= 0)
			r = out_init(&shape->written[i].behind, -1);
	}
	if (r < 0) {
		json_shape_free(shape);
		return NULL;
	}
	return shape;
}

/* All of its room is copied, for that size is known; without the comma where there is none before.
 */
static inline void put_key(struct out *out, const struct key *key, bool is_first)
{
	if (is_first) {
		out_bytes(out, key->text + 1, key->length - 1u);
		return;
	}
	if (!out_room(out, sizeof(key->text)))
		return;
	memcpy(out->data + out->n, key->text, sizeof(key->text));
	out->n += key->length;
}

static void write_keys(struct out *out, const struct key *keys, unsigned n,
		       const struct record *record, bool is_first)
{
	char scratch[256];
	for (unsigned i = 0; i < n; i++) {
		put_key(out, &keys[i], is_first && i == 0);
		if (keys[i].field->write_json) {
			keys[i].field->write_json(record, out);
			continue;
		}
		struct value value;
		value.scratch = scratch;
		keys[i].field->get(record, &value);
		value_json(out, &value);
	}
}

void json_holder_keys(struct out *before, struct out *behind, const struct json_shape *shape,
		      const struct record *record)
{
	unsigned after = shape->fd_at < shape->n_holder ? shape->fd_at + 1 : shape->n_holder;
	write_keys(before, shape->holder, shape->fd_at, record, true);
	write_keys(behind, shape->holder + after, shape->n_holder - after, record, after == 0);
}

static void write_holder(struct out *out, const struct json_shape *shape, struct written *written,
			 const struct record *record)
{
	if (record->process != written->process) {
		written->before.n = written->behind.n = 0;
		json_holder_keys(&written->before, &written->behind, shape, record);
		written->process = record->process;
	}
	out_bytes(out, written->before.data, written->before.n);
	if (shape->fd_at < shape->n_holder)
		write_keys(out, shape->holder + shape->fd_at, 1, record, shape->fd_at == 0);
	out_bytes(out, written->behind.data, written->behind.n);
}

void json_socket_keys(struct out *out, const struct json_shape *shape,
		      const struct snapshot *snapshot, uint32_t socket)
{
	const struct record record = {
		.snapshot = snapshot, .socket = snapshot_socket(snapshot, socket), .index = socket};
	write_keys(out, shape->socket, shape->n_socket, &record, true);
}

static void write_socket(struct out *out, const struct json_shape *shape, struct written *written,
			 const struct snapshot *snapshot, uint32_t socket)
{
	struct record record = {
		.snapshot = snapshot, .socket = snapshot_socket(snapshot, socket), .index = socket};
	out_char(out, '{');
	write_keys(out, shape->socket, shape->n_socket, &record, true);
	if (shape->n_holder) {
		out_string(out, shape->n_socket ? ",\"holders\":[" : "\"holders\":[");
		const char *between = "{";
		for (record.holder = snapshot_holder(snapshot, record.socket->holder);
		     record.holder;
		     record.holder = snapshot_holder(snapshot, record.holder->next)) {
			record.process = snapshot_process(snapshot, record.holder->process);
			out_string(out, between);
			write_holder(out, shape, written, &record);
			out_char(out, '}');
			between = ",{";
		}
		out_char(out, ']');
	}
	out_char(out, '}');
}

void json_socket(struct out *out, struct json_shape *shape, const struct snapshot *snapshot,
		 uint32_t socket)
{
	write_socket(out, shape, &shape->written[0], snapshot, socket);
}

void json_text(struct out *out, const char *text)
{
	if (text)
		json_quote(out, text, strlen(text));
	else
		out_string(out, "null");
}

void json_missing(struct out *out, const struct snapshot *snapshot)
{
	json_missing_list(out, &snapshot->missing);
}

void json_missing_list(struct out *out, const struct vector *list)
{
	out_char(out, '[');
	for (uint32_t i = 0; list && i < list->n; i++) {
		const struct missing *missing = vector_at(list, i);
		out_format(out, "%s{\"what\":\"%s\",\"why\":\"%s\",\"count\":", i ? "," : "",
			   what_words[missing->what], why_words[missing->why]);
		if (missing->count)
			out_u64(out, missing->count);
		else
			out_string(out, "null");
		out_string(out, ",\"hint\":");
		json_text(out, missing->hint);
		out_char(out, '}');
	}
	out_char(out, ']');
}

void json_envelope(struct out *out, const struct snapshot *snapshot)
{
	out_string(out, "\"schema\":\"" JSON_SCHEMA "\",\"host\":");
	json_text(out, snapshot->host);
	if (snapshot->time > 0)
		out_format(out, ",\"time\":%.3f,\"boot_id\":", snapshot->time);
	else /* a dump does not say when it was made */
		out_string(out, ",\"time\":null,\"boot_id\":");
	json_text(out, snapshot->boot_id);
	out_format(out, ",\"complete\":%s,\"missing\":", snapshot->is_complete ? "true" : "false");
	json_missing(out, snapshot);
	out_string(out, ",\"namespaces\":");
	json_namespaces(out, snapshot);
}

#define PIECE 128 /* sockets: what the buffer of an output has room for */

struct printing {
	const struct rows *rows;
	struct json_shape *shape;
};

static void make_piece(void *data, unsigned worker, struct out *out, uint32_t index)
{
	const struct printing *printing = data;
	const struct rows *rows = printing->rows;
	uint32_t from = index * PIECE,
		 n = rows->n_sockets - from < PIECE ? rows->n_sockets - from : PIECE;
	for (uint32_t i = from; i < from + n; i++) {
		if (!rows->start)
			rows_expect(rows, i);
		out_string(out, i ? ",\n" : "\n");
		write_socket(out, printing->shape, &printing->shape->written[worker],
			     rows->snapshot, rows->order[i]);
	}
}

void json_print(struct out *out, const struct rows *rows, struct json_shape *shape)
{
	out_char(out, '{');
	json_envelope(out, rows->snapshot);
	out_string(out, ",\"sockets\":[");
	struct printing printing = {rows, shape};
	pieces_write(out, (rows->n_sockets + PIECE - 1) / PIECE, make_piece, &printing);
	out_string(out, "\n]}\n");
}

void json_end(struct out *out, const struct snapshot *snapshot)
{
	out_format(out, "{\"end\":true,\"complete\":%s,\"missing\":",
		   snapshot->is_complete ? "true" : "false");
	json_missing(out, snapshot);
	out_string(out, "}\n");
}

#define FIELDS_MAX 128

struct json_shape *json_shape_all(bool has_parents)
{
	const struct field *chosen[FIELDS_MAX + 2], *field;
	unsigned n = 0;
	for (unsigned i = 0; n < FIELDS_MAX && (field = field_at(i)); i++)
		if (field->flags & FIELD_JSON)
			chosen[n++] = field;
	if (has_parents && (field = field_find("parents")))
		chosen[n++] = field;
	chosen[n] = NULL;
	return json_shape_new(chosen);
}
