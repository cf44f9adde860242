/* What was, from the record of `doorward record`: a thread of its own answers one question after
 * another, so that no page waits while another's moment is read. The record is opened for each and
 * closed behind it: it may begin, end, or be another file meanwhile.
 *
 * The thread has the rights of the one that starts it but those that looking alone needs: the file
 * is opened as the caller could open it. */
#ifndef SERVE_PAST_H
#define SERVE_PAST_H

#include "base/error.h"
#include "base/out.h"
#include "history/history.h"
#include "model/snapshot.h"

struct past;

/* @path: of the record; borrowed. 0 or negative errno with @err told. */
int past_start(const char *path, struct past **ret, struct error *err);
/* Waits for the question that is being answered. NULL is fine. */
void past_free(struct past *past);

/* Readable once there is an answer. */
int past_fd(const struct past *past);

/* All that was open at @moment_ms (since 1970); 0: what is recorded at all. False: it is busy. */
bool past_ask(struct past *past, uint64_t moment_ms);

struct past_answer {
	uint64_t moment_ms;
	int r; /* negative errno: there is none, and why */
	struct error error;
	struct snapshot *snapshot; /* sealed, the caller's; of a moment */
	struct out text;	   /* JSON of what is recorded; out_done by the caller */
};
/* False: there is none yet. */
bool past_take(struct past *past, struct past_answer *ret);

/* The record at @path, opened as the caller of the program could; where there is none what begins
 * one is said. 0 or negative errno with @err told. Capabilities that are not needed for reading it
 * are gone afterwards. */
int past_open(const char *path, const struct history **ret_history, struct archive **ret,
	      struct error *err);

#endif
