/* What a key asks for and takes its time: a story, a plan, a closing. Done one after another in a
 * thread that keeps the capabilities which acting needs, by the functions of the commands; the
 * answer is text for the pager. */
#ifndef TOP_JOBS_H
#define TOP_JOBS_H

#include "act/blocking.h"
#include "act/closing.h"
#include "top/arrange.h"
#include "top/line.h"

enum job_kind {
	JOB_STORY,
	JOB_WHY,
	JOB_DELIVER,
	JOB_PLAN, /* of a closing; then JOB_CLOSE does it */
	JOB_CLOSE,
	JOB_BLOCKED, /* is it? then JOB_BLOCK, JOB_UNBLOCK */
	JOB_BLOCK,
	JOB_UNBLOCK,
	JOB_WRITE, /* what is shown, to a file */
};

enum job_form { FORM_TABLE, FORM_JSON, FORM_LINES, FORM_CSV };

struct job {
	enum job_kind kind;
	uint32_t number; /* of the page that waits for it; 0: none does */
	char title[160];
	char target[LINE_MAX_BYTES];  /* "tcp/8080"; of JOB_WRITE the file's name, whole */
	char filter[WISH_FILTER_MAX]; /* of JOB_PLAN: the very sockets */
	char netns[24];		      /* the inode of its namespace; "" our own */
	char inside[64];	      /* what a person calls that */
	struct socket socket;	      /* of JOB_WHY */
	bool is_forced, takes_connections, is_unheld;
	uint64_t seconds; /* of JOB_BLOCK; 0 without end */
	bool from_outside;
	unsigned columns; /* of the pager */
	bool is_utf8;
	struct arrangement *shown; /* of JOB_WRITE; held by the job */
	struct choice choice;
	enum job_form form;
	int fd; /* owned by the job; -1 none */

	struct closing *closing; /* of JOB_PLAN and JOB_CLOSE; owned by the job */
	struct out text;	 /* the answer */
	bool asks;		 /* there is something to confirm */
	bool is_blocked;	 /* the answer of JOB_BLOCKED */
	int result;
	struct error error;
};

struct job *job_new(enum job_kind kind); /* NULL: no memory */
void job_free(struct job *job);		 /* NULL is fine */

/* Does it, in whichever thread. */
void job_do(struct job *job, const struct looking *looking, const struct stop *stop);

struct jobs;

/* @looking: from where; its host is opened anew. 0 or negative errno with @err told. */
int jobs_start(const struct looking *looking, struct jobs **ret, struct error *err);
/* Breaks off what may be broken off. NULL is fine. */
void jobs_free(struct jobs *jobs);

/* False: one is under way, and @job stays the caller's. */
bool jobs_add(struct jobs *jobs, struct job *job);
/* Nobody waits for the answer any more: what only looks is broken off, what acts finishes its step.
 * True: something that would have acted had not begun, and never will. */
bool jobs_forget(struct jobs *jobs);
int jobs_fd(const struct jobs *jobs);
/* What is done, the caller's; NULL: nothing. */
struct job *jobs_take(struct jobs *jobs);

#endif
