/* Which sockets of a snapshot stand in the way of a bind. */
#ifndef WHY_STANDING_H
#define WHY_STANDING_H

#include "why/conflict.h"
#include "why/why.h"

/* @socket has the question's port in its namespace and protocol, overlaps, and its options do not
 * let both be. *@ret_is_sure: that is certain. */
bool standing_in_the_way(struct inquiry *inquiry, const struct socket *socket, bool *ret_is_sure);

/* What a listener or a connection is named for this question. */
bool standing_is_connection(const struct socket *socket);

/* What a bind with SO_REUSEADDR would come to, told as a remedy for sockets that are no listeners.
 */
const char *standing_reuseaddr_remedy(const struct inquiry *inquiry);

#endif
