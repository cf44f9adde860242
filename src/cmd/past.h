/* What was, before what is: `watch --since`. */
#ifndef CMD_PAST_H
#define CMD_PAST_H

#include "cmd/watching.h"

struct past {
	uint64_t since_ns; /* Unix ns */
	bool is_recorded;  /* somebody records now: the record has all up to the start */
};

/* Somebody records into context->archived now. */
bool past_is_recorded(const struct context *context);

/* watch_source.past, with struct past: from the record to the sink, up to the start of @watching. 0
 * or negative errno with @err told. */
int past_tell(void *data, struct watching *watching, struct error *err);

#endif
