/* Memory that is given back as a whole, and strings kept once in it. */
#include <string.h>

#include "base/arena.h"

#define BLOCK_SIZE 65536
#define FIRST_BLOCK_SIZE 16384

struct arena_block {
	struct arena_block *older;
	size_t size;
	char data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_done(struct arena *arena)
{
	for (struct arena_block *block = arena->blocks; block;) {
		struct arena_block *older = block->older;
		free(block);
		block = older;
	}
	free(arena->slots);
	free(arena->strings);
	arena_init(arena);
}

size_t arena_size(const struct arena *arena)
{
	size_t size = arena->n_slots * (sizeof(*arena->slots) + sizeof(*arena->strings) / 2);
	for (const struct arena_block *block = arena->blocks; block; block = block->older)
		size += sizeof(*block) + block->size;
	return size;
}

static char *take(struct arena *arena, size_t size, size_t alignment)
{
	char *at = (char *)(((uintptr_t)arena->next + alignment - 1) & ~(uintptr_t)(alignment - 1));
	if (arena->next && at <= arena->end && (size_t)(arena->end - at) >= size) {
		arena->next = at + size;
		return at;
	}

	size_t usual = arena->blocks ? BLOCK_SIZE : FIRST_BLOCK_SIZE;
	size_t wanted = size + alignment > usual ? size + alignment : usual;
	struct arena_block *block = malloc(sizeof(*block) + wanted);
	if (!block)
		return NULL;
	block->older = arena->blocks;
	block->size = wanted;
	arena->blocks = block;
	arena->next = block->data;
	arena->end = block->data + wanted;
	return take(arena, size, alignment);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	char *at = take(arena, size, 8);
	return at ? memset(at, 0, size) : NULL;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
	char *at = take(arena, length + 1, 1);
	if (!at)
		return NULL;
	memcpy(at, bytes, length);
	at[length] = '\0';
	return at;
}

/* FNV-1a */
static uint32_t hash_of(const char *bytes, size_t length)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static int grow_slots(struct arena *arena)
{
	uint32_t n_slots = arena->n_slots ? arena->n_slots * 2 : 64;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	const char **strings = realloc(arena->strings, n_slots / 2 * sizeof(*strings));
	if (strings)
		arena->strings = strings;
	if (!slots || !strings) {
		free(slots);
		return -1;
	}
	for (uint32_t i = 0; i < arena->n_strings; i++) {
		uint32_t at = hash_of(strings[i], strlen(strings[i])) & (n_slots - 1);
		while (slots[at])
			at = (at + 1) & (n_slots - 1);
		slots[at] = i + 1;
	}
	free(arena->slots);
	arena->slots = slots;
	arena->n_slots = n_slots;
	return 0;
}

const char *arena_intern(struct arena *arena, const char *bytes, size_t length)
{
	length = strnlen(bytes, length);
	if (arena->n_strings >= arena->n_slots / 2 && grow_slots(arena) < 0)
		return NULL;

	uint32_t at = hash_of(bytes, length) & (arena->n_slots - 1);
	for (; arena->slots[at]; at = (at + 1) & (arena->n_slots - 1)) {
		const char *known = arena->strings[arena->slots[at] - 1];
		if (strncmp(known, bytes, length) == 0 && known[length] == '\0')
			return known;
	}
	char *copy = arena_copy(arena, bytes, length);
	if (!copy)
		return NULL;
	arena->strings[arena->n_strings++] = copy;
	arena->slots[at] = arena->n_strings;
	return copy;
}

const char *arena_intern_string(struct arena *arena, const char *string)
{
	return arena_intern(arena, string, strlen(string));
}
