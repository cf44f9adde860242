/* SIGTERM to every holder through its pidfd; SIGKILL afterwards only with --force. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "act/guard.h"
#include "act/presence.h"

#define KILL_MS 2000 /* how long a killed process is waited for */

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < step->n_holders; i++) {
		if (step->holders[i].pid == 1 || step->holders[i].pid == step->manager) {
			step_refuse(step, -EPERM,
				    step->holders[i].pid == 1
					    ? "pid 1 holds it, and is never signalled"
					    : "systemd holds it, and is never signalled",
				    step->n_units ? "--by unit stops it" : NULL);
			return;
		}
		n += !i || step->holders[i].pid != step->holders[i - 1].pid;
	}
	if (!n) {
		step_refuse(step, -ESRCH, "no process holds it",
			    step_is_door(step) ? NULL : "--by socket ends it");
		return;
	}
	const char *name = step->holders[0].name ? step->holders[0].name : "its process";
	step->object =
		n == 1 ? plan_text(plan, "%s (pid %d)", name, step->holders[0].pid)
		       : plan_text(plan, "%s and %u more: all %u that hold it", name, n - 1, n);
	if (options->is_forced)
		step_follows(step, plan_text(plan,
					     "what still holds it after %.1f s gets SIGKILL and "
					     "loses what it has not written",
					     (double)options->grace_ms / 1000));
	if (step->container && !step->holders[0].container)
		step_follows(step,
			     plan_text(plan,
				       "the container %s runs on, and its engine may still lead "
				       "the port to it (--by container stops it)",
				       step->container_name));
	if (step->units_error && step->n_units)
		step_follows(step,
			     plan_text(plan,
				       "systemd may start %s again: it could not be asked (%s)",
				       step->units[step->n_units - 1], step->units_error));
	if (step->restart && strcmp(step->restart, "no") != 0)
		step_follows(step, plan_text(plan,
					     "%s has Restart=%s: systemd will start it again; stop "
					     "the unit instead (--by unit)",
					     step->units[step->n_units - 1], step->restart));
}

/* A process that gets the signal once, however many of its sockets are meant. */
struct victim {
	int32_t pid;
	int pidfd;
	struct step *step; /* the first */
	const struct step_holder *holder;
};

static void victims_done(struct vector *victims)
{
	for (uint32_t i = 0; i < victims->n; i++)
		close(((struct victim *)vector_at(victims, i))->pidfd);
	vector_done(victims);
}

static bool is_victim(const struct vector *victims, int32_t pid)
{
	for (uint32_t i = 0; i < victims->n; i++)
		if (((const struct victim *)vector_at(victims, i))->pid == pid)
			return true;
	return false;
}

static int send_signal(int pidfd, int number)
{
	return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

static void refuse(struct acting *acting, struct step *step, const struct step_holder *holder,
		   int error)
{
	const char *name = holder->name ? holder->name : "a process",
		   *user = holder->user ? holder->user : NULL;
	step_refuse(step, error,
		    plan_text(acting->plan, "%s (held by %s, pid %d%s%s)", error_reason(error),
			      name, holder->pid, user ? ", of " : "", user ? user : ""),
		    error == -EPERM || error == -EACCES ? privilege_hint() : NULL);
}

/* All holders of a step, or none of them: one that may not be signalled keeps the port. */
static int open_holders(struct acting *acting, struct step *step, struct vector *victims)
{
	uint32_t before = victims->n;
	for (uint32_t i = 0; i < step->n_holders; i++) {
		const struct step_holder *holder = step->holders + i;
		if (is_victim(victims, holder->pid))
			continue;
		int pidfd = guard_open(acting->host, &step->target, holder);
		if (pidfd == -ESRCH || pidfd == -ENOENT)
			continue; /* it has let go of it meanwhile */
		int r = pidfd < 0 ? pidfd : send_signal(pidfd, 0);
		struct victim *added = r < 0 ? NULL : vector_add(victims);
		if (!added) {
			closep(&pidfd);
			while (victims->n > before)
				close(((struct victim *)vector_at(victims, --victims->n))->pidfd);
			refuse(acting, step, holder, r < 0 ? r : -ENOMEM);
			return r < 0 ? 0 : -ENOMEM;
		}
		*added = (struct victim){holder->pid, pidfd, step, holder};
	}
	return 0;
}

/* It still holds one of the targets that are meant. */
static bool still_holds(const struct acting *acting, struct step *const *steps, uint32_t n,
			const struct victim *victim)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; !steps[i]->is_refused && k < steps[i]->n_holders; k++)
			if (steps[i]->holders[k].pid == victim->pid &&
			    guard_holds(acting->host, victim->pidfd, &steps[i]->target,
					&steps[i]->holders[k]) != 0)
				return true;
	return false;
}

static void signal_all(struct acting *acting, struct step *const *steps, uint32_t n,
		       const struct vector *victims, int number)
{
	for (uint32_t i = 0; i < victims->n; i++) {
		const struct victim *victim = vector_at(victims, i);
		/* whoever has let go of the socket is not killed */
		if (number == SIGKILL && !still_holds(acting, steps, n, victim))
			continue;
		int r = send_signal(victim->pidfd, number);
		if (r < 0 && r != -ESRCH)
			refuse(acting, victim->step, victim->holder, r);
	}
}

static void wait_for(struct acting *acting, struct step *const *steps, uint32_t n,
		     const struct vector *victims, uint64_t ms)
{
	cleanup(freep) int *pidfds = calloc(victims->n + 1, sizeof(int));
	for (uint32_t i = 0; pidfds && i < victims->n; i++)
		pidfds[i] = ((const struct victim *)vector_at(victims, i))->pidfd;
	presence_wait(acting, steps, n, pidfds, pidfds ? victims->n : 0, clock_ns() + ms * 1000000);
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n, struct error *err)
{
	cleanup(victims_done) struct vector victims;
	vector_init(&victims, sizeof(struct victim));
	for (uint32_t i = 0; i < n; i++) {
		int r = open_holders(acting, steps[i], &victims);
		if (r < 0)
			return error_set(err, r, "signal the holders");
		steps[i]->is_done = !steps[i]->is_refused;
	}
	signal_all(acting, steps, n, &victims, SIGTERM);
	wait_for(acting, steps, n, &victims, acting->options->grace_ms);
	if (acting->options->is_forced && !stop_wanted(acting->stop) &&
	    presence_any(acting, steps, n)) {
		signal_all(acting, steps, n, &victims, SIGKILL);
		wait_for(acting, steps, n, &victims, KILL_MS);
	}
	return 0;
}

const struct way_to_close way_process = {.way = WAY_PROCESS, .plan = plan, .perform = perform};
