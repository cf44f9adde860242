/* A container engine told to stop a container: through its socket, or its command. */
#ifndef ACT_ENGINE_H
#define ACT_ENGINE_H

#include "model/process.h"
#include "source/host.h"

/* Stops the container with that id (64 hexadecimal digits); what does not end within @grace_ms is
 * killed by the engine. Blocks until it is stopped. 0 (also where it is stopped already), or
 * negative errno with @err told. */
int engine_stop(struct host *host, enum engine engine, const char *id, uint64_t grace_ms,
		struct error *err);

/* The status of an answer to an HTTP request: 204; negative where it is none. *@ret_body: behind
 * its header. Pure. */
int engine_parse_answer(const char *text, const char **ret_body);

#endif
