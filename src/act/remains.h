/* What a socket lives on by after its descriptors were taken away, and who has one of it still. */
#ifndef ACT_REMAINS_H
#define ACT_REMAINS_H

#include "act/way.h"

/* Who has a descriptor of the socket now: struct step_holder, added to @ret; fd -1: registered with
 * a ring of io_uring. The names live in the plan's arena. 0 or negative errno. */
int remains_find_holders(const struct acting *acting, const struct identity *target,
			 struct vector *ret);

/* Why the socket is still there, in words; @held: what remains_find_holders found. */
const char *remains_explain(const struct acting *acting, const struct step *step,
			    const struct vector *held);

#endif
