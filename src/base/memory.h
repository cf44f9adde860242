/* Large pieces of memory, in large pages where the kernel has them: one costs less than to touch
 * the five hundred small ones in its place. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define MEMORY_LARGE_FROM (256 * 1024) /* bytes; what is less is the heap's */
#define MEMORY_PAGE (2u << 20)

/* What a piece of @bytes takes, where it is a large one. */
static inline size_t memory_whole(size_t bytes)
{
	return (bytes + MEMORY_PAGE - 1) / MEMORY_PAGE * MEMORY_PAGE;
}

/* Whole pages, zeroed; with @old_bytes not 0 those of @old, moved, and more of them or fewer. NULL:
 * there is no memory, and what was is as it was. */
void *memory_map(void *old, size_t old_bytes, size_t bytes);
void memory_unmap(void *data, size_t bytes);

/* Zeroed, of any size; memory_free wants the same size. */
void *memory_zeroed(size_t bytes);
void memory_free(void *data, size_t bytes); /* NULL is fine */

#endif
