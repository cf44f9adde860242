/* Socket activation: a systemd holds a listening socket for the service that will answer
 * (systemd.socket(5)). */
#ifndef SOURCE_ACTIVATION_H
#define SOURCE_ACTIVATION_H

#include "base/vector.h"
#include "model/snapshot.h"
#include "source/host.h"

/* Adds to snapshot->answers. 0 or -ENOMEM. */
int activation_answer(struct host *host, struct snapshot *snapshot, struct error *err);

/* One stream or datagram socket that a .socket unit names. */
struct listened {
	uint8_t proto;
	uint16_t port;
	bool has_address; /* else any */
	struct ip address;
};

/* What a unit's file and its drop-ins say together. */
struct socket_unit {
	struct vector listened; /* struct listened */
	char service[256];	/* Service=; "": the unit's own name */
	bool accepts;		/* one service for each connection */
};

/* Adds one file's text; an empty ListenStream= takes back what came before. 0 or -ENOMEM. Pure. */
int activation_parse(const char *text, size_t n, struct socket_unit *unit);

/* The service that answers for "foo.socket", at @to: "foo.service", "foo@.service". */
void activation_service(const struct socket_unit *unit, const char *name, char *to, size_t size);

#endif
