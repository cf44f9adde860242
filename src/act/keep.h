/* The connections that a listener accepted, made to bear a successor beside them. */
#ifndef ACT_KEEP_H
#define ACT_KEEP_H

#include "act/way.h"

/* Sets SO_REUSEADDR on each connection at the port of @step's listener, in the processes that hold
 * it: accepted ones have it only where their listener did, and without it they keep the port from
 * being bound. *@ret_set: on how many; *@ret_unset: on how many it could not be set (nobody holds
 * them, or who does may not be traced). 0 or negative errno. */
int keep_connections(const struct acting *acting, const struct step *step, uint32_t *ret_set,
		     uint32_t *ret_unset);

#endif
