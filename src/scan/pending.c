/* The probes that are still without an answer. */
#include <errno.h>

#include "scan/pending.h"

#define ICMP_AT_ONCE 6 /* errors that a Linux host sends before it waits (icmp(7)) */

int pending_init(struct pending *pending, const struct job *job, unsigned thread,
		 unsigned n_threads)
{
	uint64_t n = job_n(job);
	*pending = (struct pending){.list = malloc((n / n_threads + 1) * sizeof(uint32_t))};
	if (!pending->list)
		return -ENOMEM;
	for (uint64_t i = thread; i < n; i += n_threads)
		if (probe_answer(job, (uint32_t)i)->state == DOOR_UNKNOWN)
			pending->list[pending->n++] = (uint32_t)i;
	return 0;
}

void pending_done(struct pending *pending)
{
	free(pending->list);
	*pending = (struct pending){0};
}

uint32_t pending_keep(struct pending *pending, const struct job *job)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < pending->n; i++)
		if (probe_answer(job, pending->list[i])->state == DOOR_UNKNOWN)
			pending->list[kept++] = pending->list[i];
	return pending->n = kept;
}

void probe_answered(const struct job *job, uint32_t probe, const struct answer *answer)
{
	struct answer *at = probe_answer(job, probe);
	if (at->state != DOOR_UNKNOWN)
		return;
	*at = *answer;
	if (!job->progress)
		return;
	atomic_fetch_add_explicit(&job->progress->n_done, 1, memory_order_relaxed);
	if (answer->state == DOOR_OPEN)
		atomic_fetch_add_explicit(&job->progress->n_open, 1, memory_order_relaxed);
}

void rejects_count(struct rejects *rejects, unsigned pass)
{
	atomic_fetch_add(&rejects->n, 1);
	atomic_fetch_add(&rejects->n_late, pass > 0);
}

bool rejects_want_proof(const struct pending *pending, const struct job *job,
			const struct rejects *rejects)
{
	for (uint32_t i = 0; i < pending->n; i++) {
		const struct rejects *its = &rejects[pending->list[i] % job->n_targets];
		if (atomic_load(&its->n) >= ICMP_AT_ONCE && !atomic_load(&its->n_late))
			return true;
	}
	return false;
}

void pending_limited(const struct pending *pending, const struct job *job,
		     const struct rejects *rejects)
{
	const struct answer limited = {.state = DOOR_FILTERED, .reason = BECAUSE_ICMP_LIMITED};
	for (uint32_t i = 0; i < pending->n; i++) {
		const struct rejects *its = &rejects[pending->list[i] % job->n_targets];
		if (atomic_load(&its->n) >= ICMP_AT_ONCE && atomic_load(&its->n_late))
			probe_answered(job, pending->list[i], &limited);
	}
}

void pending_silent(const struct pending *pending, const struct job *job, struct answer silent)
{
	for (uint32_t i = 0; i < pending->n; i++) {
		const struct answer *answer = probe_answer(job, pending->list[i]);
		struct answer its = silent;
		if (answer->reason == BECAUSE_REFUSED_HERE || answer->reason == BECAUSE_NO_ROUTE)
			its.reason = answer->reason; /* it never got out */
		probe_answered(job, pending->list[i], &its);
	}
}

socklen_t address_of(const struct scan_target *target, uint16_t port, union any_address *ret)
{
	socklen_t n = address_any(target->is_v4, port, ret);
	if (target->is_v4) {
		memcpy(&ret->in.sin_addr, target->ip.bytes + 12, 4);
	} else {
		memcpy(&ret->in6.sin6_addr, target->ip.bytes, 16);
		ret->in6.sin6_scope_id = target->interface;
	}
	return n;
}

socklen_t address_any(bool is_v4, uint16_t port, union any_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (is_v4) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	return sizeof(ret->in6);
}

uint16_t address_port(const union any_address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->in.sin_port
						       : address->in6.sin6_port);
}

struct ip address_ip(const union any_address *address)
{
	if (address->any.sa_family == AF_INET)
		return ip_from_v4((const uint8_t *)&address->in.sin_addr);
	return ip_from_v6((const uint8_t *)&address->in6.sin6_addr);
}

bool address_is(const union any_address *address, const struct ip *ip)
{
	struct ip its = address_ip(address);
	return ip_equal(&its, ip);
}
