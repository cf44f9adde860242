/* What is to be shown, worked out in a thread of its own: with half a million sockets it takes
 * longer than a key may wait. */
#ifndef TOP_ARRANGER_H
#define TOP_ARRANGER_H

#include "top/arrange.h"

struct arranger;

/* @services live as long. 0 or negative errno with @err told. */
int arranger_start(const struct services *services, struct arranger **ret, struct error *err);
void arranger_free(struct arranger *arranger); /* NULL is fine */

/* In place of what was wished and is not begun. The snapshots are held until it is done. */
void arranger_ask(struct arranger *arranger, const struct wish *wish);

int arranger_fd(const struct arranger *arranger); /* readable: there is one to take */
/* The latest, held for the caller; NULL: none that was not taken. */
struct arrangement *arranger_take(struct arranger *arranger);

/* Gives up a reference, in the thread: what is large takes longer to go than a key may wait. NULL
 * is fine; without an arranger it goes at once. */
void arranger_release(struct arranger *arranger, struct arrangement *arrangement);
void arranger_release_snapshot(struct arranger *arranger, const struct snapshot *snapshot);

#endif
