/* What the collecting of a snapshot and of a stream have in common. Only for collect/. */
#ifndef COLLECT_STREAM_H
#define COLLECT_STREAM_H

#include "collect/join.h"
#include "model/stream.h"

/* For who keeps the sockets packed while they are collected. */
struct packing {
	struct packed *packed;
	/* After the processes, before the names, which are worked out from the sockets that then
	 * stand in the snapshot. 0, or -ENOMEM with @err told. */
	int (*unpack)(struct packing *packing, struct join *join, struct error *err);
};

/* A snapshot, sealed; with @packing (may be NULL) of its sockets it has those that were unpacked.
 * 0, or negative errno with @err told. */
int collect_either(struct host *host, const struct query *query, struct packing *packing,
		   struct snapshot **ret, struct error *err);

/* Marks the processes that hold a packed socket which may match. */
void stream_mark_wanted(const struct join *join, bool filters_early, bool *wanted);

#endif
