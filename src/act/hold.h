/* All threads of one or more processes held still at once. */
#ifndef ACT_HOLD_H
#define ACT_HOLD_H

#include "act/registers.h"
#include "base/error.h"
#include "base/vector.h"
#include "source/host.h"

struct held_thread {
	int32_t pid, tid;
	uint32_t table; /* which table of descriptors: the index of the first thread that has it */
	bool is_asked, is_stopped, is_gone;
	struct waiting waiting;
};

struct hold {
	const struct host *host;
	struct vector threads; /* struct held_thread */
	struct vector pids;    /* int32_t */
	uint32_t n_compared;   /* threads whose table is known */
	uint64_t stopped_at, went_on_at;
};

void hold_init(struct hold *hold, const struct host *host);

/* Seizes all threads of @pid, which run on. 0; -ESRCH; -EPERM, -EBUSY with @err told. */
int hold_seize(struct hold *hold, int32_t pid, struct error *err);

/* Stops them all, and those that come meanwhile. A call that says EINTR only because of this begins
 * again. 0; -ETIMEDOUT: a thread is deep in the kernel and does not stop, with @err told. */
int hold_stop(struct hold *hold, struct error *err);

/* Which threads have which table, for those that came since the last time. One may leave its table
 * afterwards: then the socket is found in it once more (act/way-release.c). */
void hold_find_tables(struct hold *hold);

/* They go on, and are no longer traced; those that did not stop are let go when this process ends.
 */
void hold_let_go(struct hold *hold);

static inline struct held_thread *hold_thread(const struct hold *hold, uint32_t i)
{
	return vector_at(&hold->threads, i);
}

#endif
