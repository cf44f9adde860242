/* Who holds a socket, told at length: each process, who started it, since when. */
#ifndef VIEW_HOLDERS_H
#define VIEW_HOLDERS_H

#include "model/snapshot.h"
#include "view/page.h"

/* The holders of @n sockets (indexes), each process once; or why there is none. */
void holders_print(const struct page *page, const struct snapshot *snapshot,
		   const uint32_t *sockets, uint32_t n);

#endif
