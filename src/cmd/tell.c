/* What the commands that tell of a port have in common. */
#include "cmd/tell.h"

#define FIELDS_MAX 128

int tell_rows(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret,
	      struct error *err)
{
	int r = rows_select(snapshot, filter, ret);
	if (r < 0)
		return error_set(err, r, "select the sockets");
	r = rows_sort(ret, NULL, NULL);
	if (r < 0) {
		rows_done(ret);
		return error_set(err, r, "sort the sockets");
	}
	return 0;
}

struct page tell_page(struct context *context)
{
	return (struct page){
		.out = &context->out,
		.has_colour = context->has_colour,
		.is_utf8 = context->is_utf8,
		.columns = context->columns,
	};
}

struct json_shape *tell_shape(bool has_parents)
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

const struct netns *tell_netns_self(const struct snapshot *snapshot, uint32_t *index)
{
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		if (!netns->is_self)
			continue;
		if (index)
			*index = i;
		return netns;
	}
	return NULL;
}

void tell_free_snapshot(struct snapshot **snapshot)
{
	snapshot_free(*snapshot);
}
