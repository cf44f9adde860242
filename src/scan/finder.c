/* Which probe an answer belongs to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan/finder.h"

#define PORTS 65536
#define SLOTS_MIN 16 /* a power of two, as all sizes are */

static uint32_t slot_of(const struct finder *finder, const struct ip *ip)
{
	uint32_t word[4];
	memcpy(word, ip->bytes, 16);
	return ((word[0] ^ word[1] ^ word[2] ^ word[3]) * 2654435761u) & (finder->n_slots - 1);
}

static uint32_t next_slot(const struct finder *finder, uint32_t at)
{
	return (at + 1) & (finder->n_slots - 1);
}

int finder_init(struct finder *finder, const struct job *job)
{
	*finder = (struct finder){.job = job, .n_slots = SLOTS_MIN};
	while (finder->n_slots < 2 * job->n_targets)
		finder->n_slots *= 2;
	finder->slots = calloc(finder->n_slots, sizeof(*finder->slots));
	finder->port_at = calloc(PORTS, sizeof(*finder->port_at));
	if (!finder->slots || !finder->port_at)
		return -ENOMEM;
	for (uint32_t i = 0; i < job->n_ports; i++)
		finder->port_at[job->ports[i]] = (uint16_t)(i + 1);
	for (uint32_t i = 0; i < job->n_targets; i++) {
		uint32_t at = slot_of(finder, &job->targets[i].ip);
		while (finder->slots[at])
			at = next_slot(finder, at);
		finder->slots[at] = i + 1;
	}
	return 0;
}

void finder_done(struct finder *finder)
{
	free(finder->slots);
	free(finder->port_at);
}

uint32_t finder_target(const struct finder *finder, const struct ip *ip)
{
	for (uint32_t at = slot_of(finder, ip); finder->slots[at]; at = next_slot(finder, at))
		if (ip_equal(&finder->job->targets[finder->slots[at] - 1].ip, ip))
			return finder->slots[at] - 1;
	return NONE;
}

uint32_t finder_probe(const struct finder *finder, const struct ip *ip, uint16_t port)
{
	uint32_t target = finder_target(finder, ip), index = finder->port_at[port];
	return target == NONE || !index ? NONE : (index - 1) * finder->job->n_targets + target;
}
