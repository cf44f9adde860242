/* The sockets of one network namespace: request, dump, messages to nouns. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/numbers.h"
#include "source/sock-diag.h"

#define BUFFER_SIZE (1 << 20)
#define TRIES 3
#define MESSAGE_TCPDIAG 18 /* TCPDIAG_GETSOCK: one dump for both families */
#define INET_DIAG_SKV6ONLY_ 11
#define RTA_ROUND(n) (((n) + 3u) & ~3u)

static const int numbers[PROTO_MAX] = {
	[PROTO_TCP] = IPPROTO_TCP, [PROTO_UDP] = IPPROTO_UDP,	[PROTO_UDPLITE] = IPPROTO_UDPLITE,
	[PROTO_RAW] = IPPROTO_RAW, [PROTO_SCTP] = IPPROTO_SCTP,
};

/* Attributes of one message that are of use here. */
struct attributes {
	const char *info;
	size_t info_length;
	int v6only;   /* -1 unknown */
	int protocol; /* raw: its own */
};

static void read_attributes(const char *at, size_t n, struct attributes *ret)
{
	*ret = (struct attributes){.v6only = -1, .protocol = -1};
	while (n >= 4) {
		uint16_t length, type;
		memcpy(&length, at, 2);
		memcpy(&type, at + 2, 2);
		if (length < 4 || length > n)
			return;
		const char *data = at + 4;
		size_t size = length - 4u;
		switch (type & ~NLA_F_NESTED) {
		case INET_DIAG_INFO:
			ret->info = data;
			ret->info_length = size;
			break;
		case INET_DIAG_SKV6ONLY_:
			ret->v6only = size ? data[0] != 0 : -1;
			break;
		case INET_DIAG_PROTOCOL:
			ret->protocol = size ? (uint8_t)data[0] : -1;
			break;
		}
		size_t step = RTA_ROUND(length) < n ? RTA_ROUND(length) : n;
		at += step;
		n -= step;
	}
}

static void read_info(const struct attributes *attributes, struct tcp_info_part *ret)
{
	struct tcp_info info = {0};
	size_t n = attributes->info_length < sizeof(info) ? attributes->info_length : sizeof(info);
	memcpy(&info, attributes->info, n);
	*ret = (struct tcp_info_part){
		.rtt = info.tcpi_rtt,
		.rtt_variance = info.tcpi_rttvar,
		.cwnd = info.tcpi_snd_cwnd,
		.retransmits = info.tcpi_total_retrans,
		.bytes_acked = info.tcpi_bytes_acked,
		.bytes_received = info.tcpi_bytes_received,
		.last_data_sent = info.tcpi_last_data_sent,
		.last_data_received = info.tcpi_last_data_recv,
	};
}

/* The kernel's state to ours. UDP and the like without a peer are UNCONN; a TCP socket that answers
 * as closed is bound and inactive. */
static uint8_t state_of(enum proto proto, uint8_t state)
{
	if (state == 12) /* TCP_NEW_SYN_RECV */
		return STATE_SYN_RECV;
	return proto == PROTO_TCP && state == STATE_UNCONN ? STATE_BOUND : state;
}

static int parse_socket(const char *bytes, size_t n, enum proto proto, const struct query *query,
			struct sink *sink)
{
	struct inet_diag_msg message;
	if (n < sizeof(message))
		return -EBADMSG;
	memcpy(&message, bytes, sizeof(message));
	if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
		return 0;

	bool is_v4 = message.idiag_family == AF_INET;
	uint8_t state = state_of(proto, message.idiag_state);
	if (!state || state >= STATE_MAX || !(query->bounds.states & 1u << state))
		return 0;

	struct attributes attributes;
	read_attributes(bytes + sizeof(message), n - sizeof(message), &attributes);

