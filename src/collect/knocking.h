/* Knocks as a stream of events (model/event.h, EVENT_KNOCK): who tries which closed or filtered
 * door. The first try of each is told at once, those that follow together, once a second. */
#ifndef COLLECT_KNOCKING_H
#define COLLECT_KNOCKING_H

#include "collect/collect.h"
#include "model/event.h"

struct knocking;

/* Hands EVENT_STARTED to @sink, which is borrowed as the strings of @scope are. 0 or negative errno
 * with @err told. */
int knocking_start(struct host *host, const struct netns_scope *scope, struct event_sink *sink,
		   struct knocking **ret, struct error *err);
void knocking_free(struct knocking *knocking); /* NULL is fine */

/* Readable when it is time to look. */
int knocking_fd(const struct knocking *knocking);
/* Hands on what came. @is_last: and what would have waited. 0, what the sink returned, or negative
 * errno with @err told. */
int knocking_turn(struct knocking *knocking, bool is_last, struct error *err);

#endif
