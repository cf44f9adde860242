/* The connections to blocked ports, ended by the kernel. */
#ifndef ACT_CUT_H
#define ACT_CUT_H

#include "act/session.h"
#include "model/block.h"
#include "model/query.h"
#include "source/netns.h"

/* Ends the TCP connections that came in at the ports of @blocks (struct block) from where each
 * blocks, but not those that were opened from here: the sockets of the namespace, until there is
 * none, and those that NAT passes on, at their server, in whichever namespace it is.
 * 0, or negative errno with @err told. */
int cut_connections(struct host *host, const struct netns_scope *scope,
		    const struct found_netns *netns, const struct vector *blocks,
		    const struct session *session, bool is_forced, struct cut *ret,
		    struct error *err);

/* New connections of this session's user would be refused by one of @blocks. Pure. */
bool cut_is_own_door(const struct vector *blocks, const struct session *session);

/* What it left, as an error: 0, or negative errno with @err told. */
int cut_failed(const struct cut *cut, struct error *err);

#endif