	struct found_socket found = {
		.has_file = message.idiag_inode ? FILE_UNKNOWN : FILE_NOBODY,
		.socket = {.cookie = (uint64_t)message.id.idiag_cookie[1] << 32 |
				     message.id.idiag_cookie[0],
			   .local_port = ntohs(message.id.idiag_sport),
			   .peer_port = ntohs(message.id.idiag_dport),
			   .inode = message.idiag_inode,
			   .uid = message.idiag_uid,
			   .interface = message.id.idiag_if,
			   .recv_queue = message.idiag_rqueue,
			   .send_queue = message.idiag_wqueue,
			   .proto = (uint8_t)proto,
			   .family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6,
			   .state = state,
			   .flags = SOCKET_QUEUES_KNOWN | SOCKET_UID_KNOWN},
	};
	struct socket *socket = &found.socket;
	socket->local = is_v4 ? ip_from_v4((const uint8_t *)message.id.idiag_src)
			      : ip_from_v6((const uint8_t *)message.id.idiag_src);
	socket->peer = is_v4 ? ip_from_v4((const uint8_t *)message.id.idiag_dst)
			     : ip_from_v6((const uint8_t *)message.id.idiag_dst);
	if (proto == PROTO_RAW) {
		socket->local_port = attributes.protocol >= 0 ? (uint16_t)attributes.protocol
							      : socket->local_port;
		socket->peer_port = 0;
	}
	if (attributes.v6only >= 0)
		socket->flags |= SOCKET_V6ONLY_KNOWN | (attributes.v6only ? SOCKET_V6ONLY : 0);

	struct tcp_info_part info;
	if (attributes.info && proto == PROTO_TCP && state != STATE_LISTEN &&
	    query->needs & NEED_TCP_INFO) {
		read_info(&attributes, &info);
		found.info = &info;
	}
	return sink->socket(sink, &found);
}

int sock_diag_parse(const void *bytes, size_t n, enum proto proto, const struct query *query,
		    struct sink *sink, bool *ret_done, int *ret_error, bool *ret_interrupted)
{
	const char *at = bytes;
	while (n >= NLMSG_HDRLEN) {
		struct nlmsghdr header;
		memcpy(&header, at, sizeof(header));
		if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > n)
			return -EBADMSG;
		const char *payload = at + NLMSG_HDRLEN;
		size_t length = header.nlmsg_len - NLMSG_HDRLEN;
		*ret_interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;

		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
			int code = 0;
			if (length >= sizeof(code))
				memcpy(&code, payload, sizeof(code));
			*ret_done = true;
			*ret_error = code < 0 ? code : 0;
			return 0;
		}
		if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY ||
		    header.nlmsg_type == MESSAGE_TCPDIAG) {
			int r = parse_socket(payload, length, proto, query, sink);
			if (r < 0)
				return r;
		}
		size_t step = NLMSG_ALIGN(header.nlmsg_len) < n ? NLMSG_ALIGN(header.nlmsg_len) : n;
		at += step;
		n -= step;
	}
	return n ? -EBADMSG : 0;
}

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

struct compat_request {
	struct nlmsghdr header;
	struct inet_diag_req body;
};

static int send_all(int fd, const void *bytes, size_t n)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent = sendto(fd, bytes, n, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	return sent < 0 ? -errno : 0;
}

static uint8_t extensions(const struct query *query)
{
	uint8_t wanted = 0;
	if (query->needs & NEED_TCP_INFO)
		wanted |= 1u << (INET_DIAG_INFO - 1);
	return wanted; /* SKV6ONLY comes with every IPv6 listener and unconnected socket */
}

