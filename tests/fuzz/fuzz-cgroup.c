/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /proc/PID/cgroup. */
#include <assert.h>
#include <string.h>

#include "source/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cgroup_place place;
	cgroup_parse((const char *)data, n, &place);
	assert(strnlen(place.unit, sizeof(place.unit)) < sizeof(place.unit));
	assert(strnlen(place.id, sizeof(place.id)) < sizeof(place.id));
	assert(place.engine < ENGINE_MAX);
	assert((place.engine == ENGINE_NONE) == (place.id[0] == '\0'));
	return 0;
}
