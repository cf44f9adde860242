/* Which units a systemd timer of their own name starts (systemd.timer(5)). */
#ifndef SOURCE_TIMERS_H
#define SOURCE_TIMERS_H

#include "base/vector.h"
#include "model/snapshot.h"
#include "source/host.h"

/* Of the units in the snapshot those with such a timer, each once: const char * into the snapshot,
 * a NULL at the end. @ret is initialised by the caller. 0 or -ENOMEM. */
int timers_find(const struct host *host, const struct snapshot *snapshot, struct vector *ret);

#endif
