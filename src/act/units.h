/* What the systemd of a holder says of its unit, and that systemd told to stop it. */
#ifndef ACT_UNITS_H
#define ACT_UNITS_H

#include "act/plan.h"
#include "bus/bus.h"

/* A connection to the systemd with @pid. @is_user: `systemd --user` of @uid. 0 or negative errno
 * with @err told;
 * *@ret_functions are the module's. */
int units_connect(int32_t pid, bool is_user, uint32_t uid,
		  const struct bus_functions **ret_functions, struct bus **ret, struct error *err);

/* A struct unit_fact for each service that the targets are in, in @arena. What could not be asked
 * says why. 0 or -ENOMEM. */
int units_ask(const struct snapshot *snapshot, const uint32_t *sockets, uint32_t n,
	      struct arena *arena, struct vector *ret);

#endif
