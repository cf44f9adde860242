/* The connection tracking of the place that is scanned from: each door that is asked through the
 * kernel leaves an entry there for seconds or minutes, where a rule has it in use. */
#ifndef SCAN_TRACKING_H
#define SCAN_TRACKING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How many entries a scan may add: half of what was free when it began. Shared by its threads. */
struct tracking {
	int fd; /* nf_conntrack_count of the place; -1: there is no limit, or nobody can say */
	uint64_t room;	  /* what was free */
	uint64_t limit;	  /* a count that is not passed, but by what threads send meanwhile */
	uint32_t at_once; /* how many a thread is allowed before it is looked again */
	pthread_mutex_t lock;
	uint64_t count, n_sent, read_at; /* when it was last looked at, how many were out */
	_Atomic bool has_waited;	 /* entries had to expire before the scan went on */
};

/* Of the calling thread's network namespace. */
void tracking_init(struct tracking *tracking);
void tracking_done(struct tracking *tracking);

/* How many of @n may be sent, when @n_sent are out. 0: none before *@ret_next. */
uint32_t tracking_allows(struct tracking *tracking, uint64_t n_sent, uint32_t n, uint64_t now,
			 uint64_t *ret_next);

#endif
