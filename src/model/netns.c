/* What follows from a network namespace's ranges and addresses. */
#include <stddef.h>

#include "model/netns.h"

bool netns_port_is_ephemeral(const struct netns *netns, uint16_t port)
{
	return port >= netns->ephemeral.first && port <= netns->ephemeral.last &&
	       netns->ephemeral.last;
}

bool netns_port_is_reserved(const struct netns *netns, uint16_t port)
{
	for (uint32_t i = 0; i < netns->n_reserved; i++)
		if (port >= netns->reserved[i].first && port <= netns->reserved[i].last)
			return true;
	return false;
}

static const struct interface *find(const struct netns *netns, uint32_t index)
{
	for (uint32_t i = 0; i < netns->n_interfaces; i++)
		if (netns->interfaces[i].index == index)
			return &netns->interfaces[i];
	return NULL;
}

const char *netns_interface_name(const struct netns *netns, uint32_t index)
{
	const struct interface *interface = find(netns, index);
	return interface ? interface->name : NULL;
}

enum reach netns_widest_reach(const struct netns *netns, bool v4, bool v6)
{
	enum reach widest = REACH_LOOPBACK;
	for (uint32_t i = 0; i < netns->n_addresses; i++) {
		const struct interface_address *address = &netns->addresses[i];
		const struct interface *interface = find(netns, address->interface);
		enum reach reach = ip_reach(&address->ip);
		if (!(address->is_v4 ? v4 : v6) || !interface || !interface->is_up)
			continue;
		if (reach > widest && reach <= REACH_PUBLIC)
			widest = reach;
	}
	return widest;
}

bool netns_has_address(const struct netns *netns, const struct ip *ip)
{
	if (ip_reach(ip) == REACH_LOOPBACK)
		return true;
	for (uint32_t i = 0; i < netns->n_addresses; i++)
		if (ip_equal(&netns->addresses[i].ip, ip))
			return true;
	return false;
}
