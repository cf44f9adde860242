/* Names of containers, and to which one a published port belongs: docker-proxy, conmon,
 * rootlesskit, slirp4netns and pasta hold it for somebody. */
#ifndef SOURCE_CONTAINERS_H
#define SOURCE_CONTAINERS_H

#include "model/snapshot.h"
#include "source/host.h"

/* Fills the names of snapshot->containers and adds to snapshot->answers. 0 or -ENOMEM. */
int containers_answer(struct host *host, struct snapshot *snapshot, struct error *err);

#endif
