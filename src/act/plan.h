/* What closing would do: a snapshot and the options to steps. Pure. */
#ifndef ACT_PLAN_H
#define ACT_PLAN_H

#include "act/beside.h"
#include "act/session.h"
#include "act/way.h"
#include "model/rows.h"

/* What a systemd says of a unit (act/units.c). */
struct unit_fact {
	int32_t manager;		      /* pid of the systemd */
	const char *name;		      /* "nginx.service" */
	const char *error;		      /* why it could not be asked; NULL */
	const char *restart;		      /* "always", "no"; NULL: a .socket */
	const char *triggers[STEP_UNITS_MAX]; /* the .socket units that start it */
	uint8_t n_triggers;
};

struct planning {
	const struct snapshot *snapshot;
	const uint32_t *sockets; /* the targets: indexes into the snapshot */
	uint32_t n_sockets;
	const struct unit_fact *units;
	uint32_t n_units;
	const struct beside *beside;
	uint32_t n_beside;
	const struct session *session;
	const struct close_options *options;
};

/* A step for each target. 0 or -ENOMEM; @plan is done with in either case. */
int close_plan(const struct planning *planning, struct plan *plan);

/* The systemd that started the process, an ancestor of it or itself; NULL: there is none. Needs
 * NEED_PARENTS. */
const struct process *plan_manager(const struct snapshot *snapshot, const struct process *process);

/* The unit that would be stopped for the holder: "nginx.service"; NULL where it is in none, or in
 * one that is no service. */
const char *plan_unit(const struct process *process);

/* For who looks again afterwards: the holders of a socket, the identity of one. 0 or -ENOMEM. */
int plan_describe_holders(struct plan *plan, const struct snapshot *snapshot, uint32_t socket,
			  struct step_holder **ret, uint32_t *ret_n);
void plan_identify(const struct snapshot *snapshot, uint32_t socket, struct identity *ret);

#endif
