/* A table fitted to the width there is, without ever cutting a port or an address. */
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include "model/rows.h"

struct table_style {
	unsigned columns; /* of the terminal; 0: as wide as it gets, nothing is cut */
	bool has_colour, is_utf8;
	bool hides_empty; /* columns without a value are left out, but for those that are never cut
			   */
};

/* 0 or -ENOMEM. */
int table_print(struct out *out, const struct rows *rows, const struct field *const *fields,
		const struct table_style *style);

/* One cell as text at the end of @out (in memory). Returns its columns. */
size_t table_cell(struct out *out, const struct rows *rows, uint32_t row, const struct field *field,
		  bool is_utf8);

#endif
