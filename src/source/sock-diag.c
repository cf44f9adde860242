/* The sockets of one network namespace: request, dump, messages to nouns. */
#include <errno.h>
#include <fcntl.h>
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
		case INET_DIAG_SKV6ONLY:
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
	if (!n || (bytes[0] != AF_INET && bytes[0] != AF_INET6))
		return 0; /* unix, netlink, ...: other messages with the family first too */
	if (n < sizeof(message))
		return -EBADMSG;
	memcpy(&message, bytes, sizeof(message));

	bool is_v4 = message.idiag_family == AF_INET;
	if (!(query->bounds.families & 1u << (is_v4 ? FAMILY_IPV4 : FAMILY_IPV6)))
		return 0;
	uint8_t state = state_of(proto, message.idiag_state);
	if (!state || state >= STATE_MAX || !(query->bounds.states & 1u << state))
		return 0;

	struct attributes attributes;
	read_attributes(bytes + sizeof(message), n - sizeof(message), &attributes);
	if (attributes.protocol >= 0 && proto != PROTO_RAW)
		return 0; /* what a kernel that does not know MPTCP takes the request for */

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
	    query->needs & (NEED_TCP_INFO | NEED_RATE)) {
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

/* A filter in the kernel: it walks over all sockets, and copies those that match
 * (inet_diag_bc_run).
 */

#define PROGRAM_MAX 9
#define OP_SIZE 4
#define REJECT 4 /* behind the end by one operation: no match */

struct program {
	struct inet_diag_bc_op ops[PROGRAM_MAX];
	uint16_t size;
};

/* The port is in first..last, else on to @otherwise bytes behind this test. Each comparison has its
 * port in the operation that follows it. */
static void add_range(struct program *program, bool is_peer, uint16_t first, uint16_t last,
		      uint16_t otherwise)
{
	struct inet_diag_bc_op *op = program->ops + program->size / OP_SIZE;
	op[0] = (struct inet_diag_bc_op){is_peer ? INET_DIAG_BC_D_GE : INET_DIAG_BC_S_GE,
					 2 * OP_SIZE, (uint16_t)(4 * OP_SIZE + otherwise)};
	op[1] = (struct inet_diag_bc_op){.no = first};
	op[2] = (struct inet_diag_bc_op){is_peer ? INET_DIAG_BC_D_LE : INET_DIAG_BC_S_LE,
					 2 * OP_SIZE, (uint16_t)(2 * OP_SIZE + otherwise)};
	op[3] = (struct inet_diag_bc_op){.no = last};
	program->size += 4 * OP_SIZE;
}

/* Empty where all ports are wanted. */
static void make_program(const struct bounds *bounds, struct program *ret)
{
	*ret = (struct program){.size = 0};
	if (bounds->port_first == 0 && bounds->port_last == UINT16_MAX)
		return;
	if (bounds->either_end) {
		add_range(ret, false, bounds->port_first, bounds->port_last, OP_SIZE);
		ret->ops[ret->size / OP_SIZE] =
			(struct inet_diag_bc_op){INET_DIAG_BC_JMP, OP_SIZE, 4 * OP_SIZE + OP_SIZE};
		ret->size += OP_SIZE;
	}
	add_range(ret, bounds->either_end, bounds->port_first, bounds->port_last, REJECT);
}

/* Both kinds of body, and the attributes behind them. */
struct request {
	struct nlmsghdr header;
	char rest[sizeof(struct inet_diag_req_v2) + 2 * NLA_HDRLEN + sizeof(uint32_t) +
		  sizeof(struct program)];
};

static void append(struct request *request, const void *bytes, size_t n)
{
	memcpy((char *)request + request->header.nlmsg_len, bytes, n);
	request->header.nlmsg_len += (uint32_t)NLMSG_ALIGN(n);
}

static void append_attribute(struct request *request, uint16_t type, const void *bytes, size_t n)
{
	struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type};
	append(request, &attribute, sizeof(attribute));
	append(request, bytes, n);
}

