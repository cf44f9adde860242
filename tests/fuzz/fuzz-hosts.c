/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /etc/hosts, /etc/gai.conf, /proc/net/snmp and /proc/net/snmp6. */
#include <assert.h>

#include "source/hosts.h"
#include "source/statistics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *bytes = (const char *)data;
	struct arena arena;
	struct hosts hosts;
	arena_init(&arena);
	assert(hosts_parse(bytes, n, &arena, &hosts) == 0);
	for (uint32_t i = 0; i < hosts.n; i++)
		assert(hosts_name(&hosts, &hosts.names[i].ip));
	gai_puts_v4_first(bytes, n);
	arena_done(&arena);

	struct statistics statistics;
	statistics_init(&statistics);
	assert(snmp_parse(bytes, n, &statistics) == 0);
	assert(snmp6_parse(bytes, n, &statistics) == 0);
	statistics_done(&statistics);
	return 0;
}
