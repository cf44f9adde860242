/* Large pieces of memory, in large pages where the kernel has them: one costs less than to touch
 * the five hundred small ones in its place. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#define MEMORY_LARGE_FROM (256 * 1024) /* bytes; what is less is the heap's */
#define MEMORY_PAGE (2u << 20)

/* What a piece of @bytes takes, where it is a large one. */
static inline size_t memory_whole(size_t bytes)
{
	return (bytes + MEMORY_PAGE - 1) / MEMORY_PAGE * MEMORY_PAGE;
}

/* @data, of *@size bytes (0: none as yet), made one of at least @wanted; *@size is then what it
 * has, and its first @used bytes are what they were. A large piece does not become a small one.
 * NULL: there is no memory, and nothing has changed. */
void *memory_resize(void *data, size_t *size, size_t used, size_t wanted);

/* Zeroed, of any size; memory_free wants the same size. */
void *memory_zeroed(size_t bytes);
void memory_free(void *data, size_t bytes); /* NULL is fine */

#endif
