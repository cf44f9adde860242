/* Records of the BPF programs to sockets and holders. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "bpf/record.h"
#include "source/bpf/record.h"

static int proto_of(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case BPF_PROTOCOL_MPTCP:
		return PROTO_TCP;
	case IPPROTO_UDP:
		return PROTO_UDP;
	case IPPROTO_UDPLITE:
		return PROTO_UDPLITE;
	case IPPROTO_SCTP:
		return PROTO_SCTP;
	case BPF_PROTOCOL_RAW:
		return PROTO_RAW;
	}
	return -EBADMSG;
}

static uint8_t flags_of(const struct bpf_record *record)
{
	uint8_t flags = SOCKET_UID_KNOWN;
	if (record->family == AF_INET6)
		flags |= SOCKET_V6ONLY_KNOWN;
	if (record->flags & BPF_RECORD_V6ONLY)
		flags |= SOCKET_V6ONLY;
	if (record->flags & BPF_RECORD_REUSEPORT)
		flags |= SOCKET_REUSEPORT;
	if (record->flags & BPF_RECORD_MPTCP)
		flags |= SOCKET_MPTCP;
	if (record->flags & BPF_RECORD_QUEUES)
		flags |= SOCKET_QUEUES_KNOWN;
	return flags;
}

static int give_tally(const struct bpf_record *record, struct sink *sink)
{
	bool is_inet = record->family == AF_INET || record->family == AF_INET6;
	struct tallied_socket tallied = {
		.netns_inode = record->netns,
		.inode = record->inode,
		.is_hashed_tcp =
			is_inet && record->protocol == IPPROTO_TCP && record->state != STATE_UNCONN,
	};
	return sink->tally ? sink->tally(sink, &tallied) : 0;
}

static int parse_one(const struct bpf_record *record, const struct tcp_info_part *info,
		     struct sink *sink, struct vector *rings)
{
	if (record->kind == BPF_RECORD_RING) {
		struct found_ring *ring = rings ? vector_add(rings) : NULL;
		if (ring)
			*ring = (struct found_ring){.pid = record->pid, .fd = record->fd};
		return rings && !ring ? -ENOMEM : 0;
	}

	if (record->kind == BPF_RECORD_NETNS)
		return sink->netns ? sink->netns(sink, record->inode, record->pid, record->fd) : 0;

	if (record->kind == BPF_RECORD_TALLY)
		return give_tally(record, sink);

	int proto = proto_of(record->protocol);
	bool is_held = record->kind == BPF_RECORD_SOCKET;
	if (proto < 0 || (record->family != AF_INET && record->family != AF_INET6) ||
	    !record->state || record->state >= STATE_MAX ||
	    (is_held && (record->pid <= 0 || record->fd < 0)) ||
	    (!is_held && record->kind != BPF_RECORD_NOBODY && record->kind != BPF_RECORD_KERNEL))
		return -EBADMSG;

	struct found_socket found = {
		.netns_inode = record->netns,
		.has_file = is_held				? FILE_THERE
			    : record->kind == BPF_RECORD_KERNEL ? FILE_KERNEL
								: FILE_NOBODY,
		.half_open = record->half_open,
		.info = info,
		.socket = {.cookie = record->cookie,
			   .local_port = record->local_port,
			   .peer_port = record->peer_port,
			   .inode = record->inode,
			   .uid = record->uid,
			   .interface = record->interface,
			   .recv_queue = record->recv_queue,
			   .send_queue = record->send_queue,
			   .proto = (uint8_t)proto,
			   .family = record->family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6,
			   .state = record->state,
			   .flags = flags_of(record)},
	};
	memcpy(&found.socket.local, record->local, sizeof(found.socket.local));
	memcpy(&found.socket.peer, record->peer, sizeof(found.socket.peer));
	return is_held ? sink->held(sink, &found, record->pid, record->fd)
		       : sink->socket(sink, &found);
}

/* So many records before its turn a socket is told to be expected: memory answers in that time. */
#define AHEAD 8

static size_t length_of(const struct bpf_record *record)
{
	return sizeof(*record) + (record->flags & BPF_RECORD_BYTES ? sizeof(struct bpf_bytes) : 0);
}

/* Of tcp_info the bytes alone are known. */
static struct tcp_info_part info_of(const char *at)
{
	struct bpf_bytes bytes;
	memcpy(&bytes, at, sizeof(bytes));
	return (struct tcp_info_part){.bytes_acked = bytes.acked, .bytes_received = bytes.received};
}

ssize_t record_parse(const void *bytes, size_t n, struct sink *sink, struct vector *rings)
{
	size_t at = 0;
	while (n - at >= sizeof(struct bpf_record)) {
		struct bpf_record record;
		struct tcp_info_part info;
		const char *from = (const char *)bytes + at;
		memcpy(&record, from, sizeof(record));
		size_t length = length_of(&record);
		if (n - at < length)
			break;
		if (sink->expect && n - at >= AHEAD * length + sizeof(record)) {
			uint32_t inode; /* of one as long as this; of others it is no matter */
			memcpy(&inode, from + AHEAD * length + offsetof(struct bpf_record, inode),
			       sizeof(inode));
			sink->expect(sink, inode);
		}
		bool has_bytes = length > sizeof(record);
		if (has_bytes)
			info = info_of(from + sizeof(record));
		int r = parse_one(&record, has_bytes ? &info : NULL, sink, rings);
		if (r < 0)
			return r;
		at += length;
	}
	return (ssize_t)at;
}

struct bpf_wanted record_wanted(const struct query *query)
{
	return (struct bpf_wanted){
		.states = query->bounds.states,
		.port_first = query->bounds.port_first,
		.port_last = query->bounds.port_last,
		.either_end = query->bounds.either_end,
		.tcp = query->bounds.protos & 1u << PROTO_TCP ? 1 : 0,
		.others = query->bounds.protos & ~(1u << PROTO_TCP) ? 1 : 0,
		/* the rest of tcp_info only a dump has */
		.bytes = (query->needs & (NEED_RATE | NEED_TCP_INFO)) == NEED_RATE,
		.not_tallied = {query->not_tallied[0], query->not_tallied[1]},
	};
}
