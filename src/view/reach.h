/* Who can reach a socket, in words: by its address, and for any address by those of the interfaces.
 * The firewall's verdict will stand beside it. */
#ifndef VIEW_REACH_H
#define VIEW_REACH_H

#include "base/out.h"
#include "model/snapshot.h"

/* "anyone on the Internet through eth0; your private network 10.0.0.0/8 through docker0; this
 * host". Names of interfaces are written as they are. */
void reach_write(struct out *out, const struct snapshot *snapshot, const struct socket *socket);

#endif
