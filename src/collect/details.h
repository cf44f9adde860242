/* What is told of the namespaces, processes and users of a snapshot, once each and only as far as
 * it is needed. */
#ifndef COLLECT_DETAILS_H
#define COLLECT_DETAILS_H

#include "collect/census.h"

/* What the query asks of the processes. */
uint32_t details_needs(const struct query *query);

/* Namespaces that were found: struct found_netns of source/netns.h. */
int details_netns(struct host *host, struct join *join, const struct vector *found,
		  struct error *err);
/* Processes that hold a socket that may match, and their parents. */
int details_processes(struct host *host, struct join *join, struct census *census,
		      bool filters_early, struct error *err);
/* Names of users, services, containers; who answers for whom. */
int details_names(struct host *host, struct join *join, struct error *err);

#endif
