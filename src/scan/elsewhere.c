/* Who answers at a door that no socket of the table has: a socket that an sk_lookup program steers
 * to, another namespace behind a NAT rule, or somebody who cannot be seen. And whether it is a
 * block of our own that keeps one closed which the table has. */
#include <errno.h>
#include <sys/time.h>

#include "base/format.h"
#include "collect/blocks.h"
#include "collect/collect.h"
#include "scan/elsewhere.h"
#include "scan/pending.h"
#include "source/nat.h"
#include "source/netns.h"

#define LOOKED_UP_MAX 64 /* each costs a few system calls */

static const char hidden[] =
	"hidden: no socket that may be seen, no NAT rule, no program of the kernel, no other "
	"namespace has it (packets may be answered without a socket)";

struct looking_up {
	struct host *host;
	const struct snapshot *snapshot;
	struct scan *scan;
	const struct found_netns *place;     /* of the address; NULL: it may not be entered */
	const struct found_netns *seen_from; /* from where it was found open; NULL: unknown */
	struct block_table blocks;	     /* of @blocks_place */
	const struct found_netns *blocks_place;
	bool sees_all; /* every namespace was looked into */
};

/* What came of a look. */
enum look {
	LOOK_REFUSED = -1, /* it could not be looked, so nothing follows */
	LOOK_NOTHING,
	LOOK_FOUND,
};

static void say(struct looking_up *up, struct scan_door *door, const char *text)
{
	const char *kept = arena_intern_string(&up->scan->arena, text);
	if (kept)
		door->detail = kept;
}

/* The kernel's own choice, sk_lookup programs included. */
static enum look find_steering(struct looking_up *up, const struct scan_result *result,
			       struct scan_door *door)
{
	struct delivery delivery;
	struct error err = {0};
	char text[160];
	delivery_init(&delivery);
	delivery.proto = door->proto;
	delivery.to = result->target.ip;
	delivery.is_v4 = result->target.is_v4;
	delivery.to_port = door->port;
	delivery.netns = result->netns;
	enum look look = LOOK_REFUSED;
	if (collect_delivery(up->host, up->snapshot, &delivery, &err) >= 0 && delivery.is_by_kernel)
		look = delivery.is_steered && delivery.chosen != NONE ? LOOK_FOUND : LOOK_NOTHING;
	if (look == LOOK_FOUND) {
		const struct socket *socket = snapshot_socket(up->snapshot, delivery.chosen);
		snprintf(text, sizeof(text),
			 "a program of the kernel (sk_lookup) steers it to port %u",
			 socket->local_port);
		door->socket = delivery.chosen;
		say(up, door, text);
	}
	delivery_done(&delivery);
	return look;
}

struct dialling {
	const struct scan_target *target;
	uint16_t port;
};

