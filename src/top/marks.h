/* What became of each socket, from one snapshot to the next. */
#ifndef TOP_MARKS_H
#define TOP_MARKS_H

#include "top/arrange.h"

/* From what the marks are of to @newer. *@ret_newer_of (malloc'ed; NULL where nothing was
 * compared): for each socket of the older its index in the newer, or NONE. @ret: the difference
 * (older NULL: none). 0 or -ENOMEM. */
int marks_move(struct marks *marks, const struct wish *wish, struct difference *ret,
	       uint32_t **ret_newer_of);

/* The marks of one row's sockets as one. */
struct mark marks_of_row(const struct marks *marks, const struct rows *rows, uint32_t row,
			 uint32_t now_ms);

#endif