/* @family 0: both at once, which only TCP can. */
static int ask(int fd, int family, int number, uint32_t states, const struct query *query)
{
	if (!family) {
		struct compat_request both = {
			.header = {.nlmsg_len = sizeof(both),
				   .nlmsg_type = MESSAGE_TCPDIAG,
				   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
			.body = {.idiag_family = AF_UNSPEC,
				 .idiag_ext = extensions(query),
				 .idiag_states = states},
		};
		return send_all(fd, &both, sizeof(both));
	}
	struct request one = {
		.header = {.nlmsg_len = sizeof(one),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = (uint8_t)family,
			 .sdiag_protocol = (uint8_t)number,
			 .idiag_ext = extensions(query),
			 .idiag_states = states},
	};
	return send_all(fd, &one, sizeof(one));
}

/* One dump to its end. 0, the dump's own error, or -EINTR where it was changed under way. */
static int read_dump(int fd, char *buffer, enum proto proto, const struct query *query,
		     struct sink *sink, const struct stop *stop)
{
	bool done = false, interrupted = false;
	int error = 0;
	while (!done) {
		ssize_t n = recv(fd, buffer, BUFFER_SIZE, 0);
		if (n < 0 && errno == EINTR && !stop_wanted(stop))
			continue;
		if (n < 0)
			return -errno;
		int r = sock_diag_parse(buffer, (size_t)n, proto, query, sink, &done, &error,
					&interrupted);
		if (r < 0)
			return r;
	}
	return error ? error : interrupted ? -EINTR : 0;
}

static int dump(struct host *host, int fd, char *buffer, int family, int number, enum proto proto,
		uint32_t states, const struct query *query, struct sink *sink)
{
	int r = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		r = ask(fd, family, number, states, query);
		if (r >= 0)
			r = read_dump(fd, buffer, proto, query, sink, host->stop);
		if (r != -EINTR)
			return r;
	}
	return sink->missing(sink, &(struct missing){.what = WHAT_SOCKETS, .why = WHY_INTERRUPTED});
}

static int dump_proto(struct host *host, int fd, char *buffer, enum proto proto,
		      const struct query *query, struct sink *sink)
{
	uint32_t states = query->bounds.states;
	if (proto == PROTO_TCP) {
		uint32_t bound = 1u << STATE_BOUND, rest = states & ~bound & ~(1u << STATE_UNCONN);
		rest |= states & 1u << STATE_SYN_RECV ? 1u << 12 : 0;
		int r = rest ? dump(host, fd, buffer, 0, IPPROTO_TCP, proto, rest, query, sink) : 0;
		/* a dump of its own: net/ipv4/inet_diag.c ignores other states beside it */
		if (r >= 0 && states & bound && query->bounds.families & 1u << FAMILY_IPV4)
			r = dump(host, fd, buffer, AF_INET, IPPROTO_TCP, proto, bound, query, sink);
		if (r >= 0 && states & bound && query->bounds.families & 1u << FAMILY_IPV6)
			r = dump(host, fd, buffer, AF_INET6, IPPROTO_TCP, proto, bound, query,
				 sink);
		return r;
	}

	static const int families[] = {AF_INET, AF_INET6};
	for (unsigned i = 0; i < 2; i++) {
		if (!(query->bounds.families & 1u << i))
			continue;
		int r = dump(host, fd, buffer, families[i], numbers[proto], proto, states, query,
			     sink);
		if (r < 0 && !(r == -ENOENT && i)) /* IPv6 may be off alone */
			return r;
	}
	return 0;
}

/* MPTCP sockets answer in a dump of their own with the inode that their first subflow has in TCP's.
 */

struct marker {
	struct sink sink, *to;
};

static int mark_socket(struct sink *sink, const struct found_socket *found)
{
	struct marker *marker = (struct marker *)sink;
	struct found_socket marked = *found;
	if (!marked.socket.inode)
		return 0;
	marked.socket.flags |= SOCKET_MPTCP;
	return marker->to->socket(marker->to, &marked);
}

static int dump_mptcp(struct host *host, int fd, char *buffer, const struct query *query,
		      struct sink *sink)
{
	struct marker marker = {.sink = *sink, .to = sink};
	marker.sink.socket = mark_socket;
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
		uint16_t length, type; /* INET_DIAG_REQ_PROTOCOL: 262 does not fit the byte */
		uint32_t protocol;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_protocol = 255,
			 .idiag_states = query->bounds.states & ~(1u << STATE_BOUND)},
		.length = 8,
		.type = 3,
		.protocol = 262,
	};
	static const uint8_t families[] = {AF_INET, AF_INET6};
	for (unsigned i = 0; i < 2; i++) {
		request.body.sdiag_family = families[i];
		int r = send_all(fd, &request, sizeof(request));
		if (r >= 0)
			r = read_dump(fd, buffer, PROTO_TCP, query, &marker.sink, host->stop);
		if (r == -ENOENT || r == -EINTR)
			continue;
		if (r < 0)
			return r;
	}
	return 0;
}

