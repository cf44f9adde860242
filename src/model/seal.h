/* What the sealing of a snapshot and of a stream have in common. */
#ifndef MODEL_SEAL_H
#define MODEL_SEAL_H

#include "model/snapshot.h"

/* A larger group of one port is compared with its first so many. */
#define SEAL_SAME_PORT_MAX 64

/* Whether the number of two sockets of @snapshot, both of which stand in its array, has two owners.
 */
bool seal_are_two_owners(const struct snapshot *snapshot, const struct socket *a,
			 const struct socket *b);

#endif
