/* Stops the units through their systemd: the .socket first, so that nothing that comes in between
 * starts the service again, then the service. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "act/presence.h"
#include "act/units.h"

#define TICK_MS 10

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	char units[512] = "";
	size_t at = 0;
	(void)options;
	if (!step->n_units) {
		step_refuse(step, -ENOENT, "no unit of systemd holds it alone",
			    step->n_holders ? "--by process ends its processes" : NULL);
		return;
	}
	for (uint8_t i = 0; i < step->n_units && at < sizeof(units); i++)
		at += (size_t)snprintf(units + at, sizeof(units) - at, "%s%s", i ? ", then " : "",
				       step->units[i]);
	step->object = plan_text(plan, "%s", units);
	if (step->n_units > 1)
		step->because = "the .socket first: what comes in between would start the service "
				"again";
	else if (step->restart && strcmp(step->restart, "no") != 0)
		step->because = plan_text(plan,
					  "%s has Restart=%s: systemd would start it again if only "
					  "its process ended",
					  step->units[0], step->restart);
	const char *last = step->units[step->n_units - 1];
	if (strstr(last, ".socket"))
		step_follows(step, "what its connections are served by lives on");
	else
		step_follows(
			step,
			plan_text(plan, "all processes of %s end, and what else they serve", last));
}

struct stopping {
	struct acting *acting;
	struct step *step;
	const struct bus_functions *functions;
	struct bus *bus;
	uint64_t until_ns;
};

/* Until it is stopped, or the time is over. */
static void wait_stopped(const struct stopping *stopping, const char *unit)
{
	char state[32];
	while (clock_ns() < stopping->until_ns && !stop_wanted(stopping->acting->stop)) {
		if (stopping->functions->read_state(stopping->bus, unit, state, sizeof(state)) <
			    0 ||
		    strcmp(state, "inactive") == 0 || strcmp(state, "failed") == 0)
			return;
		poll(NULL, 0, TICK_MS);
	}
	if (stopping->functions->read_state(stopping->bus, unit, state, sizeof(state)) >= 0 &&
	    strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0)
		stopping->step->remark = plan_text(stopping->acting->plan, "%s is %s", unit, state);
}

static void refuse(struct acting *acting, struct step *step, int r, const struct error *err)
{
	bool is_denied = r == -EACCES || r == -EPERM;
	step_refuse(step, r, plan_text(acting->plan, "%s", err->what),
		    err->hint[0] ? plan_text(acting->plan, "%s", err->hint)
		    : is_denied	 ? privilege_hint()
				 : NULL);
}

static void stop_units(struct stopping *stopping)
{
	struct step *step = stopping->step;
	for (uint8_t i = 0; i < step->n_units; i++) {
		struct error err = {0};
		int r = stopping->functions->stop_unit(stopping->bus, step->units[i], &err);
		if (r < 0 && r != -ENOENT) {
			refuse(stopping->acting, step, r, &err);
			return;
		}
		step->is_done = true;
		if (r >= 0)
			wait_stopped(stopping, step->units[i]);
	}
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n, struct error *err)
{
	(void)err;
	for (uint32_t i = 0; i < n && !stop_wanted(acting->stop); i++) {
		struct error told = {0};
		struct stopping stopping = {
			.acting = acting,
			.step = steps[i],
			.until_ns = clock_ns() + acting->options->grace_ms * 1000000,
		};
		int r = units_connect(steps[i]->manager, steps[i]->is_of_user,
				      steps[i]->manager_uid, &stopping.functions, &stopping.bus,
				      &told);
		if (r < 0) {
			refuse(acting, steps[i], r, &told);
			continue;
		}
		stop_units(&stopping);
		stopping.functions->close(stopping.bus);
		presence_wait(acting, steps + i, 1, NULL, 0, stopping.until_ns);
	}
	return 0;
}

const struct way_to_close way_unit = {.way = WAY_UNIT, .plan = plan, .perform = perform};
