/* Rows that are gone, and stay for a moment where they were. */
#ifndef TOP_GHOSTS_H
#define TOP_GHOSTS_H

#include "top/arrange.h"

/* The items of @to: its rows, and among them as ghosts what of @last is gone. @newer_of as of
 * marks_move; NULL: nothing was compared, rows alone. 0 or -ENOMEM. */
int ghosts_place(const struct arrangement *last, const uint32_t *newer_of, const struct wish *wish,
		 struct arrangement *to);

#endif
