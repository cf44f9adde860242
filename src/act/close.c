/* A plan carried out. */
#include <errno.h>

#include "act/close.h"

int close_perform(struct acting *acting, struct error *err)
{
	uint32_t n_steps = acting->plan->steps.n;
	cleanup(freep) struct step **steps = calloc(n_steps + 1, sizeof(struct step *));
	if (!steps)
		return error_set(err, -ENOMEM, "close");
	/* connections first, so that their listener's end leaves none in TIME_WAIT */
	static const enum way order[] = {WAY_SOCKET, WAY_UNIT, WAY_CONTAINER, WAY_PROCESS,
					 WAY_RELEASE};
	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		enum way way = order[k];
		uint32_t n = 0;
		for (uint32_t i = 0; i < n_steps; i++) {
			struct step *step = plan_step(acting->plan, i);
			if (step->way == way && !step->is_refused)
				steps[n++] = step;
		}
		int r = n ? way_find(way)->perform(acting, steps, n, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
