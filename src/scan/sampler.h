/* How much gets lost on the way, where few doors answer: those that have answered are asked again,
 * from source ports of their own, in among the others. Without, the few would prove so little that
 * all that is silent had to be asked once more. */
#ifndef SCAN_SAMPLER_H
#define SCAN_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#define SAMPLER_DOORS 16
#define SAMPLER_PORTS 4 /* source ports: so often is a door asked again, each time from another */

struct sampler {
	uint32_t doors[SAMPLER_DOORS]; /* probes */
	unsigned n_doors, n_sent;
	uint64_t answered; /* of sample i: bit i */
};

/* @probe has answered. */
void sampler_add(struct sampler *sampler, uint32_t probe);
/* The next sample: its probe and which of the source ports. False: there is none at this moment. */
bool sampler_next(struct sampler *sampler, uint32_t *ret_probe, unsigned *ret_port);
/* An answer to a sample. False: it was answered before, or not sent. */
bool sampler_take(struct sampler *sampler, uint32_t probe, unsigned port);

#endif