static int send_request(int fd, const struct request *request)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent = sendto(fd, request, request->header.nlmsg_len, 0, (struct sockaddr *)&kernel,
			      sizeof(kernel));
	return sent < 0 ? -errno : 0;
}

static uint8_t extensions(const struct query *query)
{
	uint8_t wanted = 0;
	if (query->needs & (NEED_TCP_INFO | NEED_RATE))
		wanted |= 1u << (INET_DIAG_INFO - 1);
	return wanted; /* SKV6ONLY comes with every IPv6 listener and unconnected socket */
}

/* What one dump asks for. */
struct dump {
	int family; /* 0: both at once, which only TCP can */
	int number; /* of the protocol */
	enum proto proto;
	uint32_t states;
};

static int ask(int fd, const struct dump *dump, const struct query *query)
{
	struct request request = {
		.header = {.nlmsg_len = NLMSG_HDRLEN, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	if (!dump->family) {
		struct inet_diag_req both = {.idiag_family = AF_UNSPEC,
					     .idiag_ext = extensions(query),
					     .idiag_states = dump->states};
		request.header.nlmsg_type = MESSAGE_TCPDIAG;
		append(&request, &both, sizeof(both));
	} else {
		bool fits = dump->number <= UINT8_MAX;
		struct inet_diag_req_v2 one = {.sdiag_family = (uint8_t)dump->family,
					       .sdiag_protocol =
						       fits ? (uint8_t)dump->number : UINT8_MAX,
					       .idiag_ext = extensions(query),
					       .idiag_states = dump->states};
		request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
		append(&request, &one, sizeof(one));
		uint32_t number = (uint32_t)dump->number;
		if (!fits)
			append_attribute(&request, INET_DIAG_REQ_PROTOCOL, &number, sizeof(number));
	}
	struct program program;
	make_program(&query->bounds, &program);
	if (program.size && dump->proto != PROTO_SCTP)
		append_attribute(&request, INET_DIAG_REQ_BYTECODE, program.ops, program.size);
	return send_request(fd, &request);
}

/* One dump to its end. 0, the dump's own error, or -EINTR where it was changed under way. */
static int read_dump(int fd, char *buffer, enum proto proto, const struct query *query,
		     struct sink *sink, const struct stop *stop)
{
	bool done = false, interrupted = false;
	int error = 0;
	while (!done) {
		if (stop_wanted(stop))
			return -EINTR;
		ssize_t n = recv(fd, buffer, BUFFER_SIZE, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS)
			interrupted = true;
		if (n < 0 && errno == ENOBUFS)
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

static int read_interrupted(struct sink *sink)
{
	return sink_tell(sink, &(struct missing){.what = WHAT_SOCKETS, .why = WHY_INTERRUPTED});
}

/* Asks until nothing changes under way. What came is kept, whoever came twice: the join unites
 * them.
 */
static int run_dump(struct host *host, int fd, char *buffer, const struct dump *dump,
		    const struct query *query, struct sink *sink)
{
	for (unsigned i = 0; i < TRIES && !stop_wanted(host->stop); i++) {
		int r = ask(fd, dump, query);
		if (r >= 0)
			r = read_dump(fd, buffer, dump->proto, query, sink, host->stop);
		if (r != -EINTR)
			return r;
	}
	return read_interrupted(sink);
}

/* One dump for each family that is wanted. */
static int dump_families(struct host *host, int fd, char *buffer, const struct dump *dump,
			 const struct query *query, struct sink *sink)
{
	static const int families[FAMILY_MAX] = {AF_INET, AF_INET6};
	for (enum family i = 0; i < FAMILY_MAX; i++) {
		if (!(query->bounds.families & 1u << i))
			continue;
		struct dump one = *dump;
		one.family = families[i];
		int r = run_dump(host, fd, buffer, &one, query, sink);
		if (r < 0) /* -ENOENT: the kernel does not know the protocol, in either family */
			return r;
	}
	return 0;
}

static int dump_tcp(struct host *host, int fd, char *buffer, const struct query *query,
		    struct sink *sink)
{
	uint32_t states = query->bounds.states & ~query->tcp_told, bound = 1u << STATE_BOUND;
	struct dump all = {.number = IPPROTO_TCP,
			   .proto = PROTO_TCP,
			   .states = states & ~(bound | 1u << STATE_UNCONN)};
	all.states |= states & 1u << STATE_SYN_RECV ? 1u << 12 : 0;
	int r = all.states ? run_dump(host, fd, buffer, &all, query, sink) : 0;

	/* A dump of its own: other states beside it would hide it (net/ipv4/inet_diag.c). For both
	 * families at once, since it walks over the ports of all namespaces: 2 ms when empty. */
	all.states = bound;
	return r >= 0 && states & bound ? run_dump(host, fd, buffer, &all, query, sink) : r;
}

static int dump_proto(struct host *host, int fd, char *buffer, enum proto proto,
		      const struct query *query, struct sink *sink)
{
	struct dump all = {
		.number = numbers[proto], .proto = proto, .states = query->bounds.states};
	return proto == PROTO_TCP ? dump_tcp(host, fd, buffer, query, sink)
				  : dump_families(host, fd, buffer, &all, query, sink);
}

/* MPTCP sockets answer in a dump of their own with the inode that their first subflow has in TCP's.
 */

struct marker {
	struct sink sink, *to;
};

static int pass_missing(struct sink *sink, const struct missing *missing)
{
	struct sink *to = ((struct marker *)sink)->to;
	return sink_tell(to, missing);
}

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
	struct marker marker = {.sink = {.socket = mark_socket, .missing = pass_missing},
				.to = sink};
	struct dump all = {.number = IPPROTO_MPTCP,
			   .proto = PROTO_TCP,
			   .states = query->bounds.states & ~(1u << STATE_BOUND)};
	int r = dump_families(host, fd, buffer, &all, query, &marker.sink);
	return r == -ENOENT ? 0 : r; /* a kernel without MPTCP */
}

/* To ask for SCTP sockets loads the protocol into the kernel where it is a module: nobody who only
 * looks may do that. Without it there are none. */
static bool is_loaded(const struct host *host, enum proto proto)
{
	if (proto != PROTO_SCTP)
		return true;
	cleanup(closep) int fd = host_openat(host, O_PATH, "proc/thread-self/net/sctp");
	return fd >= 0;
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
		int r = is_loaded(host, proto) ? dump_proto(host, fd, buffer, proto, query, sink)
					       : -ENOENT;
		if (r == -ENOENT) {
			*ret_absent |= 1u << proto;
			r = 0;
		}
		if (r >= 0 && proto == PROTO_TCP && !query->lacks_mptcp)
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
	struct request request = {.header = {.nlmsg_len = NLMSG_HDRLEN,
					     .nlmsg_type = SOCK_DIAG_BY_FAMILY,
					     .nlmsg_flags = NLM_F_REQUEST}};
	struct inet_diag_req_v2 body = {
		.sdiag_family = is_v4 ? AF_INET : AF_INET6,
		.sdiag_protocol = (uint8_t)numbers[packet->proto],
		.idiag_states = ~0u,
		.id = {.idiag_if = packet->interface, .idiag_cookie = {~0u, ~0u}},
	};
	/* UDP's handler takes the ends the other way round (net/ipv4/udp_diag.c) */
	bool swaps = packet->proto == PROTO_UDP || packet->proto == PROTO_UDPLITE;
	const struct ip *to = swaps ? &packet->peer : &packet->local,
			*from = swaps ? &packet->local : &packet->peer;
	body.id.idiag_sport = htons(swaps ? packet->peer_port : packet->local_port);
	body.id.idiag_dport = htons(swaps ? packet->local_port : packet->peer_port);
	memcpy(body.id.idiag_src, to->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
	memcpy(body.id.idiag_dst, from->bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);

	append(&request, &body, sizeof(body));
	int r = send_request(fd, &request);
	if (r < 0)
		return r;
	char buffer[8192];
	ssize_t n;
	do
		n = recv(fd, buffer, sizeof(buffer), 0);
	while (n < 0 && errno == EINTR);
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
