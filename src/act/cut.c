/* The connections to blocked ports, ended by the kernel. */
#include <errno.h>
#include <linux/netlink.h>

#include "act/cut.h"
#include "collect/collect.h"
#include "model/field.h"
#include "source/destroy.h"
#include "source/interfaces.h"
#include "source/nat.h"
#include "source/sock-diag.h"

#define LOOKS_MAX 4

static bool is_met(const struct block_end *end, const struct ip *ip)
{
	bool is_v4 = ip_is_mapped(ip);
	switch (end->kind) {
	case BLOCK_IPV4:
		return is_v4;
	case BLOCK_PREFIX:
		return is_v4 == end->is_v4 &&
		       ip_in_prefix(ip, &end->ip, end->bits + (is_v4 ? 96u : 0));
	default:
		return true;
	}
}

/* @local and @peer: the ends as whoever connects sees them. @netns may be NULL: unknown. */
static bool is_blocked(const struct vector *blocks, const struct netns *netns,
		       const struct ip *local, uint16_t port, const struct ip *peer)
{
	for (uint32_t i = 0; i < blocks->n; i++) {
		const struct block *block = vector_at(blocks, i);
		bool is_from = block->scope.from.kind == BLOCK_OUTSIDE
				       ? !netns || !netns_has_address(netns, peer)
				       : is_met(&block->scope.from, peer);
		if (block->proto == PROTO_TCP && port >= block->first && port <= block->last &&
		    is_from && is_met(&block->scope.to, local))
			return true;
	}
	return false;
}

/* It was accepted here, or is about to be. */
static bool came_in(const struct socket *socket)
{
	return socket->proto == PROTO_TCP && socket->peer_port &&
	       (socket->role == ROLE_ACCEPTED || socket->state == STATE_SYN_RECV) &&
	       socket->state != STATE_TIME_WAIT;
}

static bool is_own(const struct session *session, const struct ip *local, uint16_t local_port,
		   const struct ip *peer, uint16_t peer_port)
{
	return session->has_ssh && local_port == session->server_port &&
	       peer_port == session->client_port && ip_equal(local, &session->server) &&
	       ip_equal(peer, &session->client);
}

bool cut_is_own_door(const struct vector *blocks, const struct session *session)
{
	for (uint32_t i = 0; session->has_ssh && i < blocks->n; i++) {
		const struct block *block = vector_at(blocks, i);
		if (block->proto == PROTO_TCP && session->server_port >= block->first &&
		    session->server_port <= block->last &&
		    is_met(&block->scope.to, &session->server) &&
		    is_met(&block->scope.from, &session->client))
			return true;
	}
	return false;
}

/* What one cutting is given. */
struct cutting {
	struct host *host;
	const struct vector *blocks;
	const struct session *session;
	bool is_forced;
	struct cut *ret;
};

/* One pass. The number that was ended. */
static int end_sockets(const struct cutting *cutting, int fd, const struct snapshot *snapshot)
{
	int n = 0;
	struct cut *ret = cutting->ret;
	ret->n_failed = ret->n_spared = 0;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct netns *netns =
			socket->netns == NONE ? NULL : snapshot_netns(snapshot, socket->netns);
		if (!came_in(socket) || !is_blocked(cutting->blocks, netns, &socket->local,
						    socket->local_port, &socket->peer))
			continue;
		if (!cutting->is_forced &&
		    is_own(cutting->session, &socket->local, socket->local_port, &socket->peer,
			   socket->peer_port)) {
			ret->n_spared++;
			continue;
		}
		int r = destroy_socket(fd, socket);
		n += r >= 0;
		ret->n_failed += r < 0 && r != -ENOENT;
		if (r < 0 && r != -ENOENT && !ret->error)
			ret->error = r;
	}
	ret->n_ended += (uint32_t)n;
	return n;
}

/* The narrowest range that holds the ports of all. */
static struct bounds bounds_of(const struct vector *blocks)
{
	struct bounds bounds = BOUNDS_ALL;
	bounds.protos = 1u << PROTO_TCP;
	bounds.port_first = UINT16_MAX;
	bounds.port_last = 0;
	for (uint32_t i = 0; i < blocks->n; i++) {
		const struct block *block = vector_at(blocks, i);
		if (block->first < bounds.port_first)
			bounds.port_first = block->first;
		if (block->last > bounds.port_last)
			bounds.port_last = block->last;
	}
	return bounds;
}

