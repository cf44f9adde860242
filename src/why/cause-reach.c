/* Where a connect ends: nothing listens there, only elsewhere, or no more connections are taken. */
#include <errno.h>

#include "why/cause.h"
#include "why/words.h"

static bool is_open(const struct inquiry *inquiry, const struct socket *socket)
{
	const struct question *question = &inquiry->diagnosis->question;
	return socket_is_open(socket) && socket->proto == question->proto &&
	       socket->local_port == question->port && !socket_has_peer(socket);
}

/* It would take a packet to the question's address. */
static bool takes(const struct inquiry *inquiry, const struct socket *socket)
{
	struct question packet = inquiry->diagnosis->question;
	packet.v6only = true; /* one address is meant, no wildcard */
	packet.interface = 0;
	return ip_is_any(&packet.address)
		       ? ip_is_any(&socket->local) || ip_reach(&socket->local) == REACH_LOOPBACK
		       : question_overlaps(&packet, socket);
}

static struct cause *add(struct inquiry *inquiry, enum cause_kind what, uint32_t socket)
{
	struct cause *cause =
		diagnosis_add(inquiry->diagnosis, what, inquiry->diagnosis->answer.error);
	if (cause && socket != NONE && diagnosis_add_socket(inquiry->diagnosis, cause, socket) < 0)
		return NULL;
	return cause;
}

static const char *place_words(struct inquiry *inquiry, uint32_t index)
{
	const struct netns *netns = snapshot_netns(inquiry->snapshot, index);
	if (netns && netns->name)
		return diagnosis_text(inquiry->diagnosis, "network namespace %s", netns->name);
	if (netns && netns->is_initial)
		return "the host's own network namespace";
	if (!netns)
		return "another network namespace, which may not be told without root";
	return diagnosis_text(inquiry->diagnosis, "network namespace net:%llu",
			      (unsigned long long)netns->inode);
}

/* ---- a full queue ---- */

static bool is_full(const struct socket *socket)
{
	return socket->state == STATE_LISTEN && socket->flags & SOCKET_QUEUES_KNOWN &&
	       socket->recv_queue > socket->send_queue;
}

static int tell_backlog(struct inquiry *inquiry, uint32_t index, const struct socket *socket)
{
	struct cause *cause = add(inquiry, CAUSE_BACKLOG, index);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(
		inquiry->diagnosis,
		"%s listens on %s, but does not accept: %u connections wait in its backlog, which "
		"holds %u. The kernel drops every new one.",
		words_holder(inquiry, socket), words_local(inquiry, socket), socket->recv_queue,
		socket->send_queue);
	cause->remedy =
		"find out why the program does not accept (is it stopped, or busy?); a larger "
		"backlog of listen() and `sysctl net.core.somaxconn` help against bursts";
	return 0;
}

/* ---- nobody where it goes ---- */

static const char *elsewhere_words(struct inquiry *inquiry, enum cause_kind what, uint32_t index)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct socket *socket = snapshot_socket(inquiry->snapshot, index);
	const char *holder = words_holder(inquiry, socket), *local = words_local(inquiry, socket);
	switch (what) {
	case CAUSE_LOOPBACK_ONLY:
		return diagnosis_text(diagnosis,
				      "%s listens on %s, which only its own host can reach.",
				      holder, local);
	case CAUSE_OTHER_NETNS:
		return diagnosis_text(diagnosis,
				      "Nothing listens where the packet goes; %s listens on %s in "
				      "%s.",
				      holder, local, place_words(inquiry, socket->netns));
	default:
		return diagnosis_text(diagnosis,
				      "%s listens on %s only, not on the address that was dialled.",
				      holder, local);
	}
}

static const char *elsewhere_remedy(enum cause_kind what)
{
	switch (what) {
	case CAUSE_LOOPBACK_ONLY:
		return "let it listen on that address or on any (0.0.0.0, ::), or reach it through "
		       "a "
		       "tunnel (ssh -L)";
	case CAUSE_OTHER_NETNS:
		return "dial an address of that namespace, publish the port from the container, or "
		       "dial from inside (`ip netns exec`, `nsenter -n`)";
	default:
		return "dial the address that it listens on, or let it listen on any (0.0.0.0, ::)";
	}
}

