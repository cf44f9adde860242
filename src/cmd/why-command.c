/* `doorward why -- COMMAND...`: it runs, and each of its calls that fails is explained. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/why-command.h"
#include "model/value.h"
#include "view/diagnosis.h"
#include "why/answering.h"
#include "why/watch.h"

#define KNOWN_MAX 1024 /* different failures that are told of */

int why_collect(struct context *context, const struct look *look, struct answering *answering,
		bool all_netns, struct error *err)
{
	struct look where = *look;
	struct looking looking;
	if (!where.netns)
		where.netns = "self";
	int r = look_looking(context, &where, &looking, err);
	if (r >= 0 && looking.scope.choice == NETNS_ALL)
		r = error_text(err, -EINVAL, "--netns all: a port is had in one network namespace");
	return r < 0 ? r : answering_collect(answering, &looking, all_netns, err);
}

/* What makes two failures the same: a program that tries again is told of once. */
struct known {
	struct question question;
	int error;
	uint32_t count;
};

struct telling {
	struct context *context;
	const struct look *look;
	struct out *out;
	bool is_json;
	uint32_t n_told, n_failed;
	struct vector known; /* struct known */
};

static bool is_same(const struct known *known, const struct failure *failure)
{
	const struct question *a = &known->question, *b = &failure->question;
	return known->error == failure->error && a->attempt == b->attempt && a->proto == b->proto &&
	       a->port == b->port && a->is_v4 == b->is_v4 && a->reuseaddr == b->reuseaddr &&
	       a->reuseport == b->reuseport && ip_equal(&a->address, &b->address);
}

/* It was told of already, or is one too many. */
static bool is_known(struct telling *telling, const struct failure *failure)
{
	for (uint32_t i = 0; i < telling->known.n; i++) {
		struct known *known = vector_at(&telling->known, i);
		if (!is_same(known, failure))
			continue;
		known->count++;
		return true;
	}
	struct known *added = telling->known.n < KNOWN_MAX ? vector_add(&telling->known) : NULL;
	if (added)
		*added = (struct known){failure->question, failure->error, 1};
	return !added;
}

static int explain(struct telling *telling, const struct failure *failure,
		   struct answering *answering, struct error *err)
{
	struct look look = *telling->look;
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", failure->pid);
	look.netns = pid;
	struct inquiry *inquiry = &answering->inquiry;
	int r = why_collect(telling->context, &look, answering,
			    failure->question.attempt == ATTEMPT_CONNECT, err);
	if (r >= 0)
		r = subject_process(&telling->context->host, failure->pid, &inquiry->subject, err);
	if (r < 0)
		return r;
	answering_set_subject(answering);
	inquiry->own_inode = failure->inode;
	inquiry->is_bound = failure->is_bound;
	answering->diagnosis.answer = (struct tried){
		.is_tried = true, .at = failure->question.attempt, .error = failure->error};
	return why_find(inquiry, false, err);
}

static int tell_one(struct telling *telling, const struct failure *failure,
		    struct answering *answering, struct error *err)
{
	struct out *out = telling->out;
	if (telling->is_json) {
		out_string(out, telling->n_told ? ",\n{" : "\n{");
		int r = diagnosis_document(out, answering->snapshot, &answering->diagnosis);
		if (r < 0)
			error_set(err, r, "tell why");
		out_format(out, ",\"is_late\":%s}", failure->is_late ? "true" : "false");
		return r;
	}
	struct page page = tell_page(telling->context);
	page.out = out;
	page.has_colour = page.has_colour && isatty(STDERR_FILENO);
	out_format(out, "%s: ", telling->context->program);
	diagnosis_print(&page, answering->snapshot, &answering->diagnosis);
	return 0;
}

static int on_failure(void *data, const struct failure *failure)
{
	struct telling *telling = data;
	telling->n_failed++;
	if (is_known(telling, failure))
		return 0;
	cleanup(answering_done) struct answering answering;
	struct error err = {0};
	answering_init(&answering, &telling->context->host, &failure->question);
	int r = explain(telling, failure, &answering, &err);
	if (r >= 0)
		r = tell_one(telling, failure, &answering, &err);
	if (r < 0 && !telling->is_json)
		out_format(telling->out, "doorward: %s\n", err.what);
	telling->n_told += r >= 0;
	out_flush(telling->out);
	return r == -ENOMEM ? r : 0;
}

/* ---- the whole ---- */

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void tell_end(const struct telling *telling, const struct watch *watch, const char *command)
{
	struct out *out = telling->out;
	out_format(out, "%s: %s ", telling->context->program, command);
	if (WIFSIGNALED(watch->status))
		out_format(out, "was ended by signal %d (%s)", WTERMSIG(watch->status),
			   strsignal(WTERMSIG(watch->status)));
	else
		out_format(out, "ended with %d", WEXITSTATUS(watch->status));
	if (!telling->n_failed)
		out_string(out, "; none of its bind, listen and connect calls failed");
	else
		out_format(out, "; %u call%s failed", telling->n_failed,
			   telling->n_failed == 1 ? "" : "s");
	if (telling->n_failed > telling->n_told)
		out_format(out, ", %u of them different", telling->known.n);
	if (watch->n_let_go)
		out_format(out, "; %u threads that it started go on unwatched", watch->n_let_go);
	out_char(out, '\n');
}

static void json_begin(struct out *out, char **arguments)
{
	out_format(out, "{\"schema\":\"%s\",\"command\":[", JSON_SCHEMA);
	for (char **at = arguments; *at; at++) {
		if (at != arguments)
			out_char(out, ',');
		json_quote(out, *at, strlen(*at));
	}
	out_string(out, "],\"failures\":[");
	out_flush(out);
}

static void json_finish(const struct telling *telling, const struct watch *watch)
{
	struct out *out = telling->out;
	out_format(out, "],\"n_failures\":%u", telling->n_failed);
	if (WIFSIGNALED(watch->status))
		out_format(out, ",\"exit_status\":null,\"signal\":%d", WTERMSIG(watch->status));
	else
		out_format(out, ",\"exit_status\":%d,\"signal\":null", WEXITSTATUS(watch->status));
	out_format(out, ",\"unwatched\":%u}\n", watch->n_let_go);
}

static int run_watch(struct telling *telling, struct launch *launch, char **arguments,
		     struct error *err)
{
	struct watch watch = {.launch = launch,
			      .stop = telling->context->stop,
			      .failed = on_failure,
			      .data = telling};
	telling->context->ends_by_stop = true;
	if (telling->is_json)
		json_begin(telling->out, arguments);
	int r = watch_run(&watch, err);
	privilege_drop();
	int refused = launch_error(launch);
	if (r >= 0 && refused)
		r = error_set(err, -refused, "run %.60s", arguments[0]);
	if (telling->is_json)
		json_finish(telling, &watch);
	else if (r >= 0)
		tell_end(telling, &watch, arguments[0]);
	out_flush(telling->out);
	return r < 0 ? r : status_of(watch.status);
}

int why_command(struct context *context, const struct look *look, struct launch *launch,
		char **arguments, bool is_json, struct error *err)
{
	struct out out = {.fd = -1};
	struct telling telling = {.context = context,
				  .look = look,
				  .out = is_json ? &context->out : &out,
				  .is_json = is_json};
	if (out_init(&out, STDERR_FILENO) < 0)
		return error_set(err, -ENOMEM, "tell why");
	vector_init(&telling.known, sizeof(struct known));
	int r = run_watch(&telling, launch, arguments, err);
	vector_done(&telling.known);
	out_done(&out);
	return r;
}
