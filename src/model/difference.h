/* What became of the sockets from one snapshot of a host to the next. */
#ifndef MODEL_DIFFERENCE_H
#define MODEL_DIFFERENCE_H

#include "model/snapshot.h"

enum change {
	CHANGE_NONE,	/* the same as it was */
	CHANGE_CHANGED, /* the same socket: another state, another end, other holders */
	CHANGE_NEW,
	CHANGE_GONE, /* only the older has it */
	CHANGE_MAX,
};
extern const char *const change_words[CHANGE_MAX + 1]; /* [CHANGE_NONE] is "" */

/* Queues and counters flow: they are no change. */
struct difference {
	const struct snapshot *older, *newer; /* borrowed */
	uint8_t *change;    /* enum change of each socket of the newer: NONE, CHANGED or NEW */
	uint32_t *older_of; /* its index in the older; NONE where it is new */
	uint32_t *gone;	    /* indexes in the older */
	uint32_t n_gone, n_new, n_changed;
	double seconds; /* between the two, of a clock that nobody sets */
};

/* A socket of both is found by cookie and inode; a connection that loses or gets its inode (closed,
 * accepted), or goes on as another struct of the kernel (TIME_WAIT), by namespace and ends. Time
 * grows with the number of sockets. 0 or -ENOMEM; difference_done in either case. */
int difference_find(const struct snapshot *older, const struct snapshot *newer,
		    struct difference *ret);
void difference_done(struct difference *difference);

/* Of socket @index of the newer. False: it cannot be known (no TCP connection, NEED_TCP_INFO was
 * not asked for, new, no time between). */
bool difference_rate(const struct difference *difference, uint32_t index, struct rate *ret);

/* The rates of all sockets into the newer, before it is shared. What is less than @least_seconds
 * behind the older, looked at out of turn, has its rates. 0 or -ENOMEM. */
int difference_keep_rates(const struct difference *difference, double least_seconds,
			  struct snapshot *newer);

#endif
