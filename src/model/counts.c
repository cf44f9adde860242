/* What went over each of many connections so far, in a few bytes each. */
#include <errno.h>

#include "base/varint.h"
#include "model/counts.h"

#define BLOCK 16

void counts_init(struct counts *counts)
{
	*counts = (struct counts){.n = 0};
	vector_init(&counts->log, 1);
	vector_init(&counts->starts, sizeof(uint32_t));
}

void counts_done(struct counts *counts)
{
	vector_done(&counts->log);
	vector_done(&counts->starts);
}

int counts_add(struct counts *counts, const struct byte_counts *of)
{
	struct vector *log = &counts->log;
	if (log->n > UINT32_MAX / 2)
		return -ENOMEM;
	if (log->capacity - log->n < 2 * VARINT_MAX &&
	    vector_reserve(log, log->capacity + log->capacity / 2 + 4096) < 0)
		return -ENOMEM;
	if (counts->n % BLOCK == 0) {
		uint32_t *start = vector_add(&counts->starts);
		if (!start)
			return -ENOMEM;
		*start = log->n;
	}
	uint8_t *at = (uint8_t *)log->data + log->n, *end = varint_put(at, of ? of->acked + 1 : 0);
	if (of)
		end = varint_put(end, of->received);
	log->n += (uint32_t)(end - at);
	counts->n++;
	return 0;
}

static bool take(const uint8_t **at, struct byte_counts *ret)
{
	uint64_t acked = varint_take(at);
	if (!acked)
		return false;
	*ret = (struct byte_counts){.acked = acked - 1, .received = varint_take(at)};
	return true;
}

bool counts_get(const struct counts *counts, uint32_t index, struct byte_counts *ret)
{
	if (index >= counts->n)
		return false;
	const uint8_t *at = (const uint8_t *)counts->log.data +
			    *(uint32_t *)vector_at(&counts->starts, index / BLOCK);
	for (uint32_t i = index - index % BLOCK; i < index; i++)
		take(&at, ret);
	return take(&at, ret);
}
