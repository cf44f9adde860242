/* A close of a page's: planned, shown, and done once it is confirmed. The process that planned is
 * the one that acts, so that the plan and its identities go through nobody's hands in between. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "act/closing.h"
#include "act/guard.h"
#include "base/privilege.h"
#include "base/table.h"
#include "serve/job.h"
#include "view/plan.h"

static uint64_t mix_bytes(uint64_t so_far, const void *bytes, size_t n)
{
	for (const uint8_t *at = bytes; n; n--)
		so_far = table_mix(so_far * 31 + *at++);
	return so_far;
}

/* Which socket and which processes a step means, in a word that a page can say again. The guards of
 * act/ look at the facts themselves, not at this. */
static uint64_t identify(const struct step *step)
{
	const struct identity *target = &step->target;
	uint64_t id = mix_bytes(target->cookie, &target->netns, sizeof(target->netns));
	id = mix_bytes(id, &target->local, sizeof(target->local));
	id = mix_bytes(id, &target->peer, sizeof(target->peer));
	id = table_mix(id ^ ((uint64_t)target->local_port << 48 |
			     (uint64_t)target->peer_port << 32 | target->inode));
	for (uint32_t i = 0; i < step->n_holders; i++) {
		id = table_mix(id * 31 + (uint64_t)step->holders[i].pid);
		id = table_mix(id * 31 + step->holders[i].start_ticks);
	}
	return id;
}

static int make_plan(struct job *job, struct closing *closing, struct error *err)
{
	const struct deed *deed = &job->request->deed;
	char *targets[] = {(char *)(uintptr_t)deed->target, NULL};
	const struct closing_request request = {
		.targets = deed->target[0] ? targets : targets + 1,
		.filter = deed->filter[0] ? deed->filter : NULL,
		.options =
			{
				.by = (enum way)deed->by,
				.grace_ms = deed->grace_ms ? deed->grace_ms : CLOSE_GRACE_MS,
				.is_forced = deed->is_forced,
				.keeps_connections = deed->keeps_connections,
				.takes_connections = deed->takes_connections,
			},
	};
	if (!deed->target[0] && !deed->filter[0])
		return error_text(err, -EINVAL, "it needs a target or a filter");
	int r = closing_plan(&job->looking, &request, closing, err);
	if (r < 0 || closing->plan.steps.n <= STEPS_MAX)
		return r;
	error_text(err, -EINVAL, "that is %u sockets, and a page closes at most %u at once",
		   closing->plan.steps.n, STEPS_MAX);
	error_hint(err, "choose fewer, or use `doorward close`");
	return -EINVAL;
}

static void put_outcome(struct job *job, const struct closing *closing)
{
	cleanup(out_done) struct out text = {.fd = -1};
	const struct page page = {.out = &text, .is_utf8 = true, .columns = 100};
	plan_document(&job->out, closing->snapshot, &closing->plan, true);
	if (out_init(&text, -1) < 0)
		return;
	plan_print_outcome(&page, &closing->plan);
	job_open_object(job);
	out_string(&job->out, ",\"action\":\"close\",\"text\":");
	json_quote(&job->out, text.data, text.n);
	out_string(&job->out, "}\n");
}

/* Each process of the plan still is that process, and still holds that socket. What may not be
 * looked at is left to the guards of the act itself. */
static bool is_still_the_same(const struct job *job, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan_step(plan, i);
		for (uint32_t k = 0; k < step->n_holders && !step->is_refused; k++) {
			int fd = guard_open(job->looking.host, &step->target, &step->holders[k]);
			if (fd == -ESRCH || fd == -ENOENT)
				return false;
			closep(&fd);
		}
	}
	return true;
}

static void refuse_replaced(struct job *job)
{
	job_reply_error(
		job, 409,
		&(struct error){.what = "what the plan names is no longer the same: nothing "
					"was done",
				.hint = "make the plan again"});
}

static void confirmed(struct job *job, struct closing *closing)
{
	struct error err = {0};
	if (!closing_has_container(closing))
		privilege_keep(closing_capabilities(closing));
	if (!is_still_the_same(job, &closing->plan)) {
		refuse_replaced(job);
		return;
	}
	int r = closing_act(closing, job->settings->stop, &err);
	privilege_drop();
	if (r < 0) {
		job_reply_error(job, 500, &err);
		return;
	}
	put_outcome(job, closing);
	job_reply(job, REPLY_JSON, 200);
}

void job_close(struct job *job)
{
	cleanup(closing_done) struct closing closing;
	cleanup(out_done) struct out text = {.fd = -1};
	const struct page page = {.out = &text, .is_utf8 = true, .columns = 100};
	uint64_t identities[STEPS_MAX];
	struct error err = {0};
	struct request act;
	closing_init(&closing);
	int r = make_plan(job, &closing, &err);
	if (r >= 0 && (r = out_init(&text, -1)) < 0)
		error_set(&err, r, "plan the closing");
	if (r < 0) {
		job_reply_error(job, r == -EINVAL ? 400 : 500, &err);
		return;
	}
	uint32_t n = closing.plan.steps.n;
	bool can_act = n && !closing_is_refused(&closing);
	for (uint32_t i = 0; i < n; i++)
		identities[i] = identify(plan_step(&closing.plan, i));
	if (n)
		plan_print(&page, &closing.plan);
	else
		out_string(&text, "nothing is open there\n");
	plan_document(&job->out, closing.snapshot, &closing.plan, false);
	job_open_object(job);
	job_end_plan(job, identities, n, can_act, &text);
	if (job_reply(job, REPLY_JSON, 200) >= 0 && can_act &&
	    job_await_act(job, identities, n, &act) >= 0)
		confirmed(job, &closing);
}
