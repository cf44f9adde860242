/* After acting it is looked again: is each target free, and can its port be bound? */
#ifndef ACT_VERIFY_H
#define ACT_VERIFY_H

#include "act/way.h"
#include "model/query.h"

/* Before anything is done: what stands at the ports of the plan and is no target of it, so that it
 * is not taken for one that came back. Adds cookies, uint64_t, to @ret. 0 or negative errno. */
int verify_note_others(const struct acting *acting, struct vector *ret);

/* Writes each step's outcome, who holds it now, and what a real bind says. 0 or negative errno with
 * @err told. */
int verify_plan(struct acting *acting, const struct netns_scope *scope, struct error *err);

#endif
