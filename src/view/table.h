/* A table fitted to the width there is, without ever cutting a port or an address. */
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include "model/rows.h"

struct table_style {
	unsigned columns; /* of the terminal; 0: as wide as it gets, nothing is cut or left out */
	bool has_colour, is_utf8;
	bool is_terminal; /* without UTF-8 it must not see bytes above 127: some are controls */
	bool hides_empty; /* columns without a value are left out, but for those that are never cut
			   */
	bool has_marks;	  /* "!" before a row whose number has another owner; see table_marks */
};

/* 0 or -ENOMEM. */
int table_print(struct out *out, const struct rows *rows, const struct field *const *fields,
		const struct table_style *style);

/* How many rows are marked. */
uint32_t table_marks(const struct rows *rows);

/* One line under the table: what the marks mean, and how much was shown. */
void table_footer(struct out *out, const struct rows *rows, const struct table_style *style);

#endif
