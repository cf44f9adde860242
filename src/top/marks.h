/* What became of each socket, from one snapshot to the next. */
#ifndef TOP_MARKS_H
#define TOP_MARKS_H

#include "top/arrange.h"

/* From what the marks are of to the snapshot that is wished. *@ret: what differs, NULL where
 * nothing was compared; it is the snapshot's own, or @own, which the caller gives up in any case. 0
 * or -ENOMEM. */
int marks_move(struct marks *marks, const struct wish *wish, struct difference *own,
	       const struct difference **ret);

/* For each socket of the older its index in the newer, or NONE; malloc'ed. NULL: no memory. */
uint32_t *marks_invert(const struct difference *difference);

/* The marks of one row's sockets as one. */
struct mark marks_of_row(const struct marks *marks, const struct rows *rows, uint32_t row,
			 uint32_t now_ms);

#endif
