/* What stands behind open ports: connects, waits for a greeting, asks, and reads the answers.
 * All ports at once in one loop, never more than two connections at once to one port. What a
 * stranger says is read in a process of its own without capabilities; only finished, bounded,
 * printable results come back from it. */
#ifndef SCAN_IDENTIFY_H
#define SCAN_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/stop.h"
#include "model/identified.h"
#include "model/ip.h"
#include "model/socket.h"

struct identify_target {
	struct ip address;
	uint32_t interface; /* of a link-local address; 0 none */
	uint16_t port;
	uint8_t proto;	  /* PROTO_TCP or PROTO_UDP */
	bool is_own;	  /* this host's (any namespace): printers' ports are asked too */
	const char *name; /* what it was called: for TLS and HTTP; NULL the address */
	const char *hint; /* the registry's service or the holder's name; which question comes
			   * first, never what the answer is; may be NULL */
};

struct identify_options {
	uint32_t limit_ms;	/* for all together; 0: none but each port's own */
	uint32_t port_limit_ms; /* for one port; 0: IDENTIFY_PORT_LIMIT_MS */
	uint32_t in_flight;	/* connections at once, all ports; 0: IDENTIFY_IN_FLIGHT */
	bool asks_printers;	/* 515 and 9100-9107 of other hosts too */
};
#define IDENTIFY_PORT_LIMIT_MS 6000
#define IDENTIFY_IN_FLIGHT 256

struct identify_sink {
	/* The answer for targets[i], once for each, in the order in which they are known; borrowed
	 * until return. Non-zero ends the whole call with that value. */
	int (*identified)(struct identify_sink *sink, size_t i, const struct identified *what);
};

/* Identifies all, in the network namespace of the calling thread. When time is over or @stop is
 * wanted, what is not known yet is told as TIMED_OUT or STOPPED: each target is told exactly once.
 * 0, the sink's value, or negative errno with @err told (nothing could be asked at all). */
int identify_ports(const struct identify_target *targets, size_t n,
		   const struct identify_options *options, struct identify_sink *sink,
		   struct stop *stop, struct error *err);

#endif
