/* A probe that is traced through this host: which rules it met, and why the kernel dropped it. */
#ifndef WHY_TRACED_H
#define WHY_TRACED_H

#include "source/bpf/drops.h"
#include "source/packet-trace.h"

struct inquiry;

struct traced {
	struct vector hits;	  /* struct packet_hit */
	struct vector drops;	  /* struct packet_drop */
	bool has_hits, has_drops; /* it could be looked at */
	uint64_t netns;		  /* inode of the namespace whose rules were traced */
};

void traced_init(struct traced *traced);
void traced_done(struct traced *traced);

/* Dials again, traced, where the rights are there; the inquiry's answer is then that of this probe.
 * Where the packet was dropped by a filter in another namespace, once more with that one traced. 0
 * or -ENOMEM. */
int traced_probe(struct inquiry *inquiry);

#endif
