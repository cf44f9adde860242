/* Whether two sockets may share a port, by their options. */
#ifndef WHY_CONFLICT_H
#define WHY_CONFLICT_H

#include "model/diagnosis.h"
#include "source/host.h"

enum conflict { CONFLICT_NO, CONFLICT_MAYBE, CONFLICT_YES };

/* What the other socket was given; -1 unknown. */
struct other_options {
	int reuseaddr, reuseport;
};

/* A bind of @question against @socket, which overlaps. By inet_bind_conflict in
 * net/ipv4/inet_connection_sock.c, inet_rcv_saddr_equal's users in net/ipv4/udp.c. Pure. */
enum conflict conflict_of(const struct question *question, const struct socket *socket,
			  const struct other_options *options);

/* Asks a copy of the holder's descriptor (pidfd_getfd(2)); unknown where that may not be had. */
void conflict_read_options(const struct snapshot *snapshot, const struct socket *socket,
			   struct other_options *ret);

#endif
