/* What packed sockets are kept in. Only for model/packed*.c. */
#ifndef MODEL_PACKED_STORE_H
#define MODEL_PACKED_STORE_H

#include "base/slots.h"
#include "base/table.h"
#include "model/packed.h"

#define HOLDERS_FIRST 4096 /* so many before they are put in order for the first time */

enum tag {
	TAG_HELD = 1 << 0,
	TAG_WITH_HOLDER = 1 << 1, /* it ends the record */
	TAG_MORE_HOLDERS = 1 << 2,
	TAG_KERNEL = 1 << 3,
	TAG_NO_INODE = 1 << 4,
	TAG_CHANGED = 1 << 5,
	TAG_TWO_OWNERS = 1 << 6,
	TAG_COUNTS = 1 << 7,
};

/* Equal to the socket before: not written. */
enum same {
	SAME_SHAPE = 1 << 0,
	SAME_LOCAL = 1 << 1,
	SAME_PEER = 1 << 2,
	SAME_LOCAL_PORT = 1 << 3,
	SAME_PEER_PORT = 1 << 4,
	SAME_QUEUES = 1 << 5,
};

struct shape {
	uint32_t netns, uid, interface;
	uint8_t proto, family, state, flags;
};

struct change {
	uint32_t record;
	struct socket socket;
};

struct packed {
	struct vector log, blocks, keys;	  /* bytes; uint32_t; uint32_t */
	struct vector shapes, addresses, changes; /* struct shape, struct ip, struct change */
	struct vector holders;			  /* struct packed_holder */
	struct table by_shape, by_address, by_record;
	struct slots by_key;
	uint32_t holders_at_most; /* then they are put in order, and what is there twice goes */
	struct packed_one last;	  /* the newest, as it would be read */
};

/* Room for one more record and its holder. 0 or -ENOMEM. */
int packed_make_room(struct packed *packed);
/* A difference, small whichever way it goes; behind what it wrote. */
uint8_t *packed_put_step(uint8_t *at, uint64_t from, uint64_t to);

#endif
