/* The bind itself, tried: same address and options, in the namespace, control group and user that
 * are asked about. It never listens, and is gone at once. */
#ifndef WHY_TRIAL_H
#define WHY_TRIAL_H

#include "why/why.h"

/* Tries what @inquiry asks and fills answer, plain, reuseaddr and reuseport of its diagnosis. Where
 * it may not be tried for this subject, `untried` says why and nothing is tried. */
void trial_run(struct inquiry *inquiry);

/* One bind, here and as we are: options of @question. Negative errno of socket() or bind() with the
 * call in *@ret_at, or 0. */
int trial_bind(const struct question *question, enum attempt *ret_at);

#endif
