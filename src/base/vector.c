/* A growing array whose large ones move their pages. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/vector.h"

void vector_init(struct vector *vector, uint32_t size)
{
	*vector = (struct vector){.size = size};
}

static size_t bytes_of(const struct vector *vector, uint32_t n)
{
	return (size_t)n * vector->size;
}

void vector_done(struct vector *vector)
{
	memory_free(vector->data, bytes_of(vector, vector->capacity));
	vector_init(vector, vector->size);
}

static int move_to(struct vector *vector, uint32_t capacity)
{
	size_t bytes = bytes_of(vector, vector->capacity);
	void *data = memory_resize(vector->data, &bytes, bytes_of(vector, vector->n),
				   bytes_of(vector, capacity));
	if (!data)
		return -ENOMEM;
	vector->data = data;
	vector->capacity =
		bytes / vector->size > UINT32_MAX ? UINT32_MAX : (uint32_t)(bytes / vector->size);
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

int vector_append(struct vector *vector, const void *elements, uint32_t n)
{
	uint32_t twice = vector->capacity > UINT32_MAX / 2 ? UINT32_MAX : vector->capacity * 2;
	if (n > UINT32_MAX - vector->n)
		return -ENOMEM;
	if (vector->n + n > vector->capacity &&
	    move_to(vector, vector->n + n > twice ? vector->n + n : twice) < 0)
		return -ENOMEM;
	if (n)
		memcpy((char *)vector->data + bytes_of(vector, vector->n), elements,
		       bytes_of(vector, n));
	vector->n += n;
	return 0;
}

void vector_trim(struct vector *vector)
{
	size_t bytes = bytes_of(vector, vector->n);
	if (bytes >= MEMORY_LARGE_FROM &&
	    memory_whole(bytes) < memory_whole(bytes_of(vector, vector->capacity)))
		move_to(vector, vector->n);
}
