/* To whom a packet goes, worked out from a snapshot: the rules of the kernel's lookups.
 *
 * TCP (net/ipv4/inet_hashtables.c, net/ipv6/inet6_hashtables.c): the connection with all four ends;
 * else a listener of the one address; else a listener of any address. UDP (net/ipv4/udp.c,
 * net/ipv6/udp.c): what is bound to the address before what is bound to any; connected before not.
 * Within each, bound to the interface before not, a socket of IPv4 before one of IPv6 that takes
 * IPv4 too, and the newest of equals. */
#include <errno.h>

#include "base/attributes.h"
#include "model/delivery.h"

const char *const candidate_words[CANDIDATE_MAX + 1] = {
	[CANDIDATE_CONNECTION] = "connection",
	[CANDIDATE_ADDRESS] = "address",
	[CANDIDATE_WILDCARD] = "wildcard",
	[CANDIDATE_DUAL_STACK] = "dual-stack",
};

/* What decides is ordered from the left: connection, address, interface, family. */
enum score {
	SCORE_FAMILY = 1 << 0,
	SCORE_INTERFACE = 1 << 1,
	SCORE_ADDRESS = 1 << 2,
	SCORE_CONNECTION = 1 << 3,
};

static bool has_ports_of_its_own(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_SCTP;
}

static bool peer_is(const struct socket *socket, const struct delivery *delivery)
{
	return delivery->has_from && delivery->from_port &&
	       socket->peer_port == delivery->from_port && ip_equal(&socket->peer, &delivery->from);
}

/* The socket's family can take the packet's at all. */
static const char *family_refusal(const struct socket *socket, const struct delivery *delivery)
{
	if (delivery->is_v4 && !socket_is_v4(socket)) {
		if (!ip_is_any(&socket->local))
			return "bound to an IPv6 address; the packet is IPv4";
		if (!socket_is_dual_stack(socket))
			return "takes IPv6 only (IPV6_V6ONLY); the packet is IPv4";
	}
	if (!delivery->is_v4 && socket_is_v4(socket))
		return "takes IPv4 only; the packet is IPv6";
	return NULL;
}

static enum candidate_kind kind_of(const struct socket *socket, const struct delivery *delivery)
{
	if (socket_has_peer(socket))
		return CANDIDATE_CONNECTION;
	if (!ip_is_any(&socket->local))
		return CANDIDATE_ADDRESS;
	if (delivery->is_v4 && socket_is_dual_stack(socket))
		return CANDIDATE_DUAL_STACK;
	return CANDIDATE_WILDCARD;
}

/* Why this socket would not take the packet even alone; NULL: it would. */
static const char *refusal(const struct socket *socket, const struct delivery *delivery)
{
	const char *reason = family_refusal(socket, delivery);
	if (reason)
		return reason;
	if (!ip_is_any(&socket->local) && !ip_equal(&socket->local, &delivery->to))
		return "bound to another address";
	if (socket->state == STATE_BOUND)
		return "bound, but it does not listen";
	if (socket_has_peer(socket) && !peer_is(socket, delivery))
		return "connected: it takes packets of its own peer only";
	if (socket->interface && !socket_has_peer(socket))
		return "takes packets of its own interface only";
	return NULL;
}

static uint8_t score_of(const struct socket *socket, const struct delivery *delivery)
{
	unsigned score = 0;
	if (socket_has_peer(socket))
		score |= SCORE_CONNECTION;
	if (!ip_is_any(&socket->local))
		score |= SCORE_ADDRESS;
	if (socket->interface)
		score |= SCORE_INTERFACE;
	if (!delivery->is_v4 || socket->family == FAMILY_IPV4)
		score |= SCORE_FAMILY;
	return (uint8_t)score;
}

/* Of a busy port only what could be meant is a candidate: not the thousand other connections. */
static bool is_candidate(const struct socket *socket, const struct delivery *delivery)
{
	if (socket->proto != delivery->proto || socket->local_port != delivery->to_port ||
	    socket->netns != delivery->netns)
		return false;
	if (!socket_has_peer(socket))
		return socket_is_open(socket) || socket->state == STATE_BOUND;
	return peer_is(socket, delivery) && !refusal(socket, delivery);
}

