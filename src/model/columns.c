/* Which fields `list` shows where nobody chose them. The registry says which are columns; here
 * stands in which order a person looks for them. */
#include <string.h>

#include "base/attributes.h"
#include "model/columns.h"

#define COLUMNS_MAX 96

static const char *const order[] = {
	"proto",    "state",	 "shown_address", "shown_port",	 "address", "port",
	"peer",	    "peer_port", "local",	  "remote",	 "role",    "rate_in",
	"rate_out", "service",	 "reach",	  "process",	 "pid",	    "user",
	"unit",	    "container", "answered_by",	  "peer_process"};

static unsigned rank(const struct field *field)
{
	unsigned i = 0;
	while (i < ARRAY_SIZE(order) && strcmp(order[i], field->name) != 0)
		i++;
	return i;
}

static void insert(const struct field **columns, unsigned n, const struct field *field)
{
	for (; n && rank(columns[n - 1]) > rank(field); n--)
		columns[n] = columns[n - 1];
	columns[n] = field;
}

static uint8_t flag_of(enum columns_of of)
{
	return of == COLUMNS_OPEN	   ? FIELD_DEFAULT
	       : of == COLUMNS_CONNECTIONS ? FIELD_CONNECTIONS
	       : of == COLUMNS_LIVE	   ? FIELD_CONNECTIONS
					   : FIELD_WIDE;
}

static bool is_rate(const struct field *field)
{
	return strcmp(field->name, "rate_in") == 0 || strcmp(field->name, "rate_out") == 0;
}

/* Programs want the facts where people want them put together. */
static bool is_column(const struct field *field, enum columns_of of)
{
	if (of == COLUMNS_LIVE && is_rate(field))
		return true;
	if (of != COLUMNS_FILE)
		return field->flags & flag_of(of);
	static const char *const facts[] = {"address",	 "port",  "peer",
					    "peer_port", "netns", "name"};
	for (unsigned i = 0; i < ARRAY_SIZE(facts); i++)
		if (strcmp(field->name, facts[i]) == 0)
			return true;
	return field->json && field->flags & FIELD_WIDE;
}

const struct field **columns_usual(struct arena *arena, enum columns_of of)
{
	const struct field **columns = arena_alloc(arena, (COLUMNS_MAX + 2) * sizeof(*columns));
	const struct field *field;
	unsigned n = 0;
	for (unsigned i = 0; columns && (field = field_at(i)) && n < COLUMNS_MAX; i++)
		if (is_column(field, of))
			insert(columns, n++, field);
	if (columns)
		columns[n] = NULL;
	return columns;
}

bool columns_has_netns(const struct rows *rows)
{
	const struct snapshot *snapshot = rows->snapshot;
	bool is_mixed = false, has_self = snapshot->origin == ORIGIN_HOST;
	uint32_t first = rows->n_sockets ? snapshot_socket(snapshot, rows->order[0])->netns : NONE;
	for (uint32_t i = 0; i < rows->n_sockets && !is_mixed; i++) {
		const struct socket *socket = snapshot_socket(snapshot, rows->order[i]);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		is_mixed = socket->netns != first || (has_self && !(netns && netns->is_self));
	}
	return is_mixed;
}

void columns_add_netns(const struct rows *rows, const struct field **columns)
{
	if (!columns_has_netns(rows))
		return;
	unsigned n = 0;
	while (columns[n])
		n++;
	columns[n] = field_find("namespace");
	columns[n + 1] = NULL;
}
