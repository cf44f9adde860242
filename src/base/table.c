/* From a 64-bit key to an index. */
#include <errno.h>

#include "base/memory.h"
#include "base/table.h"

static void give_back(struct table *table)
{
	memory_free(table->slots, ((size_t)table->mask + 1) * sizeof(*table->slots));
}

void table_init(struct table *table, uint64_t (*key)(const void *, uint32_t), const void *owner)
{
	*table = (struct table){.key = key, .owner = owner};
}

void table_done(struct table *table)
{
	give_back(table);
	table_init(table, table->key, table->owner);
}

static void put(uint32_t *slots, uint32_t mask, uint64_t key, uint32_t index)
{
	uint32_t at = (uint32_t)table_mix(key) & mask;
	while (slots[at])
		at = (at + 1) & mask;
	slots[at] = index + 1;
}

static int grow(struct table *table, uint64_t n_slots)
{
	if (n_slots > UINT32_MAX)
		return -ENOMEM;
	uint32_t *slots = memory_zeroed(n_slots * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	uint32_t mask = (uint32_t)n_slots - 1;
	for (uint64_t i = 0; table->slots && i <= table->mask; i++)
		if (table->slots[i])
			put(slots, mask, table->key(table->owner, table->slots[i] - 1),
			    table->slots[i] - 1);
	give_back(table);
	table->slots = slots;
	table->mask = mask;
	return 0;
}

int table_reserve(struct table *table, uint32_t n)
{
	uint64_t n_slots = 64;
	while (n_slots / 4 * 3 < n)
		n_slots *= 2;
	return table->slots && n_slots <= (uint64_t)table->mask + 1 ? 0 : grow(table, n_slots);
}

int table_add(struct table *table, uint64_t key, uint32_t index)
{
	if (!table->slots || table->n >= ((uint64_t)table->mask + 1) / 4 * 3) {
		int r = grow(table, table->slots ? ((uint64_t)table->mask + 1) * 2 : 64);
		if (r < 0)
			return r;
	}
	put(table->slots, table->mask, key, index);
	table->n++;
	return 0;
}

uint32_t table_find(const struct table *table, uint64_t key, uint32_t *place)
{
	if (!table->slots)
		return TABLE_NONE;
	*place = (uint32_t)table_mix(key) & table->mask;
	return table->slots[*place] - 1; /* 0, the empty one, becomes TABLE_NONE */
}

uint32_t table_next(const struct table *table, uint64_t key, uint32_t *place)
{
	(void)key;
	*place = (*place + 1) & table->mask;
	return table->slots[*place] - 1;
}
