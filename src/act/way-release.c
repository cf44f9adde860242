/* Frees the port and lets the process live: a quiet stand-in takes the socket's place (act/swap.h).
 * A closed descriptor would make its program spin on an error, or be given to its next file. */
#include <errno.h>
#include <string.h>

#include "act/keep.h"
#include "act/presence.h"
#include "act/registers.h"
#include "act/remains.h"
#include "act/swap.h"

#define ROUNDS_MAX 4 /* of who got a copy meanwhile: a child, another thread */

static const char *name_holders(struct plan *plan, const struct step *step)
{
	const char *name = step->holders[0].name ? step->holders[0].name : "its process";
	uint32_t n = 0;
	for (uint32_t i = 0; i < step->n_holders; i++)
		n += !i || step->holders[i].pid != step->holders[i - 1].pid;
	return n == 1 ? plan_text(plan, "%s (pid %d)", name, step->holders[0].pid)
		      : plan_text(plan, "%s and %u more", name, n - 1);
}

/* Those that only a ring of io_uring has. */
static uint32_t count_registered(const struct step *step)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < step->n_holders; i++)
		n += step->holders[i].fd < 0;
	return n;
}

/* Pid 1, or the systemd of the units: if it stood still, so would all that waits for it. */
static bool is_held_by_manager(const struct step *step)
{
	for (uint32_t i = 0; i < step->n_holders; i++)
		if (step->holders[i].pid == 1 || step->holders[i].pid == step->manager)
			return true;
	return false;
}

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	uint32_t n_registered = count_registered(step);
	if (!machine.name) {
		step_refuse(step, -ENOTSUP, "release is for x86-64 and arm64 only",
			    "use --by process");
	} else if (!step_is_door(step)) {
		step_refuse(step, -EINVAL, "a connection is no port that could be released",
			    "--by socket ends it");
	} else if (step->target.proto == PROTO_RAW) {
		step_refuse(step, -ENOTSUP, "a raw socket has no port", "use --by process");
	} else if (!step->n_holders) {
		step_refuse(step, -ESRCH, "no process has a descriptor of it", NULL);
	} else if (is_held_by_manager(step)) {
		step_refuse(step, -EPERM, "a manager of services holds it, and is never held still",
			    step->n_units ? "--by unit stops it" : NULL);
	} else if (n_registered == step->n_holders) {
		step_refuse(step, -ENOTSUP, "only a ring of io_uring has it, and no descriptor",
			    "use --by process");
	}
	if (step->is_refused)
		return;
	step->object = name_holders(plan, step);
	if (step->target.state == STATE_LISTEN)
		step_follows(step, "it lives on and serves the connections that it has; new ones "
				   "are refused");
	else
		step_follows(step, "it lives on and receives nothing there any more");
	step_follows(step, "to listen there again it has to be started anew");
	if (n_registered)
		step_follows(step,
			     "a ring of io_uring has the socket registered and keeps the port");
	if (options->keeps_connections)
		step_follows(step, "a successor may bind beside the connections that go on, with "
				   "SO_REUSEADDR");
}

static void refuse(struct acting *acting, struct step *step, const struct error *err)
{
	step_refuse(step, err->code, plan_text(acting->plan, "%s", err->what),
		    *err->hint ? plan_text(acting->plan, "%s", err->hint) : NULL);
}

static void take_result(struct swap_result *sum, const struct swap_result *result)
{
	sum->n_numbers += result->n_numbers;
	sum->is_unix |= result->is_unix;
}

/* Holders with a descriptor: those of rings alone cannot be helped. */
static bool has_descriptors(const struct vector *held)
{
	for (uint32_t i = 0; i < held->n; i++)
		if (((const struct step_holder *)vector_at(held, i))->fd >= 0)
			return true;
	return false;
}

/* Until the socket is gone, or nobody has a descriptor of it. 0, or negative errno with @err told
 * where the first round did nothing. */
static int take_away(struct acting *acting, struct step *step, struct swap_result *sum,
		     struct error *err)
{
	struct swap_job job = {.host = acting->host,
			       .target = &step->target,
			       .holders = step->holders,
			       .n_holders = step->n_holders};
	cleanup(vector_done) struct vector held;
	vector_init(&held, sizeof(struct step_holder));
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct swap_result result = {0};
		int r = swap_run(&job, &result, err);
		if (r < 0 && !sum->n_numbers)
			return r;
		take_result(sum, &result);
		if (r < 0 || presence_ask(acting, &step->target) == 0)
			break;
		held.n = 0;
		r = remains_find_holders(acting, &step->target, &held);
		if (r < 0 || !has_descriptors(&held))
			break;
		job.holders = held.data;
		job.n_holders = held.n;
	}
	if (presence_ask(acting, &step->target) != 0) {
		held.n = 0;
		remains_find_holders(acting, &step->target, &held);
		step->remark = remains_explain(acting, step, &held);
	}
	return 0;
}

static void tell_kept(struct acting *acting, struct step *step)
{
	uint32_t n_set, n_unset;
	int r = keep_connections(acting, step, &n_set, &n_unset);
	if (r < 0)
		step->remark = plan_text(acting->plan, "its connections could not be looked at: %s",
					 error_reason(r));
	else if (n_unset)
		step->remark = plan_text(acting->plan,
					 "%u of its %u connections could not be made to bear a "
					 "successor beside them",
					 n_unset, n_set + n_unset);
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n,
		   unused_argument struct error *err)
{
	for (uint32_t i = 0; i < n && !stop_wanted(acting->stop); i++) {
		struct step *step = steps[i];
		struct swap_result sum = {0};
		struct error why = {0};
		int r = take_away(acting, step, &sum, &why);
		if (r < 0) {
			refuse(acting, step, &why);
			continue;
		}
		step->is_done = true;
		if (acting->options->keeps_connections && !step->remark)
			tell_kept(acting, step);
	}
	return 0;
}

const struct way_to_close way_release = {.way = WAY_RELEASE, .plan = plan, .perform = perform};
