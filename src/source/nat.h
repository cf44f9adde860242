/* Connections whose destination the kernel rewrites on their way (DNAT): a published port's, which
 * no socket of this namespace has. From connection tracking where it is in use, nfnetlink. */
#ifndef SOURCE_NAT_H
#define SOURCE_NAT_H

#include "base/vector.h"
#include "model/socket.h"
#include "source/netns.h"

struct nat_connection {
	struct ip client, to; /* as the client sees it: to the published port */
	uint16_t client_port, to_port;
	struct ip server, peer; /* as the server's socket sees it: its own end, and the other */
	uint16_t server_port, peer_port;
};

/* The connections of @proto (IPPROTO_TCP; IPPROTO_UDP, whose are remembered for a while) of the
 * namespace that came to a port of @first..@last and go elsewhere, into @ret (struct
 * nat_connection). None where nothing tracks connections. 0 or negative errno. */
int nat_read(const struct found_netns *netns, uint8_t proto, uint16_t first, uint16_t last,
	     struct vector *ret);

/* One answer's messages in @bytes (aligned to 8). 1: more follow; 0: that was the end; negative
 * errno. Pure. */
int nat_parse(const void *bytes, size_t n, uint32_t sequence, uint8_t proto, uint16_t first,
	      uint16_t last, struct vector *ret);

#endif
