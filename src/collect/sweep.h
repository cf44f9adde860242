/* All sockets and holders of a host put into a join: which sources, in which order. */
#ifndef COLLECT_SWEEP_H
#define COLLECT_SWEEP_H

#include "collect/join.h"

/* @found: struct found_netns; namespaces that only a socket shows are added to it. 0 or negative
 * errno. */
int sweep_sockets(struct host *host, struct join *join, struct vector *found, struct error *err);

#endif
