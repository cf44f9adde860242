/* Counters of the protocols. */
#include <string.h>

#include "model/statistics.h"

void statistics_init(struct statistics *statistics)
{
	vector_init(&statistics->counters, sizeof(struct counter));
	arena_init(&statistics->arena);
}

void statistics_done(struct statistics *statistics)
{
	vector_done(&statistics->counters);
	arena_done(&statistics->arena);
}

bool statistics_find(const struct statistics *statistics, const char *group, const char *name,
		     uint64_t *ret)
{
	for (uint32_t i = 0; i < statistics->counters.n; i++) {
		const struct counter *counter = vector_at(&statistics->counters, i);
		if (strcmp(counter->group, group) == 0 && strcmp(counter->name, name) == 0) {
			*ret = counter->value;
			return true;
		}
	}
	return false;
}
