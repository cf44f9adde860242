/* How struct since is found. */
#ifndef MODEL_SINCE_FIND_H
#define MODEL_SINCE_FIND_H

#include "model/packed.h"

/* Into newer->since and, where both have NEED_RATE, newer->flows, as difference_keep_rates does.
 * @packed has the sockets of the newer, settled, in the order in which they will be its own; its
 * namespaces and processes are there. 0 or -ENOMEM. */
int since_find(const struct snapshot *older, const struct packed *packed, double least_seconds,
	       struct snapshot *newer);

#endif
