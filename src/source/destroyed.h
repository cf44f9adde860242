/* Sockets as the kernel destroys them: the groups of NETLINK_SOCK_DIAG, sock_diag(7). No privilege
 * and no BPF; ends only, and nothing of who did it. */
#ifndef SOURCE_DESTROYED_H
#define SOURCE_DESTROYED_H

#include "source/netns.h"
#include "source/source.h"

/* A socket that hears of those of @proto (PROTO_TCP, PROTO_UDP) in the namespace. Non-blocking. A
 * descriptor or negative errno. */
int destroyed_open(const struct found_netns *place, enum proto proto);
/* What has come, to sink->socket; state: that of an ended one. *@ret_lost: some found no room. 0 or
 * what the sink said. */
int destroyed_read(int fd, enum proto proto, struct sink *sink, bool *ret_lost);

#endif