static enum cause_kind kind_of(const struct inquiry *inquiry, const struct socket *socket,
			       uint32_t there)
{
	bool is_outside = ip_reach(&inquiry->diagnosis->question.address) != REACH_LOOPBACK;
	if (socket->netns != there)
		return CAUSE_OTHER_NETNS;
	return is_outside && ip_reach(&socket->local) == REACH_LOOPBACK ? CAUSE_LOOPBACK_ONLY
									: CAUSE_OTHER_ADDRESS;
}

/* The nearest that listens on the number: where the packet goes, then where it comes from. */
static uint32_t find_elsewhere(const struct inquiry *inquiry, uint32_t there)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	uint32_t found = NONE;
	bool is_own = false;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!is_open(inquiry, socket))
			continue;
		if (socket->netns == there)
			return i;
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		bool is_here = netns && netns->is_self;
		if (found == NONE || (is_here && !is_own)) {
			found = i;
			is_own = is_here;
		}
	}
	return found;
}

static int tell_nobody(struct inquiry *inquiry, uint32_t there)
{
	uint32_t index = find_elsewhere(inquiry, there);
	enum cause_kind what =
		index == NONE ? CAUSE_NOTHING
			      : kind_of(inquiry, snapshot_socket(inquiry->snapshot, index), there);
	struct cause *cause = add(inquiry, what, index);
	if (!cause)
		return -ENOMEM;
	if (what != CAUSE_NOTHING) {
		cause->because = elsewhere_words(inquiry, what, index);
		cause->remedy = elsewhere_remedy(what);
		return 0;
	}
	cause->because = diagnosis_text(
		inquiry->diagnosis, "Nothing %s %s %u %s.",
		inquiry->diagnosis->question.proto == PROTO_TCP ? "listens on" : "has bound",
		proto_words[inquiry->diagnosis->question.proto], inquiry->diagnosis->question.port,
		inquiry->snapshot->is_complete ? "on this host"
					       : "on this host, as far as may be seen");
	cause->remedy = "start the program that should (is it running, does it use another port? "
			"`doorward list`)";
	return 0;
}

/* A listener is there and yet the port refuses: full with tcp_abort_on_overflow, or gone meanwhile.
 */
static int look_there(struct inquiry *inquiry, uint32_t there)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	bool is_taken = false;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->netns != there || !is_open(inquiry, socket) || !takes(inquiry, socket))
			continue;
		is_taken = true;
		if (is_full(socket))
			return tell_backlog(inquiry, i, socket);
	}
	if (!is_taken && inquiry->diagnosis->answer.error == ECONNREFUSED)
		r = tell_nobody(inquiry, there);
	return r;
}

static int tell_refused_there(struct inquiry *inquiry)
{
	struct cause *cause = add(inquiry, CAUSE_REFUSED_THERE, NONE);
	if (!cause)
		return -ENOMEM;
	cause->because = "The address is none of this host. Its host answers, and refuses: nothing "
			 "listens there on this port, or its firewall rejects.";
	cause->remedy = "ask on that host: `doorward why` there tells more";
	return 0;
}

static int find(struct inquiry *inquiry)
{
	int error = inquiry->diagnosis->answer.error;
	uint32_t there =
		inquiry->destination != NONE ? inquiry->destination : why_destination(inquiry);
	if (!error || inquiry->is_explained ||
	    (error != ECONNREFUSED && error != ETIMEDOUT && error != ECONNRESET))
		return 0;
	/* a message is no answer of TCP: somebody rejects */
	if (inquiry->probe.is_icmp && inquiry->diagnosis->question.proto == PROTO_TCP)
		return 0;
	uint32_t before = inquiry->diagnosis->causes.n;
	int r = 0;
	if (there != NONE)
		r = look_there(inquiry, there);
	else if (error == ECONNREFUSED)
		r = tell_refused_there(inquiry);
	inquiry->is_explained |= inquiry->diagnosis->causes.n != before;
	return r;
}

const struct cause_family cause_reach = {.name = "reach", .attempts = AT_CONNECT, .find = find};
