/* What nobody seems to hold is looked at again. */
#include <errno.h>

#include "base/debug.h"
#include "collect/again.h"
#include "source/bpf/files.h"
#include "source/netns.h"
#include "source/sock-diag.h"

#define ASKED_MAX 4096 /* at 13 us; those beyond stay as they were found */

struct doubt {
	uint32_t index; /* of the socket in the join */
	struct socket socket;
};

/* A listener or a bound socket that nobody holds is not opened and closed all the time. */
static bool comes_and_goes(const struct socket *socket)
{
	return socket->proto != PROTO_TCP ||
	       (!(socket->flags & SOCKET_MPTCP) && socket->state != STATE_LISTEN &&
		socket->state != STATE_BOUND);
}

static int find_doubts(const struct join *join, struct vector *ret)
{
	struct join_walk walk = {0};
	while (ret->n < ASKED_MAX && join_walk(join, &walk)) {
		const struct socket *socket = walk.socket;
		if (walk.is_held || !socket->inode || socket->held_by == HELD_KERNEL ||
		    !comes_and_goes(socket))
			continue;
		struct doubt *doubt = vector_add(ret);
		if (!doubt)
			return -ENOMEM;
		*doubt = (struct doubt){walk.index, *socket};
	}
	return 0;
}

/* The pass over descriptors once more, for the ports that are in doubt. */
static int look_for_holders(struct host *host, struct join *join, const struct vector *doubts)
{
	struct query query = *join->query;
	uint16_t first = UINT16_MAX, last = 0;
	for (uint32_t i = 0; i < doubts->n; i++) {
		uint16_t port = ((const struct doubt *)vector_at(doubts, i))->socket.local_port;
		first = port < first ? port : first;
		last = port > last ? port : last;
	}
	query.bounds.port_first = first;
	query.bounds.port_last = last;
	query.bounds.either_end = false;
	struct error refused = {0};
	int r = files_read(host, &query, &join->sink, NULL, &refused);
	if (r < 0)
		debug(BPF, "%s", refused.what);
	return r == -ENOMEM || r == -ECANCELED ? r : 0;
}

/* The connection as the kernel has it now: the same with its file, an orphan, or gone. */
static int ask(int fd, struct join *join, const struct doubt *doubt)
{
	struct found_socket now;
	struct socket known = doubt->socket;
	int r = sock_diag_lookup(fd, &known, &now);
	bool is_there = r == 0 && now.socket.local_port == known.local_port &&
			now.socket.peer_port == known.peer_port;
	if ((r < 0 && r != -ENOENT) || (is_there && now.socket.inode == known.inode))
		return 0;
	bool is_orphan = is_there && !now.socket.inode;
	known.inode = is_orphan ? 0 : known.inode;
	known.state = is_orphan ? now.socket.state : STATE_GONE;
	return join_change(join, doubt->index, &known);
}

static int ask_all(struct join *join, const struct found_netns *place, const struct vector *doubts)
{
	uint32_t netns = join_netns(join, place->inode), n = 0;
	cleanup(closep) int fd = netns == NONE ? -ENOMEM : netns_socket(place, NETLINK_SOCK_DIAG);
	int r = fd == -ENOMEM ? fd : 0;
	for (uint32_t i = 0; fd >= 0 && r >= 0 && i < doubts->n; i++) {
		const struct doubt *doubt = vector_at(doubts, i);
		if (doubt->socket.netns != netns || doubt->socket.proto != PROTO_TCP ||
		    join_is_held(join, doubt->index))
			continue;
		r = ask(fd, join, doubt);
		n++;
	}
	debug(JOIN, "%u of %u connections without a holder are asked for", n, doubts->n);
	return r;
}

int again_look(struct host *host, struct join *join, const struct vector *found, bool with_bpf)
{
	cleanup(vector_done) struct vector doubts;
	vector_init(&doubts, sizeof(struct doubt));
	int r = find_doubts(join, &doubts);
	if (r < 0 || !doubts.n)
		return r;
	if (with_bpf)
		r = look_for_holders(host, join, &doubts);
	for (uint32_t i = 0; r >= 0 && i < found->n; i++)
		r = ask_all(join, vector_at(found, i), &doubts);
	return r;
}
