/* Can the port be bound again? Tried by a real bind, which never listens and is gone at once. */
#ifndef ACT_TRIAL_H
#define ACT_TRIAL_H

#include "model/plan.h"
#include "source/netns.h"

/* Binds what the target was bound to, in its namespace. 0, or negative errno of socket(2) or
 * bind(2), or of entering the namespace. */
int trial_bind(const struct found_netns *place, const struct identity *target, bool reuseaddr);

#endif
