/* A growing array. Large ones live in their own mapping, so that growing moves pages instead of
 * copying them and never holds two copies. */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stddef.h>
#include <stdint.h>

struct vector {
	void *data;
	uint32_t n, capacity; /* elements */
	uint32_t size;	      /* bytes of an element */
};

void vector_init(struct vector *vector, uint32_t size);
void vector_done(struct vector *vector);

/* Room for one more at the end, counted and not cleared; NULL when there is no memory. */
void *vector_add(struct vector *vector);

/* A copy of @n more at the end. 0 or -ENOMEM. */
int vector_append(struct vector *vector, const void *elements, uint32_t n);

/* Room for @n elements in all. 0 or -ENOMEM. */
int vector_reserve(struct vector *vector, uint32_t n);

/* Gives what is not used back to the kernel. */
void vector_trim(struct vector *vector);

static inline void *vector_at(const struct vector *vector, uint32_t i)
{
	return (char *)vector->data + (size_t)i * vector->size;
}

#endif
