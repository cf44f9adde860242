/* The ways of closing a socket: each is one file act/way-NAME.c that ends in its descriptor, and a
 * line in act/ways.c. */
#ifndef ACT_WAY_H
#define ACT_WAY_H

#include "base/error.h"
#include "base/stop.h"
#include "model/plan.h"
#include "source/host.h"

struct close_options {
	enum way by;
	uint64_t grace_ms;	/* how long the port may take to be free */
	bool is_forced;		/* --force */
	bool keeps_connections; /* --keep-connections, of release */
	bool takes_connections; /* --connections, or a filter on state */
};

/* What a way is given when it acts. */
struct acting {
	struct host *host;
	struct plan *plan;
	const struct close_options *options;
	const struct vector
		*others; /* cookies, uint64_t: sockets of the same ports that are no targets */
	const struct vector *places; /* struct found_netns: the namespaces of the targets */
	const struct stop *stop;     /* once wanted nothing new is begun; ptrace sections finish */
};

struct way_to_close {
	enum way way;
	/* What the plan says of the step where this way is to close it: because, object, what
	 * follows; or refuses it (step_refuse). No system call: pure. */
	void (*plan)(struct plan *plan, const struct close_options *options, struct step *step);
	/* Does it to @n steps, none of them refused. Each that was acted upon gets is_done; one
	 * that could not be is refused, with the reason. Whether the port is free is looked for
	 * afterwards (act/verify.c). 0, or negative errno with @err told where none could be done.
	 */
	int (*perform)(struct acting *acting, struct step *const *steps, uint32_t n,
		       struct error *err);
};

/* NULL for WAY_AUTO. */
const struct way_to_close *way_find(enum way way);

#endif
