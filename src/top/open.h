/* What the screen has, made and given back. */
#ifndef TOP_OPEN_H
#define TOP_OPEN_H

#include "top/state.h"

int open_state(struct top *top, struct error *err);
/* The threads; afterwards this one has no capability. */
int open_threads(struct top *top, struct error *err);
void open_done(struct top *top);

/* One line of what it lacks; NULL: nothing is shown yet. */
void open_tell_missing(struct top *top, const struct snapshot *snapshot);

#endif
