/* Which probe of a job an answer belongs to, by address and port. */
#ifndef SCAN_FINDER_H
#define SCAN_FINDER_H

#include "scan/job.h"

struct finder {
	const struct job *job;
	uint32_t *slots; /* by address: open addressing, the target's index + 1 */
	uint32_t n_slots;
	uint16_t *port_at; /* of each port its index in the job's + 1; 0: not asked */
};

/* 0 or -ENOMEM; finder_done() in either case. */
int finder_init(struct finder *finder, const struct job *job);
void finder_done(struct finder *finder);

/* The index of the target with that address, or NONE. */
uint32_t finder_target(const struct finder *finder, const struct ip *ip);

/* The probe, or NONE: nobody was asked there. */
uint32_t finder_probe(const struct finder *finder, const struct ip *ip, uint16_t port);

#endif
