/* What was, before what is: `watch --since`. */
#ifndef CMD_PAST_H
#define CMD_PAST_H

#include "cmd/watching.h"

/* Somebody records into context->archived now. */
bool past_is_recorded(const struct context *context);

/* From the record to the sink of @watching, up to its start. 0 or negative errno with @err told. */
int past_tell(struct watching *watching, uint64_t since_ns, struct error *err);

#endif
