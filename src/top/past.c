/* The snapshots of the last minutes. */
#include <errno.h>
#include <string.h>

#include "top/past.h"

void past_init(struct past *past, size_t bytes_max, double seconds_max)
{
	*past = (struct past){.bytes_max = bytes_max, .seconds_max = seconds_max};
	vector_init(&past->list, sizeof(const struct snapshot *));
}

static void drop(struct past *past, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		past->bytes -= snapshot_size(past_at(past, i));
		arranger_release_snapshot(past->arranger, past_at(past, i));
	}
	past->list.n -= n;
	memmove(past->list.data, vector_at(&past->list, n), (size_t)past->list.n * past->list.size);
}

void past_done(struct past *past)
{
	if (past->list.n)
		drop(past, past->list.n);
	vector_done(&past->list);
}

int past_add(struct past *past, const struct snapshot *snapshot)
{
	const struct snapshot **added = vector_add(&past->list);
	if (!added)
		return -ENOMEM;
	*added = snapshot_hold(snapshot);
	past->bytes += snapshot_size(snapshot);
	uint32_t n = 0;
	size_t bytes = past->bytes;
	for (; n + 2 < past->list.n; n++) {
		const struct snapshot *oldest = past_at(past, n);
		if (bytes <= past->bytes_max && snapshot->time - oldest->time <= past->seconds_max)
			break;
		bytes -= snapshot_size(oldest);
	}
	if (n)
		drop(past, n);
	return 0;
}
