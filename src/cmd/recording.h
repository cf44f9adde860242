/* The service of `record`: the stream of events into the file, until it is told to stop. */
#ifndef CMD_RECORDING_H
#define CMD_RECORDING_H

#include "cmd/command.h"
#include "history/history.h"
#include "model/query.h"

struct recording_wish {
	const char *path;
	uint64_t retain_ns, retain_size; /* 0: without a bound */
	struct netns_scope scope;
	enum source_choice source;
	const char *pin_path; /* folder on a bpffs; NULL: nothing stays when it ends */
	uint32_t ring_size;   /* bytes; 0: as is good */
};

/* Before the rights go: makes the folder of HISTORY_PATH where that is @path, and becomes whom the
 * folder belongs to where root records into another's. 0, or negative errno with @err told. */
int recording_prepare(const char *path, struct error *err);

/* Records until it is stopped. 0 or negative errno with @err told. */
int recording_run(struct context *context, const struct recording_wish *wish, struct error *err);

#endif
