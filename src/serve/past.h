/* What was, from the record of `doorward record`: a thread of its own answers one question after
 * another, so that no page waits while another's moment is read. The record is opened for each and
 * closed behind it: it may begin, end, or be another file meanwhile.
 *
 * The file is opened as the caller of the program could open it, with what rights the thread may
 * have else laid aside. */
#ifndef SERVE_PAST_H
#define SERVE_PAST_H

#include "base/error.h"
#include "base/out.h"
#include "model/services.h"
#include "model/snapshot.h"

struct past;

/* @path: of the record; borrowed, as @services are. 0 or negative errno with @err told. */
int past_start(const char *path, const struct services *services, struct past **ret,
	       struct error *err);
/* Waits for the question that is being answered. NULL is fine. */
void past_free(struct past *past);

/* Readable once there is an answer. */
int past_fd(const struct past *past);

enum past_what {
	PAST_SPAN,    /* from when to when there is a record, and its gaps */
	PAST_LISTING, /* what was open at a moment */
	PAST_EVENTS,  /* what happened before it (model/events.h) */
	PAST_STEP,    /* the moment of the change before or behind it */
};

struct past_question {
	enum past_what what;
	uint64_t moment_ms; /* since 1970; of a step 0: now */
	uint8_t step;	    /* enum recorded_step */
};

/* False: it is busy. */
bool past_ask(struct past *past, const struct past_question *question);

struct past_answer {
	struct past_question question;
	int r; /* negative errno: there is none, and why */
	struct error error;
	const struct snapshot *snapshot; /* held for the caller */
	uint8_t *change;		 /* of PAST_LISTING: enum change of each of its sockets at
					    that millisecond; to be freed; NULL: not known */
	struct out text;		 /* JSON of PAST_SPAN, PAST_STEP; out_done by the caller */
};
/* False: there is none yet. */
bool past_take(struct past *past, struct past_answer *ret);
void past_answer_done(struct past_answer *answer);

#endif
