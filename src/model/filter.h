/* The one filter language (docs/architecture.md): port = 8080 and state = listen and not user =
 * root */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/field.h"
#include "model/services.h"

/* What a source need not fetch: a socket outside these cannot match. The filter is still evaluated.
 */
struct bounds {
	uint32_t protos;		/* 1 << enum proto */
	uint32_t families;		/* 1 << enum family */
	uint32_t states;		/* 1 << enum state */
	uint32_t events;		/* 1 << enum event_kind; only of who watches */
	uint16_t port_first, port_last; /* local port, inclusive */
	bool either_end; /* or the peer's port: both ends of a connection are joined */
};
#define BOUNDS_ALL                                        \
	((struct bounds){.protos = (1u << PROTO_MAX) - 1, \
			 .families = 3,                   \
			 .states = STATES_ALL,            \
			 .events = (1u << EVENT_MAX) - 1, \
			 .port_last = 65535})

static inline bool bounds_has_all_ports(const struct bounds *bounds)
{
	return bounds->port_first <= 1 && bounds->port_last == UINT16_MAX;
}

struct filter; /* opaque; freed by filter_free */

/* @text may be NULL or blank: matches everything. @services for names of ports (may be NULL:
 * registry alone). 0, -EINVAL with @err told: what = one line, with the text and a caret under the
 * place in it on lines of their own ("\n"), place = its byte, hint = the nearest right word.
 * -ENOMEM. */
int filter_parse(const char *text, const struct services *services, struct filter **ret,
		 struct error *err);
void filter_free(struct filter *filter);

/* For cleanup(). */
static inline void filterp(struct filter **filter)
{
	filter_free(*filter);
}

struct bounds filter_bounds(const struct filter *filter);
uint32_t filter_needs(const struct filter *filter); /* NEED_ bits of the fields that it names */
/* It says something about state, peer, role or held_by: the choice of states is its own. */
bool filter_names_state(const struct filter *filter);

/* Does this socket match. A test on a holder's field is true when one holder meets it. @filter
 * NULL: yes. */
bool filter_match(const struct filter *filter, const struct snapshot *snapshot, uint32_t socket);
/* Does this event, with its socket, match: a test on a holder's field is true too when who did it
 * meets it. */
bool filter_match_event(const struct filter *filter, const struct event *event);
/* The same when only the socket's own facts are known yet: false only when no holder could change
 * it. */
bool filter_may_match(const struct filter *filter, const struct snapshot *snapshot,
		      const struct socket *socket);

#endif