static int add_candidates(const struct snapshot *snapshot, struct delivery *delivery)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!is_candidate(socket, delivery))
			continue;
		struct candidate *added = vector_add(&delivery->candidates);
		if (!added)
			return -ENOMEM;
		const char *reason = refusal(socket, delivery);
		*added = (struct candidate){
			.socket = i,
			.kind = kind_of(socket, delivery),
			.is_reuseport = socket->flags & SOCKET_REUSEPORT,
			.takes = !reason,
			.score = reason ? 0 : score_of(socket, delivery),
			.reason = reason,
		};
	}
	return 0;
}

static bool is_same_place(const struct socket *a, const struct socket *b)
{
	return a->family == b->family && a->interface == b->interface && a->state == b->state &&
	       !socket_has_peer(a) && !socket_has_peer(b) && ip_equal(&a->local, &b->local);
}

/* Two that listen at the very same place can only be of one SO_REUSEPORT group; sock_diag does not
 * tell the option itself. UDP's may be SO_REUSEADDR instead, where the newest gets all. */
static void mark_groups(const struct snapshot *snapshot, struct delivery *delivery)
{
	struct candidate *all = delivery->candidates.data;
	if (!has_ports_of_its_own(delivery->proto))
		return;
	for (uint32_t i = 1; i < delivery->candidates.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, all[i].socket);
		for (uint32_t k = 0; k < i; k++) {
			if (!is_same_place(socket, snapshot_socket(snapshot, all[k].socket)))
				continue;
			all[i].is_reuseport = all[k].is_reuseport = true;
			break;
		}
	}
}

/* The best by address; of equals the one whose inode is the newest. NULL: nobody takes it. */
static struct candidate *best_by_address(const struct snapshot *snapshot,
					 const struct delivery *delivery)
{
	struct candidate *best = NULL, *all = delivery->candidates.data;
	for (uint32_t i = 0; i < delivery->candidates.n; i++) {
		struct candidate *candidate = all + i;
		if (!candidate->takes)
			continue;
		if (!best || candidate->score > best->score ||
		    (candidate->score == best->score &&
		     snapshot_socket(snapshot, candidate->socket)->inode >
			     snapshot_socket(snapshot, best->socket)->inode))
			best = candidate;
	}
	return best;
}

static const char *reason_of_chosen(const struct delivery *delivery,
				    const struct candidate *candidate, bool has_equals)
{
	static const char *const reasons[CANDIDATE_MAX] = {
		[CANDIDATE_CONNECTION] = "both ends are exactly the packet's",
		[CANDIDATE_ADDRESS] = "bound to this very address",
		[CANDIDATE_WILDCARD] = "takes every address, and nobody is bound to this one",
		[CANDIDATE_DUAL_STACK] = "takes IPv4 too, and nobody of IPv4 is bound here",
	};
	if (delivery->is_steered)
		return "an sk_lookup program of the kernel hands it the packet";
	if (has_equals && candidate->is_reuseport)
		return delivery->is_by_kernel && delivery->from_port
			       ? "chosen from its REUSEPORT group by a hash of both ends"
			       : "one of its REUSEPORT group: which one depends on both ends";
	if (has_equals)
		return "several are bound to the same place: the newest gets it";
	return reasons[candidate->kind];
}

static const char *reason_of_other(const struct candidate *other, const struct candidate *chosen)
{
	if (!chosen)
		return "it would take the packet, yet the kernel gives it nobody";
	if (!chosen->takes)
		return "an sk_lookup program of the kernel decided otherwise";
	if (chosen->score & SCORE_CONNECTION && !(other->score & SCORE_CONNECTION))
		return "the packet belongs to a connection";
	if (chosen->score & SCORE_ADDRESS && !(other->score & SCORE_ADDRESS))
		return "another is bound to this very address";
	if (chosen->score & SCORE_INTERFACE && !(other->score & SCORE_INTERFACE))
		return "another is bound to the interface";
	if (chosen->score & SCORE_FAMILY && !(other->score & SCORE_FAMILY))
		return "a socket of IPv4 comes before one that takes IPv4 too";
	if (other->is_reuseport)
		return "another of the same REUSEPORT group was chosen";
	return "another is bound to the same place and is newer";
}

