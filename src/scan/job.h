/* What one protocol asks: the same ports at several addresses, and where the answers go. Filled by
 * connect.c, syn.c and udp.c, each with threads of its own. */
#ifndef SCAN_JOB_H
#define SCAN_JOB_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/stop.h"
#include "model/scan.h"
#include "scan/timing.h"
#include "scan/tracking.h"

/* What has been done so far, for who shows it while it runs. */
struct progress {
	_Atomic uint64_t n_done, n_open, n_sent;
	uint64_t n_all;
	void (*show)(struct progress *progress, void *data); /* now and then; NULL */
	void *data;
	const char *doing; /* "tcp", "udp", "identify" */
	uint64_t began_us;
};

struct link_way;

struct job {
	const struct scan_target *targets; /* all of one family */
	const uint16_t *ports;		   /* ascending */
	uint32_t n_targets, n_ports;
	struct answer *answers; /* of target t and port p: [t * n_ports + p]; what is not unknown
				   is not asked any more */
	uint8_t proto;
	bool is_own; /* all are addresses of the place that is scanned from: no wire, no limit */
	struct timing_path path;
	const struct link_way
		*ways;		   /* of each target, with interface 0 where none is known; NULL */
	struct tracking *tracking; /* entries that may be made there; NULL: no limit that matters */
	uint64_t deadline_us;	   /* of clock_us(); 0: none */
	const struct stop *stop;   /* may be NULL */
	struct progress *progress;
};

static inline uint64_t job_n(const struct job *job)
{
	return (uint64_t)job->n_targets * job->n_ports;
}

/* timing_allowance(), within what the connection tracking has room for. */
uint32_t job_allowance(const struct job *job, struct timing *timing, uint64_t now,
		       uint64_t *ret_next);

/* Until one of @fds (-1: none; at most JOB_FDS_MAX) can be read, @until, or it must end. */
#define JOB_FDS_MAX 2
void job_await(const struct job *job, const int *fds, unsigned n, uint64_t now, uint64_t until);

/* For so long, or until it must end. */
void job_wait(const struct job *job, uint64_t us);

/* Broken off: by a signal or by --max-time. */
bool job_must_end(const struct job *job, uint64_t now_us);

#define JOB_THREADS_MAX 4

/* Threads worth having: processors that this process may use, at most JOB_THREADS_MAX; one where
 * the rate is what holds it. */
unsigned job_threads(const struct job *job);

/* The path of each of @n threads, which have its rate together. */
struct timing_path job_path_share(const struct job *job, unsigned n);

/* Runs @work on @n threads, each with its own @size bytes of @data, and shows the progress
 * meanwhile. The threads have no capability: what they read is a stranger's. 0 or the first
 * negative errno. */
int job_run(const struct job *job, unsigned n, int (*work)(void *), void *data, size_t size);

#endif
