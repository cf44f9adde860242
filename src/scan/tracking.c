/* The connection tracking of the place that is scanned from. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/numbers.h"
#include "scan/job.h"
#include "scan/tracking.h"

#define FOLDER "/proc/sys/net/netfilter/"
#define AT_ONCE_MAX 32
#define LOOK_EVERY_US 20000
#define EXPIRY_US 100000 /* until it is looked whether entries have expired */

static bool read_number(int fd, uint64_t *ret)
{
	char text[32];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *at = text;
	return number_scan(&at, text + n, 10, ret) >= 0;
}

void tracking_init(struct tracking *tracking)
{
	uint64_t max = 0;
	cleanup(closep) int limit = open(FOLDER "nf_conntrack_max", O_RDONLY | O_CLOEXEC);
	*tracking = (struct tracking){.lock = PTHREAD_MUTEX_INITIALIZER};
	tracking->fd = open(FOLDER "nf_conntrack_count", O_RDONLY | O_CLOEXEC);
	/* a maximum of 0 is none */
	if (!read_number(limit, &max) || !max || !read_number(tracking->fd, &tracking->count)) {
		tracking_done(tracking);
		return;
	}
	tracking->room = max > tracking->count ? max - tracking->count : 0;
	uint64_t at_once = tracking->room / 64;
	tracking->at_once = at_once < 1		    ? 1
			    : at_once < AT_ONCE_MAX ? (uint32_t)at_once
						    : AT_ONCE_MAX;
	uint64_t half = tracking->room / 2,
		 meanwhile = UINT64_C(1) * JOB_THREADS_MAX * tracking->at_once;
	tracking->limit = tracking->count + (half > meanwhile ? half - meanwhile : 1);
}

void tracking_done(struct tracking *tracking)
{
	closep(&tracking->fd);
	tracking->fd = -1;
}

uint32_t tracking_allows(struct tracking *tracking, uint64_t n_sent, uint32_t n, uint64_t now,
			 uint64_t *ret_next)
{
	n = n < tracking->at_once ? n : tracking->at_once;
	pthread_mutex_lock(&tracking->lock);
	uint64_t taken = tracking->count + (n_sent - tracking->n_sent);
	if (taken + n > tracking->limit && now - tracking->read_at >= LOOK_EVERY_US) {
		/* not each of them has left an entry, and some have expired */
		if (read_number(tracking->fd, &tracking->count))
			taken = tracking->count;
		tracking->n_sent = n_sent;
		tracking->read_at = now;
	}
	uint64_t left = taken < tracking->limit ? tracking->limit - taken : 0;
	pthread_mutex_unlock(&tracking->lock);
	if (left)
		return left < n ? (uint32_t)left : n;
	/* unless it is only that the count was looked at a moment ago */
	if (tracking->count >= tracking->limit)
		atomic_store(&tracking->has_waited, true);
	*ret_next = now + (tracking->count >= tracking->limit ? EXPIRY_US : LOOK_EVERY_US);
	return 0;
}
