/* A snapshot each interval, taken in a thread of its own, so that who shows them is never kept
 * waiting. Screen and page share it: however many look, one snapshot is taken.
 *
 * The thread has the capabilities that the one which started it has at that moment, and keeps of
 * them what collecting needs (CAPS_SEE); the other may drop its own. */
#ifndef COLLECT_REFRESH_H
#define COLLECT_REFRESH_H

#include <stdbool.h>

#include "base/error.h"
#include "model/query.h"
#include "model/snapshot.h"

#define REFRESH_INTERVAL_MIN_MS 50

struct refresh;

/* What is asked each time. What @query points to (its filter, the scope's name) is borrowed for the
 * life of the refresh. Paused at the start where @is_paused. 0 or negative errno with @err told. */
int refresh_start(const struct query *query, unsigned interval_ms, bool is_paused,
		  struct refresh **ret, struct error *err);
/* Breaks off what is under way, and ends the thread. NULL is fine. */
void refresh_free(struct refresh *refresh);

/* An eventfd: readable once there is a snapshot, or a failure, that refresh_take has not given. */
int refresh_fd(const struct refresh *refresh);

/* The latest, held for the caller (snapshot_release); NULL: none yet. *@ret_query (may be NULL):
 * which query it answers, as refresh_ask counted. */
const struct snapshot *refresh_take(struct refresh *refresh, unsigned *ret_query);

/* Why there is none newer: 0, or negative errno with @err told. */
int refresh_error(struct refresh *refresh, struct error *err);

/* Another question from now on, and an answer at once. Returns its number; the first is 0. */
unsigned refresh_ask(struct refresh *refresh, const struct query *query);

/* None is taken while it is paused, unless it is asked to hurry. */
void refresh_pause(struct refresh *refresh, bool is_paused);

/* One is taken now (after the one that is under way), and the beat goes on from there. */
void refresh_hurry(struct refresh *refresh);

/* From so many sockets on the older snapshot is given up before the newer is unpacked. Who has it
 * is told by refresh_fd, releases it, and says so; until then the newer waits. What became of its
 * sockets stands in the newer (struct since). 0 (as at the start): never. */
void refresh_spare(struct refresh *refresh, uint32_t n_sockets);
bool refresh_wants_room(struct refresh *refresh);
void refresh_give_room(struct refresh *refresh);

/* How long the last one took, in nanoseconds; 0: none yet. */
uint64_t refresh_cost_ns(struct refresh *refresh);

#endif
