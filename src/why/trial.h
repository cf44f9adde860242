/* The bind itself, tried: same address and options, in the namespace, control group and user that
 * are asked about. It never listens, and is gone at once. */
#ifndef WHY_TRIAL_H
#define WHY_TRIAL_H

#include "why/why.h"

/* Tries what @inquiry asks and fills answer, plain, reuseaddr and reuseport of its diagnosis. Where
 * it may not be tried for this subject, `untried` says why and nothing is tried. */
void trial_run(struct inquiry *inquiry);

#endif
