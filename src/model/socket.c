/* Words of a socket, and what follows from one alone. */
#include "model/socket.h"

const char *const proto_words[PROTO_MAX + 1] = {"tcp", "udp", "udplite", "raw", "sctp"};
const char *const family_words[FAMILY_MAX + 1] = {"ipv4", "ipv6"};
const char *const held_by_words[HELD_MAX + 1] = {"", "process", "kernel", "nobody", "unseen"};
const char *const role_words[ROLE_MAX + 1] = {"", "accepted", "dialled", "local"};

const char *const state_words[STATE_MAX] = {
	[STATE_ESTABLISHED] = "ESTABLISHED", [STATE_SYN_SENT] = "SYN_SENT",
	[STATE_SYN_RECV] = "SYN_RECV",	     [STATE_FIN_WAIT1] = "FIN_WAIT1",
	[STATE_FIN_WAIT2] = "FIN_WAIT2",     [STATE_TIME_WAIT] = "TIME_WAIT",
	[STATE_UNCONN] = "UNCONN",	     [STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[STATE_LAST_ACK] = "LAST_ACK",	     [STATE_LISTEN] = "LISTEN",
	[STATE_CLOSING] = "CLOSING",	     [STATE_BOUND] = "BOUND",
};

bool socket_is_dual_stack(const struct socket *socket)
{
	return socket->family == FAMILY_IPV6 && ip_is_any(&socket->local) &&
	       !ip_is_mapped(&socket->local) && socket->flags & SOCKET_V6ONLY_KNOWN &&
	       !(socket->flags & SOCKET_V6ONLY);
}

static bool takes_v4(const struct socket *socket)
{
	return socket_is_v4(socket) || socket_is_dual_stack(socket);
}

static bool takes_v6(const struct socket *socket)
{
	return !socket_is_v4(socket);
}

bool socket_overlaps(const struct socket *a, const struct socket *b)
{
	if (ip_equal(&a->local, &b->local))
		return true;
	if (!ip_is_any(&a->local) && !ip_is_any(&b->local))
		return false;
	return (takes_v4(a) && takes_v4(b)) || (takes_v6(a) && takes_v6(b));
}
