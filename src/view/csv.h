/* Values for other programs: CSV (RFC 4180, lines end in \n), and raw: tabs between, no titles, as
 * a shell likes it. */
#ifndef VIEW_CSV_H
#define VIEW_CSV_H

#include "model/rows.h"

/* Several values share a cell, separated by a space. What a terminal must not see is escaped here
 * too: people look at such files; JSON has it whole. 0 or -ENOMEM. */
int csv_print(struct out *out, const struct rows *rows, const struct field *const *fields);
int raw_print(struct out *out, const struct rows *rows, const struct field *const *fields);

/* One cell, with quotes where it needs them. */
void csv_cell(struct out *out, const char *bytes, size_t n);

#endif
