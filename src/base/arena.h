/* Memory that is given back as a whole, and strings kept once in it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next, *end;	    /* what is left of the newest */
	uint32_t *slots; /* interned strings: open addressing, 0 is empty, else index + 1 */
	const char **strings;
	uint32_t n_strings, n_slots;
};

void arena_init(struct arena *arena);
void arena_done(struct arena *arena);

/* The memory that it has. */
size_t arena_size(const struct arena *arena);

/* @size zeroed bytes, aligned to 8; NULL when there is no memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of @length bytes with a NUL behind it, not interned. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);

/* Equal strings give the same pointer. @length without NUL; a NUL inside ends it. */
const char *arena_intern(struct arena *arena, const char *bytes, size_t length);
const char *arena_intern_string(struct arena *arena, const char *string);

#endif
