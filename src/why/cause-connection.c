/* Connections whose own end is the port: dialled from it, accepted on it, or closed and not
 * forgotten. */
#include <errno.h>

#include "why/cause.h"
#include "why/standing.h"
#include "why/words.h"

enum { KIND_OUTGOING, KIND_ACCEPTED, KIND_TIME_WAIT, KINDS };

static const enum cause_kind kinds[KINDS] = {CAUSE_OUTGOING, CAUSE_ACCEPTED, CAUSE_TIME_WAIT};

static bool has_listener(const struct snapshot *snapshot, const struct socket *connection)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->state == STATE_LISTEN && socket->local_port == connection->local_port &&
		    socket->netns == connection->netns && socket->proto == connection->proto)
			return true;
	}
	return false;
}

/* The kernel does not say which end dialled: a listener beside it, or the range of its number,
 * does. */
static int kind_of(const struct snapshot *snapshot, const struct socket *socket, bool has_open)
{
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	if (socket->state == STATE_TIME_WAIT)
		return KIND_TIME_WAIT;
	if (socket->state == STATE_SYN_SENT)
		return KIND_OUTGOING;
	if (has_open)
		return KIND_ACCEPTED;
	return netns && netns_port_is_ephemeral(netns, socket->local_port) ? KIND_OUTGOING
									   : KIND_ACCEPTED;
}

static const char *outgoing_words(struct inquiry *inquiry, const struct cause *cause,
				  const struct socket *first)
{
	const struct netns *netns = snapshot_netns(inquiry->snapshot, first->netns);
	const char *range = "";
	if (netns && netns_port_is_ephemeral(netns, first->local_port))
		range = diagnosis_text(inquiry->diagnosis,
				       " The kernel gave it that number from its ephemeral range "
				       "%u-%u.",
				       netns->ephemeral.first, netns->ephemeral.last);
	if (cause->n_sockets > 1)
		return diagnosis_text(inquiry->diagnosis,
				      "%u connections that went out have this port as their own "
				      "end, the first one from %s, of %s.%s",
				      cause->n_sockets, words_local(inquiry, first),
				      words_holder(inquiry, first), range);
	return diagnosis_text(inquiry->diagnosis,
			      "A connection that went out has this port as its own end: %s, of "
			      "%s.%s",
			      words_local(inquiry, first), words_holder(inquiry, first), range);
}

static const char *because(struct inquiry *inquiry, const struct cause *cause,
			   const struct socket *first)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	uint32_t n = cause->n_sockets;
	if (cause->what == CAUSE_OUTGOING)
		return outgoing_words(inquiry, cause, first);
	if (cause->what == CAUSE_TIME_WAIT)
		return diagnosis_text(diagnosis,
				      "%u connection%s of this port %s in TIME_WAIT: closed from "
				      "this side, and kept by the kernel for up to a minute more.",
				      n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
	return diagnosis_text(diagnosis,
			      "%u connection%s that %s accepted on this port still %s there, the "
			      "first one held by %s.",
			      n, n == 1 ? "" : "s", n == 1 ? "was" : "were", n == 1 ? "is" : "are",
			      words_holder(inquiry, first));
}

static const char *remedy(struct inquiry *inquiry, const struct cause *cause,
			  const struct socket *first)
{
	uint16_t port = inquiry->diagnosis->question.port;
	if (cause->what == CAUSE_OUTGOING)
		return diagnosis_text(inquiry->diagnosis,
				      "reserve the port against this (`sysctl "
				      "net.ipv4.ip_local_reserved_ports=%u`) or move the ephemeral "
				      "range, and let "
				      "that connection end: `doorward close %s --connections`",
				      port, words_target(inquiry, first));
	return standing_reuseaddr_remedy(inquiry);
}

static int find_kind(struct inquiry *inquiry, int wanted, bool has_open)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	struct cause *cause = NULL;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		bool is_sure;
		if (!standing_is_connection(socket) ||
		    !standing_in_the_way(inquiry, socket, &is_sure) ||
		    kind_of(snapshot, socket, has_open) != wanted)
			continue;
		if (!cause) {
			cause = diagnosis_add(inquiry->diagnosis, kinds[wanted], EADDRINUSE);
			if (!cause)
				return -ENOMEM;
			cause->is_sure = false;
		}
		cause->is_sure |= is_sure;
		r = diagnosis_add_socket(inquiry->diagnosis, cause, i);
	}
	if (!cause || r < 0)
		return r;
	const uint32_t *first = vector_at(&inquiry->diagnosis->sockets, cause->first_socket);
	const struct socket *socket = snapshot_socket(snapshot, *first);
	cause->because = because(inquiry, cause, socket);
	cause->remedy = remedy(inquiry, cause, socket);
	return 0;
}

static int find(struct inquiry *inquiry)
{
	const struct question *question = &inquiry->diagnosis->question;
	struct socket door = {
		.local_port = question->port, .proto = question->proto, .netns = question->netns};
	bool has_open = has_listener(inquiry->snapshot, &door);
	int r = 0;
	for (int kind = 0; r >= 0 && kind < KINDS; kind++)
		r = find_kind(inquiry, kind, has_open);
	return r;
}

const struct cause_family cause_connection = {
	.name = "connections", .attempts = AT_BIND, .find = find};
