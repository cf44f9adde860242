/* Which fields `list` shows where nobody chose them. */
#ifndef CMD_COLUMNS_H
#define CMD_COLUMNS_H

#include "cmd/command.h"
#include "model/rows.h"

enum columns_of { COLUMNS_OPEN, COLUMNS_CONNECTIONS, COLUMNS_WIDE, COLUMNS_FILE };

/* In the order of a table, NULL-terminated, in the context's arena; with room for what
 * columns_add_netns adds. NULL: no memory. */
const struct field **columns_usual(struct context *context, enum columns_of of);

/* The namespace is a column where rows come from several, or not from our own. */
void columns_add_netns(const struct rows *rows, const struct field **columns);

#endif
