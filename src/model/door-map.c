/* The doors of a host at a glance. */
#include <string.h>

#include "base/attributes.h"
#include "model/door-map.h"

const char *const door_state_words[DOOR_STATE_MAX + 1] = {"closed",    "bound",	  "open",
							  "connected", "leaving", NULL};
const char *const door_reach_words[DOOR_REACH_MAX + 1] = {
	"none", "loopback", "link-local", "private", "public", "any", "group", NULL};
const char *const door_proto_words[DOOR_PROTO_MAX + 1] = {"tcp", "udp", NULL};

static enum door_state state_of(const struct socket *socket)
{
	switch ((enum state)socket->state) {
	case STATE_LISTEN:
		return DOOR_OPEN;
	case STATE_UNCONN:
		return socket_has_peer(socket) ? DOOR_CONNECTED : DOOR_OPEN;
	case STATE_BOUND:
		return DOOR_BOUND;
	case STATE_FIN_WAIT1:
	case STATE_FIN_WAIT2:
	case STATE_TIME_WAIT:
	case STATE_LAST_ACK:
	case STATE_CLOSING:
		return DOOR_LEAVING;
	default:
		return DOOR_CONNECTED;
	}
}

static enum door_reach reach_of(const struct socket *socket)
{
	static const uint8_t reaches[REACH_MAX] = {
		[REACH_LOOPBACK] = DOOR_REACH_LOOPBACK, [REACH_LINK_LOCAL] = DOOR_REACH_LINK_LOCAL,
		[REACH_PRIVATE] = DOOR_REACH_PRIVATE,	[REACH_SHARED] = DOOR_REACH_PRIVATE,
		[REACH_PUBLIC] = DOOR_REACH_PUBLIC,	[REACH_MULTICAST] = DOOR_REACH_GROUP,
		[REACH_BROADCAST] = DOOR_REACH_GROUP,	[REACH_ANY] = DOOR_REACH_ANY,
	};
	return (enum door_reach)reaches[ip_reach(&socket->local)];
}

/* What a door shows of several sockets: an open one before a connection, and of the same the wider.
 */
static unsigned state_rank(enum door_state state)
{
	static const uint8_t ranks[DOOR_STATE_MAX] = {
		[DOOR_LEAVING] = 1, [DOOR_BOUND] = 2, [DOOR_CONNECTED] = 3, [DOOR_OPEN] = 4};
	return ranks[state];
}

static unsigned reach_rank(enum door_reach reach)
{
	static const uint8_t ranks[DOOR_REACH_MAX] = {
		[DOOR_REACH_LOOPBACK] = 1, [DOOR_REACH_GROUP] = 2,  [DOOR_REACH_LINK_LOCAL] = 3,
		[DOOR_REACH_PRIVATE] = 4,  [DOOR_REACH_PUBLIC] = 5, [DOOR_REACH_ANY] = 6};
	return ranks[reach];
}

/* NULL: it is no door. */
static uint8_t *door_of(struct door_map *map, const struct socket *socket)
{
	if (!socket->local_port || (socket->proto != PROTO_TCP && socket->proto != PROTO_UDP))
		return NULL;
	return &map->doors[socket->proto == PROTO_UDP ? DOOR_UDP : DOOR_TCP][socket->local_port];
}

static void add(uint8_t *door, const struct socket *socket)
{
	enum door_state state = state_of(socket);
	enum door_reach reach = reach_of(socket);
	unsigned was = state_rank(door_state(*door)), is = state_rank(state);
	if (is > was || (is == was && reach_rank(reach) > reach_rank(door_reach(*door))))
		*door = (uint8_t)((*door & (DOOR_EPHEMERAL | DOOR_CHANGED)) | reach << 3 | state);
}

static const struct netns *place_of(const struct snapshot *snapshot)
{
	const struct netns *found = NULL;
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		if (netns->ephemeral.last && (!found || netns->is_self))
			found = netns;
	}
	return found;
}

static void mark_ephemeral(const struct snapshot *snapshot, struct door_map *map)
{
	const struct netns *netns = place_of(snapshot);
	for (uint32_t port = 1; netns && port < DOORS; port++)
		if (netns_port_is_ephemeral(netns, (uint16_t)port))
			map->doors[DOOR_TCP][port] = map->doors[DOOR_UDP][port] = DOOR_EPHEMERAL;
}

static void mark_gone(const struct difference *difference, const struct filter *filter,
		      struct door_map *map)
{
	for (uint32_t i = 0; i < difference->n_gone; i++) {
		uint32_t old = difference->gone[i];
		uint8_t *door = door_of(map, snapshot_socket(difference->older, old));
		if (door && filter_match(filter, difference->older, old))
			*door |= DOOR_CHANGED;
	}
}

void door_map_make(const struct snapshot *snapshot, const struct filter *filter,
		   const struct difference *difference, struct door_map *ret)
{
	memset(ret, 0, sizeof(*ret));
	mark_ephemeral(snapshot, ret);
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		uint8_t *door = door_of(ret, socket);
		if (!door || (filter && !filter_match(filter, snapshot, i)))
			continue;
		add(door, socket);
		if (difference && difference->change[i] != CHANGE_NONE)
			*door |= DOOR_CHANGED;
	}
	if (difference)
		mark_gone(difference, filter, ret);
}

void door_map_mark(struct door_map *map, const struct since *since)
{
	for (unsigned proto = 0; proto < DOOR_PROTO_MAX; proto++)
		for (uint32_t port = 1; port < DOORS; port++)
			if (since->gone[proto][port / 64] >> port % 64 & 1)
				map->doors[proto][port] |= DOOR_CHANGED;
}
