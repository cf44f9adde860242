/* Two rings read as one.
 *
 * Programs write into the short ring. Who finds no room there says in spill where the long one is
 * (| 1), and from then on all write into that, until the reader has read both and puts spill back
 * to 0. Who had looked at spill before it changed may still write into the ring of before; but what
 * happens to a socket after that sees the change. */
#include "source/bpf/two-rings.h"

#define STAGES_MAX 3

struct stage {
	struct ringbuf *ring;
	uint64_t end;
};

void two_rings_done(struct two_rings *rings)
{
	ringbuf_done(&rings->ring);
	ringbuf_done(&rings->brief);
	rings->spill = NULL;
}

/* While the short one takes records, the other has at most what began before that. Once it does
 * not, what is behind the place of that change comes behind all that is in the short one. Of two
 * ends that of the later records is read first: then none of the other that they follow is missed.
 */
static unsigned plan_stages(struct two_rings *rings, struct stage ret[STAGES_MAX])
{
	struct ringbuf *ring = &rings->ring, *brief = &rings->brief;
	uint64_t from, end, brief_end;
	if (!rings->spill) {
		ret[0] = (struct stage){ring, ringbuf_end(ring)};
		return 1;
	}
	brief_end = ringbuf_end(brief);
	end = ringbuf_end(ring);
	from = __atomic_load_n(rings->spill, __ATOMIC_ACQUIRE);
	if (!from) {
		ret[0] = (struct stage){ring, end};
		ret[1] = (struct stage){brief, brief_end};
		return 2;
	}
	end = ringbuf_end(ring);
	brief_end = ringbuf_end(brief);
	ret[0] = (struct stage){ring, from & ~UINT64_C(1)};
	ret[1] = (struct stage){brief, brief_end};
	ret[2] = (struct stage){ring, end};
	return STAGES_MAX;
}

static void return_to_short(struct two_rings *rings)
{
	if (rings->spill && __atomic_load_n(rings->spill, __ATOMIC_RELAXED) &&
	    !two_rings_waiting(rings))
		__atomic_store_n(rings->spill, 0, __ATOMIC_RELEASE);
}

int two_rings_read(struct two_rings *rings, uint32_t limit, bool acknowledges, ringbuf_take *take,
		   void *data)
{
	struct stage stages[STAGES_MAX];
	unsigned n_stages = plan_stages(rings, stages);
	int n = 0;
	for (unsigned i = 0; i < n_stages; i++) {
		int r = ringbuf_read(stages[i].ring, stages[i].end, limit - (uint32_t)n,
				     acknowledges, take, data);
		if (r < 0)
			return r;
		n += r;
		if (stages[i].ring->at < stages[i].end)
			return n; /* one is not whole yet, or it is enough */
	}
	return_to_short(rings);
	return n;
}

size_t two_rings_waiting(const struct two_rings *rings)
{
	size_t n = (size_t)(ringbuf_end(&rings->ring) - rings->ring.at);
	if (rings->spill)
		n += (size_t)(ringbuf_end(&rings->brief) - rings->brief.at);
	return n;
}
