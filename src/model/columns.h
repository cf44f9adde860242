/* Which fields `list` shows where nobody chose them. */
#ifndef MODEL_COLUMNS_H
#define MODEL_COLUMNS_H

#include "base/arena.h"
#include "model/rows.h"

enum columns_of {
	COLUMNS_OPEN,
	COLUMNS_CONNECTIONS,
	COLUMNS_LIVE, /* connections that are looked at again and again: their rates too */
	COLUMNS_WIDE,
	COLUMNS_FILE
};

/* In the order of a table, NULL-terminated, in @arena; with room for what columns_add_netns adds.
 * NULL: no memory. */
const struct field **columns_usual(struct arena *arena, enum columns_of of);

/* The namespace is a column where rows come from several, or not from our own. */
bool columns_has_netns(const struct rows *rows);
void columns_add_netns(const struct rows *rows, const struct field **columns);

#endif
