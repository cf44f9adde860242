/* Who is connected, grouped by the address at the other end. */
#ifndef MODEL_PEERS_H
#define MODEL_PEERS_H

#include "model/rows.h"
#include "model/snapshot.h"

struct peer_group {
	struct ip ip;
	bool is_v4;
	uint8_t proto, role; /* enum role: ROLE_DIALLED went out from this port */
	uint32_t netns;	     /* index, or NONE */
	uint32_t count;
	uint32_t states;  /* 1 << enum state */
	uint32_t process; /* at the other end, within this host, of the first; or NONE */
	uint32_t mine;	  /* process at this end, of the first; or NONE */
	uint32_t n_local; /* how many of them have their other end within this host */
	uint16_t port;	  /* the peer's, where all have the same; 0 */
	uint16_t my_port;
};

/* The connections among the sockets of @rows, the largest group first. @ret: struct peer_group, to
 * be initialised by the caller's vector_init. 0 or -ENOMEM. */
int peers_group(const struct rows *rows, struct vector *ret);

#endif
