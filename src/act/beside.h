/* What else the holders of a target serve: doors that close along with it when they end. */
#ifndef ACT_BESIDE_H
#define ACT_BESIDE_H

#include "model/snapshot.h"
#include "source/netns.h"

/* A door, and one process that has it. */
struct beside {
	int32_t pid;
	struct socket socket; /* local end, proto, family, inode; the rest as the dump had it */
};

/* The doors of the processes that hold the targets (indexes into the snapshot), in the scope's
 * namespaces, without the targets themselves, into @ret (struct beside). What may not be looked at
 * is left out. 0 or -ENOMEM. */
int beside_find(struct host *host, const struct netns_scope *scope, const struct snapshot *snapshot,
		const uint32_t *sockets, uint32_t n, struct vector *ret);

#endif
