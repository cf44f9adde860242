/* All sockets and holders of a host put into a join: which sources, in which order. */
#ifndef COLLECT_SWEEP_H
#define COLLECT_SWEEP_H

#include "collect/join.h"
#include "source/bpf/files.h"

/* The pass over descriptors begun before all else, where it is sure to be wanted. NULL: it is not;
 * sweep_sockets() chooses then. */
struct files_pass *sweep_start(struct host *host, const struct query *query);

/* @found: struct found_netns; namespaces that only a socket shows are added to it. @files: what
 * sweep_start() gave; it is gone afterwards. 0 or negative errno. */
int sweep_sockets(struct host *host, struct join *join, struct vector *found,
		  struct files_pass *files, struct error *err);

#endif
