/* The registry: the tables in one order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/fields.h"

#define LIST_MAX 128

static const struct field *const tables[] = {fields_socket, fields_process, fields_tcp};

const struct field *field_at(unsigned index)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct field *field = tables[i]; field->name; field++)
			if (!index--)
				return field;
	return NULL;
}

const struct field *field_of_event_at(unsigned index)
{
	for (const struct field *field = fields_event; field->name; field++)
		if (!index--)
			return field;
	return NULL;
}

const struct field *field_any_at(unsigned index)
{
	unsigned n = 0;
	while (field_at(n))
		n++;
	return index < n ? field_at(index) : field_of_event_at(index - n);
}

const struct field *field_find(const char *name)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		if (strcmp(field->name, name) == 0)
			return field;
	for (unsigned i = 0; (field = field_of_event_at(i)); i++)
		if (strcmp(field->name, name) == 0)
			return field;
	/* JSON's own names of a socket's fields are understood too */
	for (unsigned i = 0; (field = field_at(i)); i++)
		if (field->of == OF_SOCKET && field->json && strcmp(field->json, name) == 0)
			return field;
	return NULL;
}

const char *field_nearest(const char *name)
{
	const char *names[LIST_MAX + 1];
	unsigned n = 0;
	const struct field *field;
	while (n < LIST_MAX && (field = field_at(n)))
		names[n++] = field->name;
	for (unsigned i = 0; n < LIST_MAX && (field = field_of_event_at(i)); i++)
		names[n++] = field->name;
	names[n] = NULL;
	return text_nearest(name, names);
}

/* The word of a list that is no column. */
static int not_listed(const struct field *field, const char *name, struct error *err)
{
	if (field) {
		error_text(err, -EINVAL, "%s is a field of events", name);
		error_hint(err, "`doorward watch` and `doorward history` have it");
		return -EINVAL;
	}
	const char *nearest = field_nearest(name);
	error_text(err, -EINVAL, "there is no field %s", name);
	if (nearest)
		error_hint(err, "did you mean %s? `doorward fields` lists them", nearest);
	else
		error_hint(err, "`doorward fields` lists them");
	return -EINVAL;
}

static int parse(const char *list, bool takes_events, const struct field ***ret, bool **descending,
		 struct error *err)
{
	cleanup(freep) const struct field **chosen = calloc(LIST_MAX + 1, sizeof(*chosen));
	cleanup(freep) bool *is_down = calloc(LIST_MAX + 1, sizeof(*is_down));
	if (!chosen || !is_down)
		return error_set(err, -ENOMEM, "read the fields");

	unsigned n = 0;
	for (const char *at = list; *at && n < LIST_MAX;) {
		char name[64];
		size_t length = strcspn(at, ",");
		bool is_minus = descending && *at == '-';
		bool is_cut = at[length] == ',' && !at[length + 1];
		if (length - is_minus >= sizeof(name) || length == is_minus || is_cut)
			return error_text(err, -EINVAL,
					  "%.60s: it takes names of fields with commas between",
					  list);
		memcpy(name, at + is_minus, length - is_minus);
		name[length - is_minus] = '\0';
		is_down[n] = is_minus;
		chosen[n] = field_find(name);
		if (!chosen[n] || (chosen[n]->of == OF_EVENT && !takes_events))
			return not_listed(chosen[n], name, err);
		n++;
		at += length + (at[length] == ',');
	}
	if (!n)
		return error_text(err, -EINVAL, "no field is named");
	*ret = TAKE_POINTER(chosen);
	if (descending)
		*descending = TAKE_POINTER(is_down);
	return 0;
}

int fields_parse(const char *list, const struct field ***ret, bool **descending, struct error *err)
{
	return parse(list, false, ret, descending, err);
}

int fields_parse_events(const char *list, const struct field ***ret, bool **descending,
			struct error *err)
{
	return parse(list, true, ret, descending, err);
}

uint32_t fields_needs(const struct field *const *list)
{
	uint32_t needs = 0;
	for (; *list; list++)
		needs |= (*list)->needs;
	return needs;
}
