/* What takes longer than a key may wait, in a thread of its own: what is to be shown is worked out,
 * of half a million sockets perhaps; what was shown is given up; the choice goes to its file. */
#ifndef TOP_ARRANGER_H
#define TOP_ARRANGER_H

#include "top/arrange.h"

struct arranger;

/* @services live as long. 0 or negative errno with @err told. */
int arranger_start(const struct services *services, struct arranger **ret, struct error *err);
void arranger_free(struct arranger *arranger); /* NULL is fine */

/* In place of what was wished and is not begun. The snapshots are held until it is done. */
void arranger_ask(struct arranger *arranger, const struct wish *wish);

/* Readable: there is one to take, or a choice was not kept. */
int arranger_fd(const struct arranger *arranger);
/* The latest, held for the caller; NULL: none that was not taken. */
struct arrangement *arranger_take(struct arranger *arranger);

/* Gives up a reference, in the thread: what is large takes longer to go than a key may wait. NULL
 * is fine; without an arranger it goes at once. */
void arranger_release(struct arranger *arranger, struct arrangement *arrangement);
void arranger_release_snapshot(struct arranger *arranger, const struct snapshot *snapshot);

/* Keeps @choices for next time (choices_save), in place of those that it has not begun to keep;
 * what is not kept when the thread ends is kept then. */
void arranger_keep(struct arranger *arranger, const struct choice choices[CHOICE_LISTS]);
/* 0; negative errno with @err told: they were not kept, which is told once. */
int arranger_kept(struct arranger *arranger, struct error *err);

#endif
