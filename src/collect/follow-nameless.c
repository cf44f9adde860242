/* Sockets whose port the kernel chooses after the hook that tells of them: UDP that sends or
 * connects without a bind, a listener that was never bound. They are looked up in the kernel's list
 * a little later; who has gone by then is told of, opening and end, as it is released. */
#include <errno.h>

#include "collect/following.h"
#include "source/dump.h"
#include "source/netns.h"

#define NAMELESS_MAX 65536 /* those beyond are told of at their end */
#define LOOKS_MAX 6
#define REST_SHARE 20 /* at most a twentieth of the time is spent on looking */

/* After so long each time: most have their port at once. */
static const uint64_t look_after_ns[LOOKS_MAX] = {15000000u,   60000000u,   250000000u,
						  1000000000u, 5000000000u, 30000000000u};

struct nameless {
	struct found_event found;
	unsigned n_looks;
};

void follow_nameless_init(struct follow *follow)
{
	vector_init(&follow->nameless, sizeof(struct nameless));
}

int follow_unnamed(struct follow *follow, const struct found_event *found)
{
	if (follow->nameless.n >= NAMELESS_MAX)
		return 0;
	struct nameless *added = vector_add(&follow->nameless);
	if (!added)
		return -ENOMEM;
	*added = (struct nameless){.found = *found};
	return 0;
}

static void drop(struct follow *follow, uint32_t index)
{
	struct nameless *all = follow->nameless.data;
	all[index] = all[--follow->nameless.n];
}

bool follow_named(struct follow *follow, uint64_t cookie, struct found_event *ret)
{
	for (uint32_t i = follow->nameless.n; i-- > 0;) {
		const struct nameless *nameless = vector_at(&follow->nameless, i);
		if (nameless->found.socket.cookie != cookie)
			continue;
		if (ret)
			*ret = nameless->found;
		drop(follow, i);
		return true;
	}
	return false;
}

/* ---- looking ---- */

struct looking_sink {
	struct sink sink;
	struct follow *follow;
	uint64_t netns;
};

static int meet(struct sink *sink, const struct found_socket *met)
{
	struct looking_sink *looking = (struct looking_sink *)sink;
	struct follow *follow = looking->follow;
	struct found_event found;
	if (!met->socket.cookie || !met->socket.local_port ||
	    !follow_named(follow, met->socket.cookie, &found))
		return 0;
	found.socket.local = met->socket.local;
	found.socket.peer = met->socket.peer;
	found.socket.local_port = met->socket.local_port;
	found.socket.peer_port = met->socket.peer_port;
	found.socket.inode = met->socket.inode;
	found.socket.state = met->socket.state;
	return follow_opened(follow, &found);
}

static int look_in(struct follow *follow, const struct found_netns *place, uint32_t protos)
{
	struct query query = {.bounds = BOUNDS_ALL, .needs = NEED_COOKIE, .lacks_mptcp = true};
	struct looking_sink looking = {
		.sink = {.socket = meet}, .follow = follow, .netns = place->inode};
	query.bounds.protos = protos;
	query.bounds.states = 1u << STATE_LISTEN | 1u << STATE_UNCONN |
			      (protos & ~(1u << PROTO_TCP) ? 1u << STATE_ESTABLISHED : 0);
	return dump_read(follow->host, place, &query, &looking.sink, NULL);
}

static uint32_t protos_of(const struct follow *follow, uint64_t netns)
{
	uint32_t protos = 0;
	for (uint32_t i = 0; i < follow->nameless.n; i++) {
		const struct nameless *nameless = vector_at(&follow->nameless, i);
		if (nameless->found.netns_inode == netns)
			protos |= 1u << nameless->found.socket.proto;
	}
	return protos;
}

static int look_everywhere(struct follow *follow)
{
	static const struct netns_scope all = {.choice = NETNS_ALL};
	cleanup(netns_list_done) struct vector places;
	vector_init(&places, sizeof(struct found_netns));
	uint64_t own = netns_own_inode();
	bool is_elsewhere = false;
	for (uint32_t i = 0; i < follow->nameless.n; i++) {
		const struct nameless *nameless = vector_at(&follow->nameless, i);
		is_elsewhere |= nameless->found.netns_inode != own;
	}
	struct found_netns here = {.inode = own, .fd = -1, .is_self = true};
	uint32_t protos = protos_of(follow, own);
	int r = protos ? look_in(follow, &here, protos) : 0;
	if (!is_elsewhere || netns_find(follow->host, &all, NULL, &places, NULL, NULL) < 0)
		return r == -ENOMEM ? r : 0;
	for (uint32_t i = 0; r != -ENOMEM && i < places.n; i++) {
		const struct found_netns *place = vector_at(&places, i);
		protos = place->inode == own ? 0 : protos_of(follow, place->inode);
		if (protos)
			r = look_in(follow, place, protos);
	}
	return r == -ENOMEM ? r : 0;
}

static bool is_due(const struct follow *follow, const struct nameless *nameless)
{
	return nameless->n_looks < LOOKS_MAX &&
	       follow->now_ns >= nameless->found.time_ns + look_after_ns[nameless->n_looks];
}

bool follow_has_nameless(const struct follow *follow)
{
	for (uint32_t i = 0; i < follow->nameless.n; i++) {
		const struct nameless *nameless = vector_at(&follow->nameless, i);
		if (nameless->n_looks < 4)
			return true;
	}
	return false;
}

int follow_look(struct follow *follow)
{
	bool any = false;
	if (follow->now_ns < follow->look_again_ns)
		return 0;
	for (uint32_t i = 0; i < follow->nameless.n; i++)
		any |= is_due(follow, vector_at(&follow->nameless, i));
	if (!any)
		return 0;
	for (uint32_t i = 0; i < follow->nameless.n; i++) {
		struct nameless *nameless = vector_at(&follow->nameless, i);
		while (is_due(follow, nameless))
			nameless->n_looks++;
	}
	int r = look_everywhere(follow);
	uint64_t end = follow_uptime();
	follow->look_again_ns = end + REST_SHARE * (end - follow->now_ns);
	return r;
}
