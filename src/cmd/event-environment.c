/* An event as environment variables. */
#include <string.h>

#include "cmd/event-environment.h"
#include "model/field.h"

#define VALUE_MOST 8192 /* bytes of one: a command line may be long */

static void put_name(struct out *out, const char *prefix, const char *name)
{
	out_string(out, "DOORWARD_");
	out_string(out, prefix);
	for (; *name; name++)
		out_char(out, (char)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name));
	out_char(out, '=');
}

/* Bytes as they are: nothing reads them but the command. NUL cannot stand in them. */
static void put_bytes(struct out *out, const char *bytes, size_t n)
{
	const char *end = memchr(bytes, '\0', n);
	n = end ? (size_t)(end - bytes) : n;
	out_bytes(out, bytes, n < VALUE_MOST ? n : VALUE_MOST);
}

static void put_value(struct out *out, const struct value *value)
{
	if (value->kind == VALUE_STRING || value->kind == VALUE_OBJECT)
		put_bytes(out, value->text, value->length);
	else
		value_text(out, value);
	out_char(out, '\0');
}

static void put_field(struct out *out, const struct field *field, const struct record *record)
{
	char scratch[256];
	struct value value = {.kind = VALUE_NULL, .scratch = scratch};
	if (field->of == OF_EVENT || (field->of == OF_SOCKET && record->socket) ||
	    (field->of == OF_HOLDER && record->process))
		field->get(record, &value);
	put_name(out, "", field->name);
	put_value(out, &value);
	if (field->of == OF_SOCKET && field->json && strcmp(field->json, field->name) != 0) {
		put_name(out, "", field->json);
		put_value(out, &value);
	}
}

static void put_text(struct out *out, const char *name, const char *text)
{
	put_name(out, "BY_", name);
	if (text)
		put_bytes(out, text, strlen(text));
	out_char(out, '\0');
}

static void put_by(struct out *out, const struct process *by)
{
	put_name(out, "BY_", "PID");
	if (by)
		out_i64(out, by->pid);
	out_char(out, '\0');
	put_text(out, "NAME", by ? by->name : NULL);
	put_text(out, "EXE", by ? by->exe : NULL);
}

void event_environment(struct out *out, const struct event *event)
{
	struct record record = {.snapshot = event->snapshot,
				.socket = event_socket(event),
				.index = event->socket,
				.event = event};
	const struct field *field;
	if (record.socket)
		record.holder = snapshot_holder(event->snapshot, record.socket->holder);
	if (record.holder)
		record.process = snapshot_process(event->snapshot, record.holder->process);
	for (unsigned i = 0; (field = field_of_event_at(i)); i++)
		put_field(out, field, &record);
	for (unsigned i = 0; (field = field_at(i)); i++)
		if (field->of == OF_HOLDER || !(field->flags & FIELD_ON_REQUEST) ||
		    strcmp(field->name, "bytes_received") == 0)
			put_field(out, field, &record);
	put_by(out, snapshot_process(event->snapshot, event->by));
}
