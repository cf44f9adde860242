/* Stops the container through its engine, whatever holds the published port for it. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "act/engine.h"
#include "act/presence.h"

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	if (!step->container) {
		step_refuse(step, -ENOENT, "no container holds it",
			    step->n_holders ? "--by process ends its processes" : NULL);
		return;
	}
	if (step->engine != ENGINE_DOCKER && step->engine != ENGINE_PODMAN) {
		step_refuse(step, -ENOTSUP,
			    plan_text(plan, "containers of %s are stopped by their own command",
				      engine_words[step->engine]),
			    "--by process ends the processes that hold it");
		return;
	}
	if (strspn(step->container, "0123456789abcdef") != strlen(step->container)) {
		step_refuse(step, -EINVAL, "its id is none of the engine's", NULL);
		return;
	}
	step->object = step->container_name;
	step->because = "its engine publishes the port: a process that was ended there would leave "
			"the container running";
	for (uint32_t i = 0; i < step->n_holders; i++)
		if (step->holders[i].container)
			step->because = NULL; /* the container's own process */
	step_follows(step,
		     plan_text(plan,
			       "everything in the container %s ends, and its other ports close",
			       step->object));
	step_follows(step,
		     plan_text(plan, "what does not end within %.1f s is killed by the engine",
			       (double)options->grace_ms / 1000));
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n, struct error *err)
{
	(void)err;
	for (uint32_t i = 0; i < n && !stop_wanted(acting->stop); i++) {
		struct error told = {.code = 0};
		bool is_stopped = false;
		for (uint32_t k = 0; k < i; k++) /* both families of one published port */
			is_stopped |= steps[k]->is_done &&
				      strcmp(steps[k]->container, steps[i]->container) == 0;
		int r = is_stopped
				? 0
				: engine_stop(acting->host, steps[i]->engine, steps[i]->container,
					      acting->options->grace_ms, &told);
		steps[i]->is_done = r >= 0;
		if (r < 0)
			step_refuse(steps[i], r, plan_text(acting->plan, "%s", told.what),
				    r == -EACCES || r == -EPERM ? privilege_hint() : NULL);
	}
	presence_wait(acting, steps, n, NULL, 0, clock_ns() + acting->options->grace_ms * 1000000);
	return 0;
}

const struct way_to_close way_container = {.way = WAY_CONTAINER, .plan = plan, .perform = perform};
