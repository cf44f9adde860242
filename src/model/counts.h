/* What went over each of many connections so far, in a few bytes each: only how much more it is
 * than at the last look matters.
 *
 *   log     of each socket in turn: 0; or bytes acknowledged + 1, bytes received; of variable
 * length starts  where every 16th begins */
#ifndef MODEL_COUNTS_H
#define MODEL_COUNTS_H

#include <stdbool.h>

#include "base/vector.h"

struct byte_counts {
	uint64_t acked, received;
};

struct counts {
	struct vector log, starts; /* bytes; uint32_t */
	uint32_t n;
};

void counts_init(struct counts *counts);
void counts_done(struct counts *counts);

/* Of the next socket; NULL: not known. 0 or -ENOMEM. */
int counts_add(struct counts *counts, const struct byte_counts *of);
/* False: not known. */
bool counts_get(const struct counts *counts, uint32_t index, struct byte_counts *ret);

#endif