int sock_diag_read(struct host *host, int fd, const struct query *query, struct sink *sink,
		   uint32_t *ret_absent, struct error *err)
{
	cleanup(freep) char *buffer = malloc(BUFFER_SIZE);
	if (!buffer)
		return error_set(err, -ENOMEM, "read the sockets");

	*ret_absent = 0;
	for (enum proto proto = 0; proto < PROTO_MAX; proto++) {
		if (!(query->bounds.protos & 1u << proto))
			continue;
		if (proto != PROTO_TCP &&
		    !(query->bounds.states & (1u << STATE_UNCONN | 1u << STATE_ESTABLISHED)) &&
		    proto != PROTO_SCTP)
			continue;
		int r = dump_proto(host, fd, buffer, proto, query, sink);
		if (r == -ENOENT || r == -EPROTONOSUPPORT || r == -EINVAL) {
			*ret_absent |= 1u << proto;
			r = 0;
		}
		if (r >= 0 && proto == PROTO_TCP)
			r = dump_mptcp(host, fd, buffer, query, sink);
		if (r < 0)
			return error_set(err, r, "list the %s sockets", proto_words[proto]);
	}
	return 0;
}

struct answer {
	struct sink sink;
	struct found_socket *ret;
	bool is_there;
};

static int keep_answer(struct sink *sink, const struct found_socket *found)
{
	struct answer *answer = (struct answer *)sink;
	*answer->ret = *found;
	answer->is_there = true;
	return 0;
}

int sock_diag_lookup(int fd, const struct socket *packet, struct found_socket *ret)
{
	bool is_v4 = socket_is_v4(packet);
	struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = is_v4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = (uint8_t)numbers[packet->proto],
			 .idiag_states = ~0u,
			 .id = {.idiag_if = packet->interface, .idiag_cookie = {~0u, ~0u}}},
	};
	/* UDP's handler takes the ends the other way round (net/ipv4/udp_diag.c) */
	bool swaps = packet->proto != PROTO_TCP;
	const struct ip *to = swaps ? &packet->peer : &packet->local,
			*from = swaps ? &packet->local : &packet->peer;
	request.body.id.idiag_sport = htons(swaps ? packet->peer_port : packet->local_port);
	request.body.id.idiag_dport = htons(swaps ? packet->local_port : packet->peer_port);
	memcpy(request.body.id.idiag_src, to->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
	memcpy(request.body.id.idiag_dst, from->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);

	int r = send_all(fd, &request, sizeof(request));
	if (r < 0)
		return r;
	char buffer[8192];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	if (n < 0)
		return -errno;

	struct answer answer = {.sink = {.socket = keep_answer}, .ret = ret};
	struct query query = {.bounds = BOUNDS_ALL};
	bool done = false, interrupted = false;
	int error = 0;
	r = sock_diag_parse(buffer, (size_t)n, packet->proto, &query, &answer.sink, &done, &error,
			    &interrupted);
	return r < 0 ? r : error ? error : answer.is_there ? 0 : -ENOENT;
}

struct count {
	struct host *host;
	uint64_t in_use;
};

static int read_sockstat(void *data)
{
	struct count *count = data;
	char text[1024];
	ssize_t n = host_read(count->host, text, sizeof(text), "proc/thread-self/net/sockstat");
	const char *at = n > 0 ? strstr(text, "TCP: inuse ") : NULL;
	if (!at)
		return 0;
	at += strlen("TCP: inuse ");
	return number_scan(&at, text + n, 10, &count->in_use);
}

uint64_t sock_diag_in_use(struct host *host, const struct found_netns *netns)
{
	struct count count = {.host = host};
	return netns_call(netns, read_sockstat, &count) < 0 ? 0 : count.in_use;
}
