/* Ports that can be bound now: each is tried. */
#ifndef WHY_FREE_H
#define WHY_FREE_H

#include "base/error.h"
#include "model/netns.h"
#include "model/socket.h"
#include "source/netns.h"

struct free_search {
	enum proto proto; /* TCP or UDP */
	bool has_address, is_v4;
	struct ip address;
	uint16_t first, last;
	uint32_t wanted;
	bool takes_ephemeral; /* those that the kernel gives to outgoing connections, too */
	bool takes_reserved;  /* those of ip_local_reserved_ports too */
};

struct free_ports {
	struct vector ports; /* uint16_t, ascending */
	struct port_range ephemeral;
	/* that were passed over */
	uint32_t n_ephemeral, n_reserved, n_taken, n_refused;
	int refusal; /* negative errno of the first that was refused for another reason than that
			it is taken */
};
void free_ports_init(struct free_ports *ports);
void free_ports_done(struct free_ports *ports);

/* Tries from the first on until @search has what it wants. Without an address every one of the
 * host is bound, of both families. As the caller may bind: without the right to a privileged port
 * that is refused. 0, or negative errno with @err told: no port of this kind can be bound at all.
 */
int free_find(struct host *host, const struct found_netns *place, const struct free_search *search,
	      struct free_ports *ret, struct error *err);

#endif
