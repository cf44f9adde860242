/* A question answered: tried, looked into, and both held against each other. */
#include <errno.h>

#include "why/cause.h"
#include "why/trial.h"

static int find_causes(struct inquiry *inquiry)
{
	uint32_t attempt = 1u << inquiry->diagnosis->question.attempt;
	int r = 0;
	for (unsigned i = 0; r >= 0 && cause_families[i]; i++)
		if (cause_families[i]->attempts & attempt)
			r = cause_families[i]->find(inquiry);
	return r;
}

int why_find(struct inquiry *inquiry, bool tries, struct error *err)
{
	if (tries)
		trial_run(inquiry);
	int r = find_causes(inquiry);
	if (r < 0)
		return error_set(err, r, "find out why");
	diagnosis_agree(inquiry->diagnosis);
	return 0;
}
