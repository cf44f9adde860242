/* Who can reach a socket, in words. */
#include "view/reach.h"

#define RINGS_MAX 12
#define INTERFACES_MAX 4

/* Those who come by one kind of address, and through which interfaces. */
struct ring {
	enum reach reach;
	const char *block; /* of a private network; NULL */
	const char *interfaces[INTERFACES_MAX];
	unsigned n, more;
};

struct rings {
	struct ring all[RINGS_MAX];
	unsigned n;
};

static const char *private_block(const struct ip *ip)
{
	if (!ip_is_mapped(ip))
		return "fc00::/7";
	switch (ip->bytes[12]) {
	case 10:
		return "10.0.0.0/8";
	case 172:
		return "172.16.0.0/12";
	default:
		return "192.168.0.0/16";
	}
}

static struct ring *ring_of(struct rings *rings, const struct ip *ip)
{
	enum reach reach = ip_reach(ip);
	const char *block = reach == REACH_PRIVATE ? private_block(ip) : NULL;
	for (unsigned i = 0; i < rings->n; i++)
		if (rings->all[i].reach == reach && rings->all[i].block == block)
			return rings->all + i;
	if (rings->n == RINGS_MAX)
		return NULL;
	struct ring *added = rings->all + rings->n++;
	*added = (struct ring){.reach = reach, .block = block};
	return added;
}

static void ring_add_interface(struct ring *ring, const char *name)
{
	for (unsigned i = 0; i < ring->n; i++)
		if (strcmp(ring->interfaces[i], name) == 0)
			return;
	if (ring->n < INTERFACES_MAX)
		ring->interfaces[ring->n++] = name;
	else
		ring->more++;
}

static void write_interfaces(struct out *out, const struct ring *ring, const char *before)
{
	for (unsigned i = 0; i < ring->n; i++) {
		out_string(out, i ? ", " : before);
		out_string(out, ring->interfaces[i]);
	}
	if (ring->more)
		out_format(out, " and %u more", ring->more);
}

static void write_ring(struct out *out, const struct ring *ring)
{
	switch (ring->reach) {
	case REACH_PUBLIC:
		out_string(out, "anyone on the Internet");
		break;
	case REACH_SHARED:
		out_string(out, "the provider's shared network 100.64.0.0/10");
		break;
	case REACH_PRIVATE:
		out_format(out, "your private network %s", ring->block);
		break;
	case REACH_LINK_LOCAL:
		out_string(out, "the neighbours on the link");
		break;
	case REACH_MULTICAST:
		out_string(out, "whoever sends to its multicast group");
		break;
	case REACH_BROADCAST:
		out_string(out, "everybody on the link, by broadcast");
		break;
	default:
		out_string(out, "this host");
		return;
	}
	write_interfaces(out, ring, ring->reach == REACH_LINK_LOCAL ? " of " : " through ");
}

static bool interface_is_up(const struct netns *netns, uint32_t index)
{
	for (uint32_t i = 0; i < netns->n_interfaces; i++)
		if (netns->interfaces[i].index == index)
			return netns->interfaces[i].is_up;
	return true;
}

/* The rings of all addresses that @socket answers at. */
static void collect_rings(const struct netns *netns, const struct socket *socket,
			  struct rings *rings)
{
	bool is_any = ip_is_any(&socket->local), is_v4 = socket_is_v4(socket);
	bool takes_v4 = is_v4 || socket_is_dual_stack(socket);

	for (uint32_t i = 0; i < netns->n_addresses; i++) {
		const struct interface_address *address = netns->addresses + i;
		if (is_any ? (address->is_v4 ? !takes_v4 : is_v4)
			   : !ip_equal(&address->ip, &socket->local))
			continue;
		if (!interface_is_up(netns, address->interface) ||
		    (socket->interface && socket->interface != address->interface))
			continue;
		struct ring *ring = ring_of(rings, &address->ip);
		const char *name = netns_interface_name(netns, address->interface);
		if (ring && name)
			ring_add_interface(ring, name);
	}
	if (!is_any)
		ring_of(rings, &socket->local);
}

static void write_loopback_alone(struct out *out, const struct netns *netns, bool is_any)
{
	if (netns && !netns->is_self && !netns->is_initial)
		out_string(out, "only its own network namespace");
	else
		out_string(out, "only this host");
	if (is_any)
		out_string(out, ": no interface here leads any further");
}

void reach_write(struct out *out, const struct snapshot *snapshot, const struct socket *socket)
{
	static const enum reach widest_first[] = {
		REACH_PUBLIC,	 REACH_SHARED,	  REACH_PRIVATE,  REACH_LINK_LOCAL,
		REACH_MULTICAST, REACH_BROADCAST, REACH_LOOPBACK,
	};
	const struct netns *netns =
		socket->netns == NONE ? NULL : snapshot_netns(snapshot, socket->netns);
	bool is_any = ip_is_any(&socket->local), is_first = true;
	struct rings rings = {.n = 0};

	if (netns && netns->is_detailed) {
		collect_rings(netns, socket, &rings);
	} else if (is_any) {
		out_string(out,
			   "whoever reaches any address of its host (they are not known here)");
		return;
	} else {
		ring_of(&rings, &socket->local);
	}

	if (!rings.n || (rings.n == 1 && rings.all[0].reach == REACH_LOOPBACK)) {
		write_loopback_alone(out, netns, is_any);
		return;
	}
	for (unsigned k = 0; k < ARRAY_SIZE(widest_first); k++) {
		for (unsigned i = 0; i < rings.n; i++) {
			if (rings.all[i].reach != widest_first[k])
				continue;
			if (!is_first)
				out_string(out, "; ");
			write_ring(out, &rings.all[i]);
			is_first = false;
		}
	}
}
