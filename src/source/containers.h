/* Names of containers, and to which one a published port belongs: docker-proxy, conmon,
 * rootlesskit, slirp4netns and pasta hold it for somebody. */
#ifndef SOURCE_CONTAINERS_H
#define SOURCE_CONTAINERS_H

#include "model/query.h"
#include "model/snapshot.h"
#include "source/host.h"

/* With NEED_ANSWERS the names of snapshot->containers and snapshot->answers; in any case the names
 * of the namespaces that are a container's. 0 or -ENOMEM. */
int containers_answer(struct host *host, const struct query *query, struct snapshot *snapshot,
		      struct error *err);

/* Is the namespace called by a container that a socket in it leads to? It has no name, or one that
 * an engine made up. */
bool containers_may_name(const struct netns *netns);

#endif
