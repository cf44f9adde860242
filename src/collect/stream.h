/* What the collecting of a snapshot and of a stream have in common. Only for collect/. */
#ifndef COLLECT_STREAM_H
#define COLLECT_STREAM_H

#include "collect/join.h"
#include "model/stream.h"

/* A snapshot, sealed; or with @stream one that is the stream's, whose sockets are packed there. 0,
 * or negative errno with @err told. */
int collect_either(struct host *host, const struct query *query, struct stream *stream,
		   struct snapshot **ret, struct error *err);

/* Marks the processes that hold a packed socket which may match. */
void stream_mark_wanted(const struct join *join, bool filters_early, bool *wanted);

/* After the processes, before the names: what these are worked out from goes into the snapshot. 0,
 * or -ENOMEM with @err told. */
int stream_prepare(struct stream *stream, const struct join *join, struct error *err);

#endif
