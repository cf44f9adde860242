/* What happens, as `watch` tells it, kept in bounded memory for who shows it: a thread of its own
 * follows the kernel from the first time that somebody looks on, and gives lists of events
 * (model/events.h). What a record has of before stands at the beginning. */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "collect/collect.h"
#include "journal/replay.h"

#define JOURNAL_EVENTS 10000			 /* that are kept where nobody said how many */
#define JOURNAL_SINCE_NS UINT64_C(3600000000000) /* of the record: an hour at most */
#define JOURNAL_RECORDED_MAX 2000		 /* and at most about so many intervals */

struct journal;

struct journal_wish {
	const struct looking *looking; /* its host is opened anew; what it points to is borrowed */
	const char *record; /* its path, opened as the caller of the program could; borrowed */
	bool wants_record;  /* and told where it cannot be read; else it is read if it can */
	uint32_t n_most;    /* events; 0: JOURNAL_EVENTS */
	bool rests; /* while nobody looks nothing is followed nor kept: it begins anew with the next
		     */
	uint64_t since_ns; /* of the record, Unix ns; 0: JOURNAL_SINCE_NS before the start */
};

struct journal_state {
	bool is_started, is_failed;
	enum told_by way;   /* TOLD_BY_NETLINK: what it cannot see stands in the list's missing */
	uint64_t n_events;  /* so far */
	uint64_t n_dropped; /* the oldest, to keep the memory bounded */
	uint64_t n_lost;    /* that the kernel could not hand on */
	unsigned n_errors;  /* so far */
	struct error error; /* why it failed, or that the record could not be read */
};

/* The thread has the capabilities of the one that starts it, and keeps of them CAPS_SEE. It asks
 * nothing of the host until journal_watch. 0 or negative errno with @err told. */
int journal_start(const struct journal_wish *wish, struct journal **ret, struct error *err);
void journal_free(struct journal *journal); /* NULL is fine */

/* Somebody looks, or nobody does: then events are kept, and no list is made. */
void journal_watch(struct journal *journal, bool is_watched);

int journal_fd(
	const struct journal *journal); /* readable: there is a newer list, or another state */
/* The latest, held for the caller; NULL: none yet. Events that go on are told at most ten times a
 * second. */
const struct snapshot *journal_take(struct journal *journal);
void journal_state(struct journal *journal, struct journal_state *ret);

#endif
