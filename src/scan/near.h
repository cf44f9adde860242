/* Which targets are this host's although not this place's: addresses of its other network
 * namespaces, over links that do not leave it. They are asked without a limit. */
#ifndef SCAN_NEAR_H
#define SCAN_NEAR_H

#include "model/netns.h"
#include "scan/targets.h"
#include "source/host.h"

/* Marks them, seen from the calling thread's namespace @place. What cannot be looked at stays a
 * stranger's. */
void near_mark(const struct netns *place, const struct targets *others, struct targets *targets);

/* The addresses of all namespaces of the host that may be entered, as targets. */
void near_collect(struct host *host, struct targets *ret, struct arena *arena);

#endif
