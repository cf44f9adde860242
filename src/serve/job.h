/* What takes long, or acts, is done by a process of its own, made for it: so that no page waits for
 * another's close, and what acts shares no memory with what reads requests. The maker is forked
 * once at the start, before there is a thread; it gets a request and a socket, and forks for each.
 */
#ifndef SERVE_JOB_H
#define SERVE_JOB_H

#include <sys/types.h>

#include "base/stop.h"
#include "collect/collect.h"
#include "serve/request.h"

#define PLAN_LIFE_MS 120000 /* for which a plan waits to be confirmed */

struct job_settings {
	struct looking looking;
	const struct stop *stop;
	bool is_read_only;
	const char *record; /* the file of `doorward record`, where there is one */
};

/* Starts the maker. @keep_not: descriptors that it closes, -1 ends. 0 or negative errno with @err
 * told. */
int job_start_maker(const struct job_settings *settings, const int *keep_not, int *ret_fd,
		    pid_t *ret_pid, struct error *err);

/* A job for @request: a socket on which its replies come, whole; the plan of an act waits there for
 * the request VERB_ACT. A descriptor or negative errno. */
int job_ask(int maker, const struct request *request);

/* ---- of the job's own process ---- */

struct job {
	const struct job_settings *settings;
	const struct request *request;
	struct looking looking; /* in the network namespace that the request names */
	char netns[24];
	int fd;
	struct out out;
};

/* What is in job->out is the answer. 0 or negative errno. */
int job_reply(struct job *job, enum reply_kind kind, unsigned status);
int job_reply_error(struct job *job, unsigned status, const struct error *err);

/* Waits for the act that confirms, of these identities. 0; -EPIPE: nobody will; -ESTALE: it named
 * others, which was answered; then it ends. @ret: the request. */
int job_await_act(struct job *job, const uint64_t *identities, uint32_t n, struct request *ret);

/* Takes what job->out has, an object, and opens it at its end for more members. */
void job_open_object(struct job *job);

/* ,"plan":"...","can_act":...,"identities":[...],"text":"..."} */
void job_end_plan(struct job *job, const uint64_t *identities, uint32_t n, bool can_act,
		  const struct out *text);

void job_story(struct job *job);
void job_close(struct job *job);
void job_block(struct job *job);

#endif
