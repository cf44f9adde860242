/* Whose the other end of a connection is. */
#ifndef WEB_PEER_H
#define WEB_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* A netlink socket to ask by. A descriptor or negative errno. */
int peer_open(void);

/* The other end of the connection @fd, TCP within this network namespace, is held by @uid: the
 * kernel's own answer for the full tuple, sock_diag(7), asked on @netlink. False too where nobody
 * holds it any more: whose it was cannot be told then. */
bool peer_is_tcp(int netlink, int fd, uid_t uid);

/* The same of a connection through AF_UNIX (SO_PEERCRED, unix(7)). */
bool peer_is_unix(int fd, uid_t uid);

#endif
