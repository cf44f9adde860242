/* From a 64-bit key to an index: open addressing over 4-byte slots. The keys themselves stand with
 * the caller, who compares them; so a slot costs 4 bytes. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdint.h>

struct table {
	uint32_t *slots; /* index + 1; 0 is empty */
	uint32_t mask;	 /* slots - 1, a power of two less one; 0 before the first */
	uint32_t n;
	uint64_t (*key)(const void *owner, uint32_t index); /* key of an entry, for growing */
	const void *owner;
};

#define TABLE_NONE UINT32_MAX

void table_init(struct table *table, uint64_t (*key)(const void *, uint32_t), const void *owner);
void table_done(struct table *table);

/* Room for @n entries without growing. 0 or -ENOMEM. */
int table_reserve(struct table *table, uint32_t n);

/* Adds @index under its key (several may share one). 0 or -ENOMEM. */
int table_add(struct table *table, uint64_t key, uint32_t index);

/* A first candidate for @key, or TABLE_NONE; more follow through table_next, @place being a cursor.
 * Others may stand among them: the caller compares. */
uint32_t table_find(const struct table *table, uint64_t key, uint32_t *place);
uint32_t table_next(const struct table *table, uint64_t key, uint32_t *place);

/* A well-mixed number of a key (SplitMix64's finalizer). */
static inline uint64_t table_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Asks for the memory that a search for @key begins with, some time before it is read. */
static inline void table_expect(const struct table *table, uint64_t key)
{
	if (table->slots)
		__builtin_prefetch(&table->slots[(uint32_t)table_mix(key) & table->mask]);
}

#endif
