/* A network namespace: what is true of it, once. */
#ifndef MODEL_NETNS_H
#define MODEL_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ip.h"

struct interface_address {
	struct ip ip;
	uint32_t interface;
	uint8_t prefix;		  /* bits of the family */
	bool is_v4, is_tentative; /* tentative: duplicate address detection runs, or has failed */
};

struct interface {
	uint32_t index;
	const char *name;
	bool is_up, is_loopback;
};

struct port_range {
	uint16_t first, last;
};

struct netns {
	uint64_t inode;	  /* its identity */
	const char *name; /* /run/netns/NAME, "docker:web" for a container's, NULL */
	bool is_self;	  /* the one that this program was started in */
	bool is_initial;  /* the host's (as the kernel numbers it, or pid 1's) */
	bool is_detailed; /* interfaces, addresses, ranges were read */
	const struct interface *interfaces;
	const struct interface_address *addresses;
	uint32_t n_interfaces, n_addresses;
	struct port_range ephemeral;	   /* 0-0: unknown */
	const struct port_range *reserved; /* ip_local_reserved_ports */
	uint32_t n_reserved;
	uint16_t unprivileged_start;
};

bool netns_port_is_ephemeral(const struct netns *netns, uint16_t port);
bool netns_port_is_reserved(const struct netns *netns, uint16_t port);
const char *netns_interface_name(const struct netns *netns, uint32_t index); /* or NULL */
/* The widest reach of the addresses of interfaces that are up, for a socket bound to any; @v4, @v6:
 * which families it takes. REACH_LOOPBACK when there is nothing else. */
enum reach netns_widest_reach(const struct netns *netns, bool v4, bool v6);
/* @ip is an address of this namespace (127/8 included). */
bool netns_has_address(const struct netns *netns, const struct ip *ip);

#endif
