/* Numbers found by a hash of what they stand for: open addressing over slots of 4 bytes, at most
 * four of five filled. A slot keeps its number and, in the bits that this leaves, a part of the
 * hash, so that few of those that stand in the way are ever compared. Where base/table.h asks its
 * owner for keys in order to grow, this is filled anew by the owner. */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vector.h"

struct slots {
	struct vector vector; /* uint32_t: part of the hash, number + 1; 0 is empty */
	uint32_t n, capacity;
	unsigned bits; /* of number + 1 */
};

#define SLOTS_NONE UINT32_MAX

void slots_init(struct slots *slots);
void slots_done(struct slots *slots);

/* Empties it, with room for @capacity numbers, each below @limit (at most 2^31). 0 or -ENOMEM. */
int slots_start(struct slots *slots, uint32_t capacity, uint32_t limit);

static inline bool slots_is_full(const struct slots *slots)
{
	return slots->n == slots->capacity;
}

/* Only where there is room. */
void slots_add(struct slots *slots, uint64_t hash, uint32_t number);

/* The first number that may stand for what has @hash, or SLOTS_NONE; more follow through
 * slots_next, @place being a cursor. The caller compares. */
uint32_t slots_find(const struct slots *slots, uint64_t hash, uint32_t *place);
uint32_t slots_next(const struct slots *slots, uint64_t hash, uint32_t *place);

#endif