static int cut_sockets(const struct cutting *cutting, const struct netns_scope *scope,
		       const struct found_netns *netns, struct error *err)
{
	struct query query = {
		.bounds = bounds_of(cutting->blocks),
		.needs = NEED_ROLE | NEED_COOKIE | NEED_ADDRESSES | NEED_NO_NSS,
		.scope = *scope,
	};
	cleanup(closep) int fd = netns_socket(netns, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return error_set(err, fd, "open a netlink socket");
	for (int i = 0, n = 1; n > 0 && i < LOOKS_MAX; i++) {
		struct snapshot *snapshot = NULL;
		int r = collect_snapshot(cutting->host, &query, &snapshot, err);
		if (r < 0)
			return r;
		n = end_sockets(cutting, fd, snapshot);
		snapshot_free(snapshot);
	}
	return 0;
}

/* ---- through NAT ---- */

/* Ends it at its server, in the one namespace that has this connection. In the others the kernel
 * finds a listener that would take it, or nothing: a listener is not to be ended. */
static bool end_passed_on(const struct vector *places, const struct nat_connection *connection)
{
	struct socket server = {
		.local = connection->server,
		.local_port = connection->server_port,
		.peer = connection->peer,
		.peer_port = connection->peer_port,
		.family = ip_is_mapped(&connection->server) ? FAMILY_IPV4 : FAMILY_IPV6,
		.proto = PROTO_TCP,
	};
	for (uint32_t i = 0; i < places->n; i++) {
		cleanup(closep) int fd = netns_socket(vector_at(places, i), NETLINK_SOCK_DIAG);
		struct found_socket found;
		if (fd >= 0 && sock_diag_lookup(fd, &server, &found) >= 0 &&
		    found.socket.peer_port && destroy_socket(fd, &found.socket) >= 0)
			return true;
	}
	return false;
}

static void end_all_passed_on(const struct cutting *cutting, const struct netns *netns,
			      const struct vector *connections, const struct vector *places)
{
	struct cut *ret = cutting->ret;
	for (uint32_t i = 0; i < connections->n; i++) {
		const struct nat_connection *connection = vector_at(connections, i);
		if (!is_blocked(cutting->blocks, netns, &connection->to, connection->to_port,
				&connection->client))
			continue;
		if (!cutting->is_forced &&
		    is_own(cutting->session, &connection->to, connection->to_port,
			   &connection->client, connection->client_port))
			ret->n_spared++;
		else if (end_passed_on(places, connection))
			ret->n_ended++;
		else
			ret->n_elsewhere++;
	}
}

static int cut_passed_on(const struct cutting *cutting, const struct found_netns *netns,
			 struct error *err)
{
	cleanup(vector_done) struct vector connections;
	cleanup(netns_list_done) struct vector places;
	cleanup(arena_done) struct arena arena;
	struct bounds bounds = bounds_of(cutting->blocks);
	struct netns own = {.is_self = netns->is_self};
	vector_init(&connections, sizeof(struct nat_connection));
	vector_init(&places, sizeof(struct found_netns));
	arena_init(&arena);
	int r = nat_read(netns, IPPROTO_TCP, bounds.port_first, bounds.port_last, &connections);
	if (r < 0)
		return error_set(err, r, "ask for the connections that NAT passes on");
	if (!connections.n)
		return 0;
	r = netns_find(cutting->host, &(struct netns_scope){.choice = NETNS_ALL}, NULL, &places,
		       NULL, err);
	if (r >= 0)
		r = interfaces_read(cutting->host, netns, &arena, &own, err);
	if (r < 0)
		return r;
	end_all_passed_on(cutting, &own, &connections, &places);
	return 0;
}

int cut_connections(struct host *host, const struct netns_scope *scope,
		    const struct found_netns *netns, const struct vector *blocks,
		    const struct session *session, bool is_forced, struct cut *ret,
		    struct error *err)
{
	struct cutting cutting = {host, blocks, session, is_forced, ret};
	*ret = (struct cut){.n_ended = 0};
	int r = cut_sockets(&cutting, scope, netns, err);
	return r < 0 ? r : cut_passed_on(&cutting, netns, err);
}

int cut_failed(const struct cut *cut, struct error *err)
{
	if (cut->n_failed) {
		error_set(err, cut->error, "end %u of the connections", cut->n_failed);
		if (cut->error == -EOPNOTSUPP)
			error_hint(err, "this kernel was built without CONFIG_INET_DIAG_DESTROY");
		return cut->error;
	}
	if (cut->n_elsewhere)
		return error_text(err, -ENOTSUP,
				  "%u of the connections are passed on to another host, where they "
				  "cannot be ended",
				  cut->n_elsewhere);
	return 0;
}
