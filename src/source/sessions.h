/* From where the ssh session came that started something. */
#ifndef SOURCE_SESSIONS_H
#define SOURCE_SESSIONS_H

#include "model/snapshot.h"
#include "source/host.h"

/* Fills `from` of the ancestors in the snapshot that are ssh sessions: by the connection that the
 * server holds, or, where that may not be looked at, by what it told the process that it started.
 * 0 or -ENOMEM. */
int sessions_find(struct host *host, struct snapshot *snapshot);

/* The address in SSH_CONNECTION, "10.0.0.5 51234 10.0.0.1 22" (ssh(1)), of an environment; false:
 * it has none. Pure. */
bool session_parse_environment(const char *text, size_t n, char *ret, size_t size);

#endif
