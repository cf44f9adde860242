/* The one namespace that is so full that it is looked at in threads beside the pass over
 * descriptors: its connections by a pass in BPF that tells what no file holds, all else by a dump.
 */
#ifndef COLLECT_CROWD_H
#define COLLECT_CROWD_H

#include "collect/join.h"
#include "source/netns.h"

struct crowd;

/* Where one of @found (struct found_netns) is worth it, and makes room for its sockets in the join;
 * NULL: none is. @host and @join are borrowed till the end. */
struct crowd *crowd_choose(struct host *host, struct join *join, const struct vector *found);

/* Begins what runs beside the pass over descriptors, which has begun by now. */
void crowd_start(struct crowd *crowd);

/* Which it is; NULL where there is none. */
const struct found_netns *crowd_place(const struct crowd *crowd);

/* What it found, into the join, which has the sockets of all descriptors by now. Where the two do
 * not agree on the connections that have a file they are dumped. 0 or negative errno with @err
 * told; it is gone in either case. */
int crowd_finish(struct crowd *crowd, struct error *err);

/* Broken off before. NULL is allowed. */
void crowd_abandon(struct crowd *crowd);

#endif
