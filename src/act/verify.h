/* After acting it is looked again: is each target free, and can its port be bound? */
#ifndef ACT_VERIFY_H
#define ACT_VERIFY_H

#include "act/way.h"
#include "model/query.h"

/* Writes each step's outcome, who holds it now, and what a real bind says. 0 or negative errno with
 * @err told. */
int verify_plan(struct acting *acting, const struct netns_scope *scope, struct error *err);

#endif
