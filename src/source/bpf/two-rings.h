/* A short ring, whose memory stays in the caches, before a long one: of bpf/handing.h. Whatever
 * happened to one socket is handed on in its order. */
#ifndef SOURCE_BPF_TWO_RINGS_H
#define SOURCE_BPF_TWO_RINGS_H

#include "source/bpf/ringbuf.h"

struct two_rings {
	struct ringbuf ring, brief;
	uint64_t *spill; /* in the programs' memory; NULL: there is no short ring */
};

void two_rings_done(struct two_rings *rings);

/* As ringbuf_read, up to what there is now. */
int two_rings_read(struct two_rings *rings, uint32_t limit, bool acknowledges, ringbuf_take *take,
		   void *data);
/* Bytes that are there and were not read. */
size_t two_rings_waiting(const struct two_rings *rings);

#endif
