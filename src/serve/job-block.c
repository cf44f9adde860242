/* A block or unblock of a page's: said first, and done once it is confirmed. */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>

#include "act/blocking.h"
#include "base/privilege.h"
#include "base/table.h"
#include "model/value.h"
#include "serve/job.h"
#include "view/block.h"

/* A block means ports and from where, no process: it is what was asked for. */
static uint64_t identify(const struct block *block)
{
	char text[128];
	block_text(block, text, sizeof(text));
	uint64_t id = block->seconds + 1;
	for (const char *c = text; *c; c++)
		id = table_mix(id * 31 + (uint8_t)*c);
	return id;
}

static int parse(struct job *job, char *const *targets, struct blocking_request *request,
		 struct blocking *blocking, struct error *err)
{
	const struct deed *deed = &job->request->deed;
	*request = (struct blocking_request){.targets = targets,
					     .from = deed->from[0] ? deed->from : NULL,
					     .reason = deed->reason[0] ? deed->reason : NULL,
					     .cuts = deed->cuts,
					     .is_forced = deed->is_forced};
	if (!deed->target[0])
		return error_text(err, -EINVAL, "it needs a target");
	int r = deed->has_end ? blocking_life(deed->for_ms, &request->seconds, err) : 0;
	if (r >= 0)
		r = blocking_parse(job->looking.services, request, blocking, err);
	if (r >= 0 && blocking->wanted.n > STEPS_MAX)
		r = error_text(err, -EINVAL, "more than %u at once", STEPS_MAX);
	return r < 0 ? r : blocking_open(job->looking.host, &job->looking.scope, blocking, err);
}

static void end_with_text(struct job *job, enum act_kind kind, const struct out *text)
{
	job_open_object(job);
	out_format(&job->out, ",\"action\":\"%s\",\"text\":", act_words[kind]);
	json_quote(&job->out, text->data, text->n);
	out_string(&job->out, "}\n");
	job_reply(job, REPLY_JSON, 200);
}

static int status_of(int r)
{
	return r == -EINVAL ? 400 : r == -EPERM || r == -EACCES ? 403 : 500;
}

static void confirmed(struct job *job, bool is_block, const struct blocking_request *request,
		      struct blocking *blocking)
{
	struct error err = {0};
	struct cut cut = {.n_ended = 0};
	uint32_t n = 0;
	cleanup(out_done) struct out text = {.fd = -1};
	uint64_t netns = block_netns(&blocking->place)->inode;
	int r = out_init(&text, -1);
	if (r >= 0 && is_block)
		r = blocking_add(job->looking.host, request, blocking, &cut, &err);
	else if (r >= 0)
		r = block_remove(&blocking->place, &blocking->wanted, request->from != NULL,
				 &blocking->table, &n, &err);
	privilege_drop();
	if (r >= 0)
		r = cut_failed(&cut, &err);
	if (r < 0) {
		job_reply_error(job, (unsigned)status_of(r), &err);
		return;
	}
	const struct cut *shown = request->cuts ? &cut : NULL;
	if (is_block) {
		block_outcome(&text, &blocking->table, &blocking->wanted, shown);
		block_document(&job->out, netns, &blocking->table, &blocking->wanted, shown);
	} else {
		unblock_outcome(&text, n);
		unblock_document(&job->out, netns, &blocking->table, n);
	}
	end_with_text(job, is_block ? ACT_BLOCK : ACT_UNBLOCK, &text);
}

static void put_sentence(struct out *text, const struct block *block, bool is_block)
{
	char target[128];
	block_text(block, target, sizeof(target));
	if (is_block)
		block_sentence(text, block);
	else
		out_format(text, "%s: what was refused there is let in again", target);
	out_char(text, '\n');
}

static void put_plan(struct job *job, const struct blocking *blocking, uint64_t *identities)
{
	cleanup(out_done) struct out text = {.fd = -1};
	bool is_block = job->request->deed.kind == ACT_BLOCK;
	if (out_init(&text, -1) < 0)
		return;
	out_format(&job->out, "{\"schema\":\"doorward/1\",\"netns\":%" PRIu64 ",\"blocks\":[",
		   block_netns(&blocking->place)->inode);
	for (uint32_t i = 0; i < blocking->wanted.n; i++) {
		const struct block *block = vector_at(&blocking->wanted, i);
		identities[i] = identify(block);
		put_sentence(&text, block, is_block);
		out_string(&job->out, i ? "," : "");
		block_json(&job->out, block);
	}
	if (is_block)
		out_string(&text, "the process is left alone, and goes on to listen\n");
	out_char(&job->out, ']');
	job_end_plan(job, identities, blocking->wanted.n, blocking->wanted.n > 0, &text);
}

void job_block(struct job *job)
{
	cleanup(blocking_done) struct blocking blocking;
	const struct deed deed = job->request->deed;
	char *targets[] = {(char *)(uintptr_t)deed.target, NULL};
	struct blocking_request request;
	uint64_t identities[STEPS_MAX];
	struct error err = {0};
	struct request act;
	blocking_init(&blocking);
	privilege_keep(CAPS_BLOCK);
	int r = parse(job, targets, &request, &blocking, &err);
	if (r < 0) {
		job_reply_error(job, (unsigned)status_of(r), &err);
		return;
	}
	put_plan(job, &blocking, identities);
	if (job_reply(job, REPLY_JSON, 200) >= 0 &&
	    job_await_act(job, identities, blocking.wanted.n, &act) >= 0)
		confirmed(job, deed.kind == ACT_BLOCK, &request, &blocking);
}
