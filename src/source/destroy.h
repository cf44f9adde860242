/* A socket ended by the kernel, whoever holds it: SOCK_DESTROY, sock_diag(7). */
#ifndef SOURCE_DESTROY_H
#define SOURCE_DESTROY_H

#include "model/socket.h"

/* Ends the one socket with the ends and the cookie of @socket. Without a cookie, and without a
 * connection that has these ends, the kernel takes the listener that they lead to. @fd is a
 * NETLINK_SOCK_DIAG socket of its namespace (netns_socket). Needs CAP_NET_ADMIN there.
 * 0; -ENOENT: it is gone, or another has its ends by now; -EOPNOTSUPP: this kernel was built
 * without CONFIG_INET_DIAG_DESTROY, or cannot for this protocol; other negative errno. */
int destroy_socket(int fd, const struct socket *socket);

#endif