static const char *note_of_nobody(const struct delivery *delivery)
{
	if (!delivery->is_local)
		return "not an address of this host: the packet is forwarded or dropped, no socket "
		       "gets it";
	switch (delivery->proto) {
	case PROTO_TCP:
		return "nobody listens: the kernel answers with a reset (connection refused)";
	case PROTO_UDP:
	case PROTO_UDPLITE:
		return "nobody is bound: the kernel answers with ICMP port unreachable";
	default:
		return "nobody takes it";
	}
}

static struct candidate *find(const struct delivery *delivery, uint32_t socket)
{
	struct candidate *all = delivery->candidates.data;
	for (uint32_t i = 0; socket != NONE && i < delivery->candidates.n; i++)
		if (all[i].socket == socket)
			return all + i;
	return NULL;
}

static void tell_reasons(struct delivery *delivery, struct candidate *chosen)
{
	struct candidate *all = delivery->candidates.data;
	bool has_equals = false;
	for (uint32_t i = 0; i < delivery->candidates.n; i++) {
		struct candidate *other = all + i;
		if (other == chosen)
			continue;
		has_equals |= chosen && other->takes && other->score == chosen->score;
		if (!other->reason)
			other->reason = reason_of_other(other, chosen);
	}
	if (chosen) {
		chosen->is_chosen = true;
		chosen->reason = reason_of_chosen(delivery, chosen, has_equals);
	}
}

/* The kernel chose a socket that is no candidate by its address and port: it was steered. */
static struct candidate *add_steered(const struct snapshot *snapshot, struct delivery *delivery)
{
	struct candidate *added = vector_add(&delivery->candidates);
	if (!added)
		return NULL;
	*added = (struct candidate){
		.socket = delivery->chosen,
		.kind = kind_of(snapshot_socket(snapshot, delivery->chosen), delivery),
	};
	return added;
}

/* No rule of addresses gives it this socket; one that is bound to an interface may be meant. */
static bool is_steered(const struct snapshot *snapshot, const struct candidate *chosen,
		       const struct candidate *best)
{
	if (!chosen->takes)
		return !snapshot_socket(snapshot, chosen->socket)->interface;
	return best && chosen->score < best->score;
}

static bool is_to_many(const struct delivery *delivery)
{
	enum reach reach = ip_reach(&delivery->to);
	return reach == REACH_MULTICAST || reach == REACH_BROADCAST;
}

static bool is_local(const struct snapshot *snapshot, const struct delivery *delivery)
{
	const struct netns *netns =
		delivery->netns == NONE ? NULL : snapshot_netns(snapshot, delivery->netns);
	return !netns || !netns->is_detailed || netns_has_address(netns, &delivery->to) ||
	       is_to_many(delivery) || ip_reach(&delivery->to) == REACH_LOOPBACK;
}

void delivery_init(struct delivery *delivery)
{
	*delivery = (struct delivery){.netns = NONE, .chosen = NONE};
	vector_init(&delivery->candidates, sizeof(struct candidate));
}

void delivery_done(struct delivery *delivery)
{
	vector_done(&delivery->candidates);
}

int delivery_work_out(const struct snapshot *snapshot, struct delivery *delivery)
{
	delivery->candidates.n = 0;
	delivery->is_local = is_local(snapshot, delivery);
	int r = add_candidates(snapshot, delivery);
	if (r < 0)
		return r;
	mark_groups(snapshot, delivery);

	struct candidate *best = best_by_address(snapshot, delivery), *chosen = best;
	if (!delivery->is_by_kernel) {
		if (!delivery->is_local)
			chosen = NULL;
		delivery->chosen = chosen ? chosen->socket : NONE;
	} else if (delivery->chosen != NONE) {
		chosen = find(delivery, delivery->chosen);
		delivery->is_steered = !chosen || is_steered(snapshot, chosen, best);
		if (!chosen && !(chosen = add_steered(snapshot, delivery)))
			return -ENOMEM;
	} else {
		chosen = NULL;
	}
	tell_reasons(delivery, chosen);

	if (!chosen)
		delivery->note = note_of_nobody(delivery);
	else if (is_to_many(delivery))
		delivery->note = "for many: every socket here that takes it gets a copy";
	else if (chosen->is_reuseport && !delivery->from_port && delivery->candidates.n > 1)
		delivery->note = "one of its group: where the packet comes from decides which";
	else if (!delivery->is_local)
		delivery->note =
			"not an address of this host: only a transparent socket gets such a packet";
	else
		delivery->note = NULL;
	return 0;
}
