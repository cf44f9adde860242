/* Who holds a socket, told at length: each process, who started it, since when. */
#ifndef VIEW_HOLDERS_H
#define VIEW_HOLDERS_H

#include "model/snapshot.h"
#include "view/page.h"

/* The holders of @n sockets (indexes), each process once; or why there is none. @timed: names of
 * units that a timer of their own name starts, NULL ends them; may be NULL. */
void holders_print(const struct page *page, const struct snapshot *snapshot,
		   const char *const *timed, const uint32_t *sockets, uint32_t n);

#endif
