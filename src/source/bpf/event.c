/* A record of the ring to nouns. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "bpf/event.h"
#include "source/bpf/events.h"

_Static_assert((int)DEED_CREATED == (int)BPF_EVENT_CREATED, "one numbering");
_Static_assert((int)DEED_CONNECT_FAILED == (int)BPF_EVENT_CONNECT_FAILED, "one numbering");

static int proto_of(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case BPF_EVENT_MPTCP:
		return PROTO_TCP;
	case IPPROTO_UDP:
		return PROTO_UDP;
	case IPPROTO_UDPLITE:
		return PROTO_UDPLITE;
	}
	return -EBADMSG;
}

static uint8_t flags_of(const struct bpf_event *record)
{
	uint8_t flags = SOCKET_UID_KNOWN;
	if (record->family == AF_INET6)
		flags |= SOCKET_V6ONLY_KNOWN;
	if (record->flags & BPF_EVENT_V6ONLY)
		flags |= SOCKET_V6ONLY;
	if (record->flags & BPF_EVENT_REUSEPORT)
		flags |= SOCKET_REUSEPORT;
	if (record->protocol == BPF_EVENT_MPTCP)
		flags |= SOCKET_MPTCP;
	return flags;
}

/* The state of an event's socket: what it is from now on, or was last. */
static uint8_t state_of(const struct bpf_event *record, bool is_tcp)
{
	if (!is_tcp)
		return record->peer_port ? STATE_ESTABLISHED : STATE_UNCONN;
	switch (record->kind) {
	case BPF_EVENT_LISTENING:
		return STATE_LISTEN;
	case BPF_EVENT_ESTABLISHED:
		return STATE_ESTABLISHED;
	case BPF_EVENT_CLOSED:
		return record->state == STATE_LISTEN ? STATE_LISTEN : STATE_BOUND;
	case BPF_EVENT_ENDED:
		return record->state;
	case BPF_EVENT_CONNECT_FAILED:
		return STATE_SYN_SENT;
	default:
		return STATE_BOUND;
	}
}

static int parse_event(const void *bytes, size_t n, struct event_reader *reader)
{
	struct bpf_event record;
	if (n != sizeof(record))
		return -EBADMSG;
	memcpy(&record, bytes, sizeof(record));
	int proto = proto_of(record.protocol);
	if (proto < 0 || (record.family != AF_INET && record.family != AF_INET6) ||
	    record.pid < 0 || record.closer_pid < 0 || record.state >= STATE_MAX)
		return -EBADMSG;
	if (record.kind == BPF_EVENT_ENDED && !state_words[record.state])
		return -EBADMSG;

	struct found_event found = {
		.socket = {.cookie = record.cookie,
			   .local_port = record.local_port,
			   .peer_port = record.peer_port,
			   .inode = record.inode,
			   .uid = record.uid,
			   .interface = record.interface,
			   .netns = NONE,
			   .holder = NONE,
			   .tcp_info = NONE,
			   .proto = (uint8_t)proto,
			   .family = record.family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6,
			   .state = state_of(&record, proto == PROTO_TCP),
			   .flags = flags_of(&record)},
		.netns_inode = record.netns,
		.time_ns = record.time_ns,
		.since_ns = record.since_ns,
		.sent = record.sent,
		.received = record.received,
		.holder = {record.pid, record.start_ns},
		.holder_uid = record.owner_uid,
		.closer = {record.closer_pid, record.closer_start_ns},
		.deed = record.kind,
		.left = record.state,
		.is_exact = (record.flags & BPF_EVENT_EXACT) != 0,
		.by_process = (record.flags & BPF_EVENT_IN_PROCESS) != 0,
		.is_shut = (record.flags & BPF_EVENT_SHUT) != 0,
		.reuses_address = (record.flags & BPF_EVENT_REUSEADDR) != 0,
		.error = record.error,
	};
	if (record.kind == BPF_EVENT_TRIED) {
		found.had_port = record.error;
		found.error = 0;
	}
	memcpy(found.socket.local.bytes, record.local, sizeof(record.local));
	memcpy(found.socket.peer.bytes, record.peer, sizeof(record.peer));
	if (record.flags & BPF_EVENT_ROLE_DIALLED)
		found.socket.role = ROLE_DIALLED;
	else if (record.flags & BPF_EVENT_ROLE_ACCEPTED)
		found.socket.role = ROLE_ACCEPTED;
	return reader->event(reader, &found);
}

/* ---- processes ---- */

static int parse_fork(const void *bytes, size_t n, struct event_reader *reader)
{
	struct bpf_process record = {0};
	if (n != BPF_FORK_SIZE)
		return -EBADMSG;
	memcpy(&record, bytes, n);
	if (record.pid <= 0 || record.ppid <= 0)
		return -EBADMSG;
	struct found_process found = {.actor = {record.pid, record.start_ns},
				      .parent = {record.ppid, record.parent_start_ns},
				      .ppid = record.ppid};
	return reader->process(reader, &found);
}

/* Names that end with NUL, the last of the path first, put together from its end on; "/" where
 * there is none. NULL: no path. */
static const char *join_names(const char *names, size_t n, char *path, size_t size)
{
	char *at = path + size - 1;
	*at = '\0';
	for (size_t i = 0; i < n;) {
		size_t length = strnlen(names + i, n - i);
		if (!length || length == n - i || length + 1 > (size_t)(at - path) ||
		    memchr(names + i, '/', length))
			return NULL;
		at -= length;
		memcpy(at, names + i, length);
		*--at = '/';
		i += length + 1;
	}
	if (!*at)
		*--at = '/';
	return at;
}

static int parse_process(const void *bytes, size_t n, struct event_reader *reader)
{
	struct bpf_process record;
	char name[sizeof(record.name) + 1] = "";
	char exe[sizeof(record.exe) + 2], group[sizeof(record.group) + 2];
	if (n != sizeof(record))
		return -EBADMSG;
	memcpy(&record, bytes, sizeof(record));
	if (record.pid <= 0 || record.ppid < 0 || record.exe_size > sizeof(record.exe) ||
	    record.group_size > sizeof(record.group) || record.args_size > sizeof(record.args))
		return -EBADMSG;
	memcpy(name, record.name, sizeof(record.name));
	struct found_process found = {
		.actor = {record.pid, record.start_ns},
		.ppid = record.ppid,
		.uid = record.uid,
		.netns_inode = record.netns,
		.name = name,
		.group = join_names(record.group, record.group_size, group, sizeof(group)),
		.cmdline = record.args,
		.n_cmdline = record.args_size,
		.exe_deleted = (record.flags & BPF_PROCESS_EXE_DELETED) != 0,
	};
	if (record.flags & BPF_PROCESS_EXE &&
	    !(found.exe = join_names(record.exe, record.exe_size, exe, sizeof(exe))))
		return -EBADMSG;
	if (!found.group)
		return -EBADMSG;
	return reader->process(reader, &found);
}

int event_parse(const void *bytes, size_t n, struct event_reader *reader)
{
	if (!n)
		return -EBADMSG;
	uint8_t kind = *(const uint8_t *)bytes;
	if (kind >= DEED_CREATED && kind < DEED_MAX)
		return parse_event(bytes, n, reader);
	if (kind == BPF_EVENT_FORK)
		return parse_fork(bytes, n, reader);
	return kind == BPF_EVENT_PROCESS ? parse_process(bytes, n, reader) : -EBADMSG;
}