static int dial(void *data)
{
	const struct dialling *dialling = data;
	const struct timeval wait = {.tv_usec = 500000};
	union any_address to;
	socklen_t n = address_of(dialling->target, dialling->port, &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	if (connect(fd, &to.any, n) == 0)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

/* The socket behind the rule, of the one namespace that has the server's address; NONE: of none, or
 * of several. */
static uint32_t find_server(const struct looking_up *up, const struct scan_result *result,
			    const struct scan_door *door, const struct nat_connection *its)
{
	bool is_loopback = ip_reach(&its->server) == REACH_LOOPBACK;
	uint32_t found = NONE;
	for (uint32_t i = 0; i < up->snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(up->snapshot, i);
		if (socket->local_port != its->server_port || socket->proto != door->proto ||
		    socket->netns == NONE || !socket_is_open(socket) || socket_has_peer(socket) ||
		    !(ip_equal(&socket->local, &its->server) || ip_is_any(&socket->local)))
			continue;
		if (is_loopback ? socket->netns != result->netns
				: !netns_has_address(snapshot_netns(up->snapshot, socket->netns),
						     &its->server))
			continue;
		if (found != NONE && snapshot_socket(up->snapshot, found)->netns != socket->netns)
			return NONE;
		found = i;
	}
	return found;
}

/* Where connection tracking sees a connection go, as long as it is there. What a datagram of the
 * scan made is there yet. */
static enum look find_translation(struct looking_up *up, const struct scan_result *result,
				  struct scan_door *door)
{
	struct vector found;
	char text[160], address[FORMAT_IP_MAX];
	struct dialling dialling = {&result->target, door->port};
	if (!up->place || !up->seen_from || (door->proto != PROTO_TCP && door->proto != PROTO_UDP))
		return LOOK_REFUSED;
	bool is_tcp = door->proto == PROTO_TCP;
	cleanup(closep) int fd = is_tcp ? netns_call(up->seen_from, dial, &dialling) : -1;
	if (is_tcp && fd < 0)
		return LOOK_REFUSED;
	vector_init(&found, sizeof(struct nat_connection));
	int r = nat_read(up->place, is_tcp ? IPPROTO_TCP : IPPROTO_UDP, door->port, door->port,
			 &found);
	enum look look = r < 0 ? LOOK_REFUSED : LOOK_NOTHING;
	for (uint32_t i = 0; i < found.n && look != LOOK_FOUND; i++) {
		const struct nat_connection *its = vector_at(&found, i);
		if (!ip_equal(&its->to, &result->target.ip) || its->to_port != door->port)
			continue;
		size_t n = ip_format(address, &its->server, result->target.is_v4);
		snprintf(text, sizeof(text), "a NAT rule sends it to %.*s port %u", (int)n, address,
			 its->server_port);
		say(up, door, text);
		door->socket = find_server(up, result, door, its);
		look = LOOK_FOUND;
	}
	vector_done(&found);
	return look;
}

/* The address is another namespace's too, whose socket it may be. */
static bool is_of_another(struct looking_up *up, const struct scan_result *result,
			  struct scan_door *door)
{
	char text[160];
	for (uint32_t i = 0; i < up->snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(up->snapshot, i);
		if (socket->local_port != door->port || socket->proto != door->proto ||
		    socket->netns == result->netns || socket->netns == NONE ||
		    !netns_has_address(snapshot_netns(up->snapshot, socket->netns),
				       &result->target.ip) ||
		    ip_reach(&result->target.ip) == REACH_LOOPBACK)
			continue;
		const struct netns *netns = snapshot_netns(up->snapshot, socket->netns);
		snprintf(text, sizeof(text), "a socket of another namespace has it: %.60s",
			 netns->name ? netns->name : "without a name");
		door->socket = i;
		say(up, door, text);
		return true;
	}
	return false;
}

static void look_for_owner(struct looking_up *up, const struct scan_result *result,
			   struct scan_door *door)
{
	enum look steering = find_steering(up, result, door);
	if (steering == LOOK_FOUND)
		return;
	enum look translation = find_translation(up, result, door);
	if (translation == LOOK_FOUND || is_of_another(up, result, door))
		return;
	if (steering == LOOK_NOTHING && translation == LOOK_NOTHING && up->sees_all)
		say(up, door, hidden);
}

/* Whether what was sent met the block. Of a network that it is from that is not known. */
static bool meets(const struct looking_up *up, const struct scan_result *result,
		  const struct block *block)
{
	const struct block_end *to = &block->scope.to, *from = &block->scope.from;
	bool is_there = to->kind == BLOCK_ANY ||
			(to->kind == BLOCK_IPV4 ? result->target.is_v4
						: ip_equal(&to->ip, &result->target.ip));
	bool is_outside = result->inode != snapshot_netns(up->snapshot, result->netns)->inode;
	return is_there && (from->kind == BLOCK_ANY || (from->kind == BLOCK_OUTSIDE && is_outside));
}

/* It may be a block of our own that refuses, where the socket itself would have answered there. */
static void look_for_block(struct looking_up *up, const struct scan_result *result,
			   struct scan_door *door)
{
	char ports[160], text[200];
	const struct socket *socket = snapshot_socket(up->snapshot, door->socket);
	bool is_full = socket->state == STATE_LISTEN && socket->flags & SOCKET_QUEUES_KNOWN &&
		       socket->recv_queue > socket->send_queue;
	if (!up->place || is_full || socket->interface ||
	    (!ip_is_any(&socket->local) && !ip_equal(&socket->local, &result->target.ip)))
		return;
	if (up->blocks_place != up->place) {
		block_table_done(&up->blocks);
		block_table_init(&up->blocks);
		blocks_read(up->place, &up->blocks);
		up->blocks_place = up->place;
	}
	const struct block *block;
	uint32_t at = 0;
	while ((block = block_of_port(&up->blocks, door->proto, door->port, &at)))
		if (meets(up, result, block))
			break;
	if (!block)
		return;
	block_text(block, ports, sizeof(ports));
	snprintf(text, sizeof(text), "Doorward blocks it: `doorward unblock %.120s` ends that",
		 ports);
	say(up, door, text);
}

static bool sees_all_namespaces(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->missing.n; i++)
		if (((const struct missing *)vector_at(&snapshot->missing, i))->what == WHAT_NETNS)
			return false;
	return true;
}

static const struct found_netns *place_of(const struct vector *places, uint64_t inode)
{
	for (uint32_t i = 0; i < places->n; i++) {
		const struct found_netns *place = vector_at(places, i);
		if ((place->inode ? place->inode : netns_own_inode()) == inode)
			return place;
	}
	return NULL;
}

void elsewhere_find(struct host *host, const struct snapshot *snapshot,
		    const struct vector *seen_from, struct scan *scan)
{
	const struct netns_scope all = {.choice = NETNS_ALL};
	struct looking_up up = {.host = host,
				.snapshot = snapshot,
				.scan = scan,
				.sees_all = sees_all_namespaces(snapshot)};
	cleanup(netns_list_done) struct vector places;
	struct error err = {0};
	bool is_listed = false;
	unsigned n = 0;
	vector_init(&places, sizeof(struct found_netns));
	block_table_init(&up.blocks);
	for (uint32_t i = 0; i < scan->results.n; i++) {
		const struct scan_result *result = scan_result(scan, i);
		for (uint32_t k = 0; k < result->doors.n; k++) {
			struct scan_door *door = vector_at(&result->doors, k);
			bool is_owned = door->verdict == VERDICT_NOT_REACHABLE;
			if (!is_owned &&
			    (door->verdict != VERDICT_NOT_IN_TABLE || n++ >= LOOKED_UP_MAX))
				continue;
			if (!is_listed)
				netns_find(host, &all, NULL, &places, NULL, &err);
			is_listed = true;
			up.place =
				place_of(&places, snapshot_netns(snapshot, result->netns)->inode);
			up.seen_from = place_of(seen_from, result->inode);
			if (is_owned)
				look_for_block(&up, result, door);
			else
				look_for_owner(&up, result, door);
		}
	}
	block_table_done(&up.blocks);
}
