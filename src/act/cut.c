/* The connections to blocked ports, ended by the kernel. */
#include <errno.h>
#include <linux/netlink.h>

#include "act/cut.h"
#include "collect/collect.h"
#include "model/field.h"
#include "source/destroy.h"

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

static bool is_blocked(const struct vector *blocks, const struct snapshot *snapshot,
		       const struct socket *socket)
{
	const struct netns *netns =
		socket->netns == NONE ? NULL : snapshot_netns(snapshot, socket->netns);
	for (uint32_t i = 0; i < blocks->n; i++) {
		const struct block *block = vector_at(blocks, i);
		bool is_from = block->scope.from.kind == BLOCK_OUTSIDE
				       ? !netns || !netns_has_address(netns, &socket->peer)
				       : is_met(&block->scope.from, &socket->peer);
		if (block->proto == PROTO_TCP && socket->local_port >= block->first &&
		    socket->local_port <= block->last && is_from &&
		    is_met(&block->scope.to, &socket->local))
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

static bool is_own(const struct session *session, const struct socket *socket)
{
	return session->has_ssh && socket->local_port == session->server_port &&
	       socket->peer_port == session->client_port &&
	       ip_equal(&socket->local, &session->server) &&
	       ip_equal(&socket->peer, &session->client);
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

/* One pass. The number that was ended, or negative errno. */
static int end_them(int fd, const struct vector *blocks, const struct snapshot *snapshot,
		    const struct session *session, bool is_forced, struct cut *ret)
{
	int n = 0;
	ret->n_failed = ret->n_spared = 0;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!came_in(socket) || !is_blocked(blocks, snapshot, socket))
			continue;
		if (!is_forced && is_own(session, socket)) {
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

int cut_connections(struct host *host, const struct netns_scope *scope,
		    const struct found_netns *netns, const struct vector *blocks,
		    const struct session *session, bool is_forced, struct cut *ret,
		    struct error *err)
{
	struct query query = {
		.bounds = bounds_of(blocks),
		.needs = NEED_ROLE | NEED_COOKIE | NEED_ADDRESSES | NEED_NO_NSS,
		.scope = *scope,
	};
	*ret = (struct cut){.n_ended = 0};
	cleanup(closep) int fd = netns_socket(netns, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return error_set(err, fd, "open a netlink socket");
	for (int i = 0, n = 1; n > 0 && i < LOOKS_MAX; i++) {
		struct snapshot *snapshot = NULL;
		int r = collect_snapshot(host, &query, &snapshot, err);
		if (r < 0)
			return r;
		n = end_them(fd, blocks, snapshot, session, is_forced, ret);
		snapshot_free(snapshot);
	}
	return 0;
}
