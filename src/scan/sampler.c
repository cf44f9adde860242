/* Doors that are asked again to see what gets lost. */
#include "scan/sampler.h"

_Static_assert(SAMPLER_DOORS *SAMPLER_PORTS <= 64, "a bit for each sample");

void sampler_add(struct sampler *sampler, uint32_t probe)
{
	if (sampler->n_doors < SAMPLER_DOORS)
		sampler->doors[sampler->n_doors++] = probe;
}

bool sampler_next(struct sampler *sampler, uint32_t *ret_probe, unsigned *ret_port)
{
	unsigned i = sampler->n_sent;
	if (i >= sampler->n_doors * SAMPLER_PORTS)
		return false;
	*ret_probe = sampler->doors[i / SAMPLER_PORTS];
	*ret_port = i % SAMPLER_PORTS;
	sampler->n_sent++;
	return true;
}

bool sampler_take(struct sampler *sampler, uint32_t probe, unsigned port)
{
	for (unsigned i = port; i < sampler->n_sent; i += SAMPLER_PORTS) {
		if (sampler->doors[i / SAMPLER_PORTS] != probe)
			continue;
		bool is_first = !(sampler->answered >> i & 1);
		sampler->answered |= UINT64_C(1) << i;
		return is_first;
	}
	return false;
}
