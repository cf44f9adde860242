/* The doors of a host at a glance: 65,536 of TCP and as many of UDP, a byte for each.
 *
 *     bit 7       6          5 4 3         2 1 0
 *     changed | ephemeral | door_reach | door_state
 */
#ifndef MODEL_DOOR_MAP_H
#define MODEL_DOOR_MAP_H

#include "model/difference.h"
#include "model/filter.h"

#define DOORS 65536

enum door_state {
	DOOR_CLOSED,
	DOOR_BOUND,	/* a number that somebody keeps, and nobody answers at */
	DOOR_OPEN,	/* what comes is taken: a listener, UDP without a peer */
	DOOR_CONNECTED, /* connections alone have it as their own number */
	DOOR_LEAVING,	/* nothing but TIME_WAIT and the like */
	DOOR_STATE_MAX,
};
extern const char *const door_state_words[DOOR_STATE_MAX + 1];

enum door_reach { /* of its open sockets, else of all: the widest */
		  DOOR_REACH_NONE,
		  DOOR_REACH_LOOPBACK,
		  DOOR_REACH_LINK_LOCAL,
		  DOOR_REACH_PRIVATE, /* and shared (RFC 6598) */
		  DOOR_REACH_PUBLIC,
		  DOOR_REACH_ANY,   /* every address of the host */
		  DOOR_REACH_GROUP, /* multicast, broadcast */
		  DOOR_REACH_MAX,
};
extern const char *const door_reach_words[DOOR_REACH_MAX + 1];

#define DOOR_EPHEMERAL 0x40
#define DOOR_CHANGED 0x80

static inline enum door_state door_state(uint8_t door)
{
	return (enum door_state)(door & 7);
}
static inline enum door_reach door_reach(uint8_t door)
{
	return (enum door_reach)(door >> 3 & 7);
}

enum door_proto { DOOR_TCP, DOOR_UDP, DOOR_PROTO_MAX };
extern const char *const door_proto_words[DOOR_PROTO_MAX + 1];

struct door_map {
	uint8_t doors[DOOR_PROTO_MAX][DOORS];
};

/* Of the sockets that match @filter (NULL: all). @difference (NULL: none is marked) ends at
 * @snapshot. The ephemeral range is that of the namespace in which the program runs, or the first
 * that is known. */
void door_map_make(const struct snapshot *snapshot, const struct filter *filter,
		   const struct difference *difference, struct door_map *ret);
/* The doors of which a socket is gone. */
void door_map_mark(struct door_map *map, const struct since *since);

#endif
