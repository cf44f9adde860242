/* What tends to use a port, and what is risky about that: a small table beside the registry,
 * compiled in from data/port-uses.tsv. */
#ifndef MODEL_PORT_USES_H
#define MODEL_PORT_USES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/socket.h"

struct port_use {
	uint16_t port;
	uint8_t proto; /* PROTO_TCP or PROTO_UDP */
	bool is_risk;
	const char *text;
};

extern const struct port_use port_uses[]; /* sorted by port */
extern const uint32_t port_n_uses;

#endif
