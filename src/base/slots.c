/* Numbers found by a hash. */
#include <errno.h>
#include <string.h>

#include "base/slots.h"

void slots_init(struct slots *slots)
{
	*slots = (struct slots){0};
	vector_init(&slots->vector, sizeof(uint32_t));
}

void slots_done(struct slots *slots)
{
	vector_done(&slots->vector);
	slots_init(slots);
}

int slots_start(struct slots *slots, uint32_t capacity, uint32_t limit)
{
	uint64_t n_slots = (uint64_t)capacity + capacity / 4 + 8;
	slots_done(slots); /* first: never two of them at a time */
	if (n_slots > UINT32_MAX || vector_reserve(&slots->vector, (uint32_t)n_slots) < 0)
		return -ENOMEM;
	memset(slots->vector.data, 0, n_slots * sizeof(uint32_t));
	slots->capacity = capacity;
	while (slots->bits < 31 && limit >> slots->bits)
		slots->bits++;
	return 0;
}

static uint32_t first_place(const struct slots *slots, uint64_t hash)
{
	return (uint32_t)((uint64_t)(uint32_t)hash * slots->vector.capacity >> 32);
}

static uint32_t place_behind(const struct slots *slots, uint32_t place)
{
	return place + 1 == slots->vector.capacity ? 0 : place + 1;
}

static uint32_t part_of(const struct slots *slots, uint64_t hash)
{
	return (uint32_t)(hash >> 32) << slots->bits;
}

void slots_add(struct slots *slots, uint64_t hash, uint32_t number)
{
	uint32_t *all = slots->vector.data, place = first_place(slots, hash);
	while (all[place])
		place = place_behind(slots, place);
	all[place] = part_of(slots, hash) | (number + 1);
	slots->n++;
}

static uint32_t look_from(const struct slots *slots, uint64_t hash, uint32_t *place)
{
	const uint32_t *all = slots->vector.data;
	uint32_t part = part_of(slots, hash), mask = (1u << slots->bits) - 1;
	for (; all[*place]; *place = place_behind(slots, *place))
		if ((all[*place] & ~mask) == part)
			return (all[*place] & mask) - 1;
	return SLOTS_NONE;
}

uint32_t slots_find(const struct slots *slots, uint64_t hash, uint32_t *place)
{
	if (!slots->n)
		return SLOTS_NONE;
	*place = first_place(slots, hash);
	return look_from(slots, hash, place);
}

uint32_t slots_next(const struct slots *slots, uint64_t hash, uint32_t *place)
{
	*place = place_behind(slots, *place);
	return look_from(slots, hash, place);
}
