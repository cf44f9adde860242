/* Counters of the protocols as the kernel names them ("Ip", "InReceives"). */
#ifndef MODEL_STATISTICS_H
#define MODEL_STATISTICS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/vector.h"

struct counter {
	const char *group, *name; /* "Tcp", "ActiveOpens"; of snmp6 "Ip6", "InReceives" */
	uint64_t value;
};

struct statistics {
	struct vector counters; /* struct counter */
	struct arena arena;
};

void statistics_init(struct statistics *statistics);
void statistics_done(struct statistics *statistics);

/* False where the kernel does not have it. */
bool statistics_find(const struct statistics *statistics, const char *group, const char *name,
		     uint64_t *ret);

#endif
