/* The walk through the record: what was open at a moment, and which moment comes before or behind
 * it. Shared by who shows it: the screen and the page. */
#ifndef JOURNAL_RECORDED_H
#define JOURNAL_RECORDED_H

#include "journal/replay.h"
#include "model/snapshot.h"

#define RECORDED_STEP_NS UINT64_C(60000000000)	  /* the longest: a minute */
#define RECORDED_EVENTS_NS UINT64_C(600000000000) /* so much before the moment is told */
#define RECORDED_EVENTS_MAX 5000

enum recorded_step {
	RECORDED_AT,	  /* at that very moment */
	RECORDED_EARLIER, /* at the change before it, but no further than RECORDED_STEP_NS */
	RECORDED_LATER,	  /* at the change behind it, likewise */
};

struct recorded_wish {
	uint64_t time_ns; /* Unix ns */
	uint64_t now_ns;  /* nothing is known of what comes */
	enum recorded_step step;
	bool wants_events; /* those of the last RECORDED_EVENTS_NS before the moment too */
	const struct services *services; /* for names of ports; NULL */
	unsigned number;		 /* given back in the answer */
};

struct recorded_answer {
	uint64_t time_ns;		 /* the moment that it is of */
	const struct snapshot *snapshot; /* held; ORIGIN_HISTORY; NULL: result says why */
	const struct snapshot *older;	 /* held; just before it, to tell what then changed; NULL */
	const struct snapshot *events;	 /* held; model/events.h; NULL: not wanted */
	uint64_t oldest_ns, newest_ns;	 /* of what is known; 0: nothing */
	unsigned number;
	int result; /* 0; -ENOENT: there is no record, or that is its end; negative errno */
	struct error error;
};

/* In this thread. Steps go to whole milliseconds, so that what happens together is one step. The
 * result stands in *@ret, which recorded_done gives back. */
void recorded_find(const struct record_of *of, const struct recorded_wish *wish,
		   struct recorded_answer *ret);
void recorded_done(struct recorded_answer *answer); /* all zero is fine */

/* The moment of @wish's step alone, with what is known of the record's ends: no snapshot. -ENOENT:
 * there is none any more. 0 or negative errno with @ret->error told. */
int recorded_step(const struct record_of *of, const struct recorded_wish *wish,
		  struct recorded_answer *ret);

/* Of @wish the moment alone: what was open at it, and what happened in RECORDED_EVENTS_NS before it
 * (model/events.h); held. 0 or negative errno with @err told. */
int recorded_listing(const struct record_of *of, const struct recorded_wish *wish,
		     const struct snapshot **ret, struct error *err);
int recorded_events(const struct record_of *of, const struct recorded_wish *wish,
		    const struct snapshot **ret, struct error *err);

/* ---- in a thread of its own ---- */

struct recorded;

/* @path: of the record, NULL the usual one; borrowed. It is opened for each question as the caller
 * of the program could, and closed behind it: it may begin, end, or be another file meanwhile. 0 or
 * negative errno with @err told. */
int recorded_start(const char *path, struct recorded **ret, struct error *err);
void recorded_free(struct recorded *recorded); /* NULL is fine */

/* In place of what was wished and is not begun. */
void recorded_ask(struct recorded *recorded, const struct recorded_wish *wish);
int recorded_fd(const struct recorded *recorded); /* readable: there is one to take */
/* False: none that was not taken. */
bool recorded_take(struct recorded *recorded, struct recorded_answer *ret);

#endif
