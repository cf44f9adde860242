/* Who is there on the links of the place that is scanned from. Asked by frames of our own, so that
 * neither who is there nor who is not takes room in the kernel's table of neighbours. */
#ifndef SCAN_NEIGHBOURS_H
#define SCAN_NEIGHBOURS_H

#include "scan/job.h"
#include "scan/link-way.h"

#define NEIGHBOURS_KERNELS 64 /* so many are left to the kernel's own table */

struct neighbours {
	struct link_way *ways; /* of each target of the job; NULL: nothing is known */
	uint8_t *states;       /* enum neighbour_state */
	uint32_t n_on_link, n_present, n_absent;
};
enum neighbour_state {
	NEIGHBOUR_ELSEWHERE, /* behind a gateway, or on a link where nobody is asked */
	NEIGHBOUR_ASKED,
	NEIGHBOUR_PRESENT, /* its way is known */
	NEIGHBOUR_ABSENT,
};

/* Asks for each target on a link. Doors of those that are not there are told as that. Without
 * CAP_NET_RAW it is only counted which are on a link. 0 or negative errno with @err told;
 * neighbours_done() in either case. */
int neighbours_find(const struct job *job, struct neighbours *ret, struct error *err);
void neighbours_done(struct neighbours *neighbours);

/* How many entries the kernel's table of neighbours has room for. */
uint32_t neighbours_room(bool is_v4);

#endif
