/* Recorded netlink dumps one after another, as `ss -D FILE` writes them: each ends with its mark. A
 * message does not say its protocol: our recorder numbers its requests by it; of another's dump it
 * follows from what the dump holds. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "source/saved-restore.h"
#include "source/sock-diag.h"

struct receiver {
	struct sink sink;
	struct restore *restore;
	enum proto proto; /* of the dump being read */
	bool is_mptcp;
};

/* The one that is there already: an MPTCP socket answers in TCP's dump too, with one inode. */
static struct socket *find_socket(const struct restore *restore, const struct socket *socket)
{
	uint32_t place;
	uint64_t key = table_mix(socket->inode);
	for (uint32_t i = table_find(&restore->by_inode, key, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_inode, key, &place)) {
		struct socket *known = vector_at(&restore->snapshot->sockets, i);
		if (known->inode == socket->inode && known->proto == socket->proto)
			return known;
	}
	return NULL;
}

static int take_socket(struct sink *sink, const struct found_socket *found)
{
	struct receiver *receiver = (struct receiver *)sink;
	struct restore *restore = receiver->restore;
	struct snapshot *snapshot = restore->snapshot;
	struct socket socket = found->socket;
	struct socket *known = socket.inode ? find_socket(restore, &socket) : NULL;
	if (known) {
		known->flags |= receiver->is_mptcp ? SOCKET_MPTCP : 0;
		return 0;
	}
	socket.netns = socket.holder = socket.tcp_info = NONE;
	if (socket.cookie > INT64_MAX) /* none: INET_DIAG_NOCOOKIE */
		socket.cookie = 0;
	socket.held_by = found->has_file == FILE_NOBODY ? HELD_NOBODY : HELD_UNASKED;
	if (receiver->is_mptcp)
		socket.flags |= SOCKET_MPTCP;
	if (found->info) {
		struct tcp_info_part *info = vector_add(&snapshot->tcp_infos);
		if (!info)
			return -ENOMEM;
		*info = *found->info;
		socket.tcp_info = snapshot->tcp_infos.n - 1;
	}
	uint32_t index = snapshot_add_socket(snapshot, &socket);
	if (index == NONE)
		return -ENOMEM;
	return socket.inode ? table_add(&restore->by_inode, table_mix(socket.inode), index) : 0;
}

/* The bytes at @at of one message; 0: none begins there, or it is cut. */
static size_t length_at(const char *bytes, size_t n, size_t at, struct nlmsghdr *ret)
{
	if (n - at < NLMSG_HDRLEN)
		return 0;
	memcpy(ret, bytes + at, sizeof(*ret));
	return ret->nlmsg_len < NLMSG_HDRLEN || ret->nlmsg_len > n - at ? 0 : ret->nlmsg_len;
}

/* The first byte of INET_DIAG_SOCKOPT among the attributes of one message, or -1. */
static int options_of(const char *at, size_t n)
{
	while (n >= NLA_HDRLEN) {
		struct nlattr attribute;
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > n)
			return -1;
		if (attribute.nla_type == INET_DIAG_SOCKOPT && attribute.nla_len > NLA_HDRLEN)
			return (unsigned char)at[NLA_HDRLEN];
		size_t step = NLA_ALIGN((size_t)attribute.nla_len);
		step = step < n ? step : n;
		at += step;
		n -= step;
	}
	return -1;
}

#define OPTION_IS_CONNECTED 2 /* is_icsk of struct inet_diag_sockopt: TCP */

/* TCP, UDP, or PROTO_MAX where this message does not tell. Only TCP has other states than closed
 * and established. */
static enum proto told_by(const char *message, size_t n)
{
	struct inet_diag_msg body;
	if (n < NLMSG_HDRLEN + sizeof(body))
		return PROTO_MAX;
	memcpy(&body, message + NLMSG_HDRLEN, sizeof(body));
	if (body.idiag_state != STATE_UNCONN && body.idiag_state != STATE_ESTABLISHED)
		return PROTO_TCP;
	int options =
		options_of(message + NLMSG_HDRLEN + sizeof(body), n - NLMSG_HDRLEN - sizeof(body));
	if (options < 0)
		return PROTO_MAX;
	return options & OPTION_IS_CONNECTED ? PROTO_TCP : PROTO_UDP;
}

/* Of the dump that begins at @at: what our recorder wrote, else what its first message tells that
 * tells anything. */
static enum proto proto_of(const char *bytes, size_t n, size_t at, bool *ret_is_mptcp)
{
	static const int numbers[PROTO_MAX] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE,
					       IPPROTO_RAW, IPPROTO_SCTP};
	struct nlmsghdr header;
	enum proto proto = PROTO_MAX;
	*ret_is_mptcp = false;
	for (size_t length; proto == PROTO_MAX && (length = length_at(bytes, n, at, &header));) {
		uint32_t number = header.nlmsg_seq - RESTORE_SEQUENCE;
		*ret_is_mptcp = number == IPPROTO_MPTCP;
		if (number == IPPROTO_MPTCP)
			return PROTO_TCP;
		for (enum proto i = 0; i < PROTO_MAX; i++)
			if (number == (uint32_t)numbers[i])
				return i;
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR)
			break;
		proto = told_by(bytes + at, length);
		size_t step = NLMSG_ALIGN(length);
		at += step < n - at ? step : n - at;
	}
	return proto == PROTO_MAX ? PROTO_TCP : proto;
}

static int tell_broken(const struct restore *restore, size_t at, struct error *err)
{
	return error_text(err, -EINVAL, "%.60s: no netlink message begins at byte %zu",
			  restore->name, at);
}

/* One message: given to the parser alone, so that the mark of a dump's end is met. */
static int take_message(struct receiver *receiver, const char *bytes, size_t n, bool *ret_is_done)
{
	static const struct query all = {.bounds = BOUNDS_ALL, .needs = NEED_TCP_INFO};
	bool interrupted = false;
	int error = 0;
	*ret_is_done = false;
	int r = sock_diag_parse(bytes, n, receiver->proto, &all, &receiver->sink, ret_is_done,
				&error, &interrupted);
	receiver->restore->has_absent |= error == -ENOENT;
	receiver->restore->has_broken_end |= error && error != -ENOENT;
	if (r >= 0 && interrupted)
		r = snapshot_add_missing(
			receiver->restore->snapshot,
			&(struct missing){.what = WHAT_SOCKETS, .why = WHY_INTERRUPTED});
	return r;
}

int restore_dumps(struct restore *restore, const char *bytes, size_t n, struct error *err)
{
	struct receiver receiver = {.sink = {.socket = take_socket}, .restore = restore};
	struct nlmsghdr header;
	bool is_done = true;
	size_t at = 0;
	while (n - at >= NLMSG_HDRLEN) {
		if (is_done)
			receiver.proto = proto_of(bytes, n, at, &receiver.is_mptcp);
		size_t length = length_at(bytes, n, at, &header);
		if (!length && header.nlmsg_len < NLMSG_HDRLEN)
			return tell_broken(restore, at, err);
		if (!length) {
			is_done = false;
			break;
		}
		int r = take_message(&receiver, bytes + at, length, &is_done);
		if (r == -EBADMSG)
			return tell_broken(restore, at, err);
		if (r < 0)
			return error_set(err, r, "read %.60s", restore->name);
		size_t step = NLMSG_ALIGN(length);
		at += step < n - at ? step : n - at;
	}
	restore->is_cut = !is_done || at != n;
	return 0;
}
