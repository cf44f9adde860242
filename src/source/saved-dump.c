/* The dumps that `ss -D` writes. A message does not say its protocol: which it is follows from what a dump can hold. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <string.h>

#include "source/saved-dump.h"
#include "source/sock-diag.h"

struct adding {
	struct sink sink;
	struct snapshot *snapshot;
	int result;
};

static int add_socket(struct sink *sink, const struct found_socket *found)
{
	struct adding *adding = (struct adding *)sink;
	struct socket socket = found->socket;
	socket.netns = NONE;
	socket.holder = NONE;
	socket.tcp_info = NONE;
	socket.held_by = socket.inode ? HELD_UNASKED : HELD_NOBODY;
	if (found->info) {
		struct tcp_info_part *info = vector_add(&adding->snapshot->tcp_infos);
		if (!info)
			return -ENOMEM;
		*info = *found->info;
		socket.tcp_info = adding->snapshot->tcp_infos.n - 1;
	}
	return snapshot_add_socket(adding->snapshot, &socket) == NONE ? -ENOMEM : 0;
}

/* The bytes of the dump at @bytes up to and with its end mark. */
static size_t dump_length(const char *bytes, size_t n, bool *ret_has_end)
{
	size_t at = 0;
	*ret_has_end = false;
	while (n - at >= NLMSG_HDRLEN) {
		struct nlmsghdr header;
		memcpy(&header, bytes + at, sizeof(header));
		if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > n - at)
			break;
		at += NLMSG_ALIGN(header.nlmsg_len) < n - at ? NLMSG_ALIGN(header.nlmsg_len) : n - at;
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
			*ret_has_end = true;
			break;
		}
	}
	return at;
}

/* The bits of INET_DIAG_SOCKOPT among the attributes of one message, or -1 (struct inet_diag_sockopt). */
static int sockopt_of(const char *at, size_t n)
{
	while (n >= 4) {
		uint16_t length, type;
		memcpy(&length, at, sizeof(length));
		memcpy(&type, at + 2, sizeof(type));
		if (length < 4 || length > n)
			return -1;
		if (type == INET_DIAG_SOCKOPT && length > 4)
			return (unsigned char)at[4];
		size_t step = NLMSG_ALIGN(length) < n ? NLMSG_ALIGN(length) : n;
		at += step;
		n -= step;
	}
	return -1;
}

#define SOCKOPT_IS_ICSK 2 /* connection-oriented: TCP */

/* Of a dump: its first message that tells decides. Only TCP has other states than closed and established, or
 * connection-oriented sockets. */
static enum proto proto_of(const char *bytes, size_t n)
{
	for (size_t at = 0; n - at >= NLMSG_HDRLEN + sizeof(struct inet_diag_msg);) {
		struct nlmsghdr header;
		struct inet_diag_msg message;
		memcpy(&header, bytes + at, sizeof(header));
		if (header.nlmsg_len < NLMSG_HDRLEN + sizeof(message) || header.nlmsg_len > n - at)
			break;
		memcpy(&message, bytes + at + NLMSG_HDRLEN, sizeof(message));
		size_t before = NLMSG_HDRLEN + sizeof(message);
		int sockopt = sockopt_of(bytes + at + before, header.nlmsg_len - before);
		if (header.nlmsg_type == 18 /* TCPDIAG_GETSOCK */ ||
		    (message.idiag_state != STATE_UNCONN && message.idiag_state != STATE_ESTABLISHED))
			return PROTO_TCP;
		if (sockopt >= 0)
			return sockopt & SOCKOPT_IS_ICSK ? PROTO_TCP : PROTO_UDP;
		size_t step = NLMSG_ALIGN(header.nlmsg_len);
		if (step >= n - at)
			break;
		at += step;
	}
	return PROTO_UDP;
}

int saved_read_dump(struct snapshot *snapshot, const char *bytes, size_t n, const char *name, struct error *err)
{
	struct query query = {.bounds = BOUNDS_ALL, .needs = NEED_TCP_INFO};
	struct adding adding = {.sink = {.socket = add_socket}, .snapshot = snapshot};
	size_t at = 0;
	unsigned n_dumps = 0;
	bool is_cut = false;
	while (at < n) {
		bool has_end, done = false, interrupted = false;
		int error = 0;
		size_t length = dump_length(bytes + at, n - at, &has_end);
		if (!length) {
			is_cut = true;
			break;
		}
		int r = sock_diag_parse(bytes + at, length, proto_of(bytes + at, length), &query, &adding.sink, &done, &error, &interrupted);
		if (r == -ENOMEM)
			return error_set(err, r, "read %.80s", name);
		is_cut |= r < 0 || !has_end || error < 0 || interrupted;
		n_dumps++;
		at += length;
	}
	if (!n_dumps) {
		error_text(err, -EINVAL, "read %.80s: it is neither a saved --json nor a dump of ss", name);
		error_hint(err, "save a listing with `doorward list --all --json > FILE`, or `ss -D FILE`");
		return -EINVAL;
	}
	return is_cut ? snapshot_add_missing(snapshot, &(struct missing){.what = WHAT_SOCKETS, .why = WHY_CUT}) : 0;
}
