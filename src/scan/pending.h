/* The probes of one thread that are still without an answer: indexes that interleave the targets,
 * so that no host gets a burst. */
#ifndef SCAN_PENDING_H
#define SCAN_PENDING_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "scan/job.h"

struct pending {
	uint32_t *list; /* probe i: target i % n_targets, port i / n_targets */
	uint32_t n;
};

/* Those of thread @thread of @n_threads. 0 or -ENOMEM. */
int pending_init(struct pending *pending, const struct job *job, unsigned thread,
		 unsigned n_threads);
void pending_done(struct pending *pending);
/* Keeps what is still unknown; how many that are. */
uint32_t pending_keep(struct pending *pending, const struct job *job);

static inline const struct scan_target *probe_target(const struct job *job, uint32_t probe)
{
	return &job->targets[probe % job->n_targets];
}
static inline uint16_t probe_port(const struct job *job, uint32_t probe)
{
	return job->ports[probe / job->n_targets];
}
static inline struct answer *probe_answer(const struct job *job, uint32_t probe)
{
	return &job->answers[(size_t)(probe % job->n_targets) * job->n_ports +
			     probe / job->n_targets];
}

/* What a target's ICMP errors say of its other doors. Shared by threads. */
struct rejects {
	_Atomic uint32_t n, n_late; /* all; those that came only when asked again */
};
void rejects_count(struct rejects *rejects, unsigned pass);

/* A target has rejected as many as it may at once, and some are silent: whether it would reject
 * those too shows when it is asked again after REJECTS_WAIT_US. */
#define REJECTS_WAIT_US 1050000
bool rejects_want_proof(const struct pending *pending, const struct job *job,
			const struct rejects *rejects);

/* Silent doors of a target that rejects others as fast as it may are rejected too. @rejects: of
 * each target. */
void pending_limited(const struct pending *pending, const struct job *job,
		     const struct rejects *rejects);

/* The answer is kept (only the first) and counted. */
void probe_answered(const struct job *job, uint32_t probe, const struct answer *answer);

/* What was asked to the end without an answer. */
void pending_silent(const struct pending *pending, const struct job *job, struct answer silent);

union any_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

socklen_t address_of(const struct scan_target *target, uint16_t port, union any_address *ret);
/* The wildcard of the target's family. */
socklen_t address_any(bool is_v4, uint16_t port, union any_address *ret);
uint16_t address_port(const union any_address *address);
bool address_is(const union any_address *address, const struct ip *ip);
struct ip address_ip(const union any_address *address);

#endif
