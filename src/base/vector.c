/* A growing array whose large ones move their pages. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/vector.h"

#define MAPPED_FROM (256 * 1024) /* bytes; below it the heap */
#define HUGE_FROM (3 << 20)	 /* bytes; from it on in large pages, where the kernel has them */

void vector_init(struct vector *vector, uint32_t size)
{
	*vector = (struct vector){.size = size};
}

static size_t bytes_of(const struct vector *vector, uint32_t n)
{
	return (size_t)n * vector->size;
}

static int is_mapped(const struct vector *vector)
{
	return bytes_of(vector, vector->capacity) >= MAPPED_FROM;
}

void vector_done(struct vector *vector)
{
	if (is_mapped(vector))
		munmap(vector->data, bytes_of(vector, vector->capacity));
	else
		free(vector->data);
	vector_init(vector, vector->size);
}

static int move_to(struct vector *vector, uint32_t capacity)
{
	size_t old = bytes_of(vector, vector->capacity), bytes = bytes_of(vector, capacity);
	void *data;
	if (is_mapped(vector)) {
		data = mremap(vector->data, old, bytes, MREMAP_MAYMOVE);
		if (data == MAP_FAILED)
			return -ENOMEM;
	} else if (bytes >= MAPPED_FROM) {
		data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		if (data == MAP_FAILED)
			return -ENOMEM;
		if (vector->n)
			__builtin_memcpy(data, vector->data, bytes_of(vector, vector->n));
		free(vector->data);
	} else {
		data = realloc(vector->data, bytes);
		if (!data)
			return -ENOMEM;
	}
	if (bytes >= HUGE_FROM)
		madvise(data, bytes, MADV_HUGEPAGE);
	vector->data = data;
	vector->capacity = capacity;
	return 0;
}

int vector_reserve(struct vector *vector, uint32_t n)
{
	return n <= vector->capacity ? 0 : move_to(vector, n);
}

void *vector_add(struct vector *vector)
{
	if (vector->n == vector->capacity) {
		if (vector->capacity > UINT32_MAX / 2)
			return NULL;
		if (move_to(vector, vector->capacity ? vector->capacity * 2 : 8) < 0)
			return NULL;
	}
	return (char *)vector->data + bytes_of(vector, vector->n++);
}

void vector_trim(struct vector *vector)
{
	if (is_mapped(vector) && bytes_of(vector, vector->n) >= MAPPED_FROM &&
	    vector->n < vector->capacity)
		move_to(vector, vector->n);
}
