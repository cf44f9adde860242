/* A socket replaced by its stand-in in all processes that hold it, at once or not at all. */
#ifndef ACT_SWAP_H
#define ACT_SWAP_H

#include "act/stand-in.h"
#include "base/error.h"
#include "source/host.h"

struct swap_job {
	const struct host *host;
	const struct identity *target;
	const struct step_holder *holders;
	uint32_t n_holders;
};

struct swap_result {
	uint32_t n_threads, n_tables, n_numbers; /* held still; swapped; descriptors swapped */
	uint64_t stopped_ns; /* from the first thread's stop to the last's going on */
	bool is_unix;	     /* a stand-in is of AF_UNIX */
};

/* A process of its own does it, which no signal but SIGKILL breaks off, so that whatever happens to
 * this one the threads go on unharmed. 0: it was done, or @ret->n_numbers is 0 since nobody holds
 * it any more; negative errno with @err told: all is as before. */
int swap_run(const struct swap_job *job, struct swap_result *ret, struct error *err);

#endif
