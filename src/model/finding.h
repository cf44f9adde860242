/* Which socket of an older snapshot one of a newer is, and whether it has changed. Only for
 * difference.c and since.c. */
#ifndef MODEL_FINDING_H
#define MODEL_FINDING_H

#include "base/table.h"
#include "model/snapshot.h"

struct finding {
	const struct snapshot *older, *newer; /* of the newer only namespaces and processes */
	bool *is_found;			      /* of each of the older */
	struct table table;
	bool has_table;
	uint32_t next; /* of the older: the likely one */
};

/* 0 or -ENOMEM; finding_done in either case. */
int finding_init(struct finding *finding, const struct snapshot *older,
		 const struct snapshot *newer);
void finding_done(struct finding *finding);

/* Its index in the older, which then is found; NONE: it is not there. 0 or -ENOMEM. */
int finding_same(struct finding *finding, const struct socket *socket, uint32_t *ret);

/* After all of the newer were looked for: as a connection that goes on as another struct of the
 * kernel. finding_turn() once before. 0 or -ENOMEM. */
int finding_turn(struct finding *finding);
uint32_t finding_connection(struct finding *finding, const struct socket *socket);

/* A sum over the holders of a socket, whatever their order. */
uint64_t finding_holder(const struct process *process, int32_t fd);

/* Another state, another end, other holders. @holders: the sum of those of @socket. */
bool finding_has_changed(const struct finding *finding, uint32_t old, const struct socket *socket,
			 uint64_t holders);
uint64_t finding_holders(const struct snapshot *snapshot, const struct socket *socket);

#endif
