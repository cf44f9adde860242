/* The snapshots of the last minutes, to walk back through. */
#ifndef TOP_PAST_H
#define TOP_PAST_H

#include "model/snapshot.h"
#include "top/arranger.h"

struct past {
	struct vector list; /* const struct snapshot *, held; the oldest first */
	size_t bytes, bytes_max;
	double seconds_max;
	struct arranger *arranger; /* its thread gives up what is let go of; NULL: at once */
};

void past_init(struct past *past, size_t bytes_max, double seconds_max);
void past_done(struct past *past);

/* Holds it; lets go of what is too old or too much, but not of the last two. 0 or -ENOMEM. */
int past_add(struct past *past, const struct snapshot *snapshot);

static inline const struct snapshot *past_at(const struct past *past, uint32_t i)
{
	return *(const struct snapshot *const *)vector_at(&past->list, i);
}

#endif
