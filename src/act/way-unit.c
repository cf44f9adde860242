/* Stops the unit through systemd. */
#include <errno.h>

#include "act/way.h"

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	(void)plan;
	(void)options;
	step_refuse(step, -ENOTSUP, "this way is not built in", NULL);
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n, struct error *err)
{
	(void)acting;
	(void)steps;
	(void)n;
	(void)err;
	return -ENOTSUP;
}

const struct way_to_close way_unit = {.way = WAY_UNIT, .plan = plan, .perform = perform};
