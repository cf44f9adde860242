/* How a frame gets to a target: the interface and the header of the link, as the kernel itself
 * would choose them (rtnetlink(7)). */
#ifndef SCAN_LINK_WAY_H
#define SCAN_LINK_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/scan.h"

#define WAY_HEAD 14 /* bytes of an Ethernet header */

struct link_way {
	int interface;
	uint8_t head[WAY_HEAD];
};

/* A socket to ask by. -EPERM: frames may have to go through more than a route (IPsec's policies),
 * or it cannot be known; other negative errno. */
int link_way_open(void);

/* The way to @target from @from but for the link address of who is next on it, *@ret_next: the
 * target itself, or a gateway. 0; -EHOSTUNREACH: only packets go there; other negative errno. */
int link_way_begin(int fd, const struct scan_target *target, const struct ip *from,
		   struct link_way *ret, struct ip *ret_next);

/* The way to @target from @from. @is_heard: it has answered already, so that a neighbour that the
 * kernel would ask once more is right too. 0; -EHOSTUNREACH: not yet, or only packets go there;
 * other negative errno. */
int link_way_find(int fd, const struct scan_target *target, const struct ip *from, bool is_heard,
		  struct link_way *ret);

#endif
