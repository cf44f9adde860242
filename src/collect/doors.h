/* What is open: sockets by their cookie, with who holds them, and those with a port of their own by
 * that port. */
#ifndef COLLECT_DOORS_H
#define COLLECT_DOORS_H

#include "collect/actors.h"

enum door_flag {
	DOOR_STANDING = 1 << 0, /* it was open as the watching began */
	DOOR_EXACT = 1 << 1,	/* the holder was seen in its own context */
	DOOR_SEEN = 1 << 2,	/* by the listing that is being compared */
};

struct door {
	struct socket socket; /* netns: not set */
	uint64_t netns;	      /* inode */
	uint64_t opened_ns;   /* boot time; 0 unknown */
	uint32_t actor;	      /* held; or NONE */
	uint32_t next_cookie, next_port, previous_port;
	uint8_t flags;
	bool is_used;
};

struct doors {
	struct vector all; /* struct door */
	uint32_t *by_cookie, *by_port;
	uint32_t n_heads, n, unused; /* unused: the first of those that may be used again */
	struct actors *actors;
};

void doors_init(struct doors *doors, struct actors *actors);
void doors_done(struct doors *doors);

/* NULL: there is none. Borrowed until the next is added. */
struct door *doors_find(const struct doors *doors, uint64_t cookie);
/* The one with that cookie, new and empty or as it was; its holder is held. NULL: no memory. */
struct door *doors_add(struct doors *doors, const struct socket *socket, uint64_t netns,
		       uint32_t actor);
void doors_remove(struct doors *doors, struct door *door);

/* The next with that local port, from NULL on; NULL: no more. Listeners come first: on the port of
 * one there may be a hundred thousand connections. */
struct door *doors_on_port(const struct doors *doors, uint64_t netns, uint16_t port,
			   const struct door *after);
static inline struct door *doors_at(const struct doors *doors, uint32_t i)
{
	return vector_at(&doors->all, i);
}

#endif
