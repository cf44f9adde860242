/* The story of a port, for a page. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/privilege.h"
#include "collect/story.h"
#include "journal/record-of.h"
#include "model/exact.h"
#include "model/value.h"
#include "serve/job.h"
#include "view/story.h"

/* Of a connection the story is that of its port. */
static int target_of(const struct request *request, char *to, size_t size, struct error *err)
{
	struct exact exact;
	int r = exact_parse(request->target, &exact, err);
	if (r > 0 && !exact.pid)
		snprintf(to, size, "%s/%u", proto_words[exact.proto], exact.local_port);
	else
		snprintf(to, size, "%s", request->target);
	return r;
}

static void put_text(struct job *job, const struct story *story)
{
	cleanup(out_done) struct out text = {.fd = -1};
	const struct page page = {.out = &text, .is_utf8 = true, .columns = 100};
	if (out_init(&text, -1) < 0)
		return;
	story_print(&page, story);
	job_open_object(job);
	out_string(&job->out, ",\"text\":");
	json_quote(&job->out, text.data, text.n);
	out_string(&job->out, "}\n");
}

/* As of a moment of the record. */
static int recall(struct job *job, const char *target, struct story_facts *facts, struct error *err)
{
	struct record_of of = {.history = NULL};
	int r = story_parse(job->looking.services, target, facts, err);
	if (r >= 0)
		r = record_open_as_caller(job->settings->record, &of, err);
	if (r < 0)
		return r;
	uint64_t moment_ns = job->request->wish.moment_ms * 1000000u;
	const struct recall recall = {
		.filter = facts->filter, .now_ns = moment_ns, .is_all_states = true};
	r = of.history->snapshot_at(of.archive, moment_ns, &recall, &facts->snapshot, err);
	record_close(&of);
	return r < 0 ? r : story_work_out(NULL, facts, err);
}

void job_story(struct job *job)
{
	char target[256];
	struct error err = {0};
	cleanup(story_facts_done) struct story_facts facts;
	story_facts_init(&facts);
	privilege_keep(CAPS_SEE);
	int r = target_of(job->request, target, sizeof(target), &err);
	if (r >= 0 && job->request->wish.moment_ms)
		r = recall(job, target, &facts, &err);
	else if (r >= 0)
		r = story_find(&job->looking, target, &facts, &err);
	privilege_drop();
	const struct story story = {
		.target = target,
		.rows = &facts.rows,
		.explanation = facts.is_explained ? &facts.explanation : NULL,
		.remarks = &facts.remarks,
		.peers = &facts.peers,
		.timed = facts.timed.data,
	};
	if (r >= 0 && (r = story_document(&job->out, &story)) < 0)
		error_set(&err, r, "tell the story of the port");
	if (r < 0) {
		job_reply_error(job, r == -EINVAL ? 400 : 500, &err);
		return;
	}
	put_text(job, &story);
	job_reply(job, REPLY_JSON, 200);
}
