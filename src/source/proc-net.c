/* Sockets from /proc/net. Layout: proc_net(5), net/ipv4/raw.c. */
#include <errno.h>
#include <string.h>

#include "base/numbers.h"
#include "source/proc-net.h"

#define FILE_MAX (64 << 20)

static const char *const names[PROTO_MAX][FAMILY_MAX] = {
	[PROTO_TCP] = {"tcp", "tcp6"},
	[PROTO_UDP] = {"udp", "udp6"},
	[PROTO_UDPLITE] = {"udplite", "udplite6"},
	[PROTO_RAW] = {"raw", "raw6"},
};

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	return at;
}

/* "0100007F:1F90": words of the address as the host's memory has them. */
static int scan_end(const char **at, const char *end, enum family family, struct ip *ip,
		    uint16_t *port)
{
	unsigned n_words = family == FAMILY_IPV4 ? 1 : 4;
	uint8_t bytes[16];
	*at = skip_blanks(*at, end);
	for (unsigned i = 0; i < n_words; i++) {
		uint64_t word;
		const char *digits = *at;
		if (end - digits < 8 || number_scan(&digits, *at + 8, 16, &word) < 0 ||
		    digits != *at + 8)
			return -EBADMSG;
		uint32_t narrow = (uint32_t)word;
		memcpy(bytes + 4 * (size_t)i, &narrow, 4);
		*at = digits;
	}
	uint64_t number;
	if (*at == end || *(*at)++ != ':' || number_scan(at, end, 16, &number) < 0 ||
	    number > UINT16_MAX)
		return -EBADMSG;
	*ip = family == FAMILY_IPV4 ? ip_from_v4(bytes) : ip_from_v6(bytes);
	*port = (uint16_t)number;
	return 0;
}

static int scan_field(const char **at, const char *end, unsigned base, uint64_t *ret)
{
	*at = skip_blanks(*at, end);
	return number_scan(at, end, base, ret);
}

/* sl local rem st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops */
static int parse_line(const char *at, const char *end, enum proto proto, enum family family,
		      struct found_socket *ret)
{
	uint64_t slot, state, sent, received, ignored, uid, timeout, inode;
	struct socket *socket = &ret->socket;
	*ret = (struct found_socket){
		.socket = {.proto = (uint8_t)proto, .family = (uint8_t)family}};
	if (scan_field(&at, end, 10, &slot) < 0 || at == end || *at++ != ':' ||
	    scan_end(&at, end, family, &socket->local, &socket->local_port) < 0 ||
	    scan_end(&at, end, family, &socket->peer, &socket->peer_port) < 0 ||
	    scan_field(&at, end, 16, &state) < 0 || scan_field(&at, end, 16, &sent) < 0 ||
	    at == end || *at++ != ':' || scan_field(&at, end, 16, &received) < 0 ||
	    scan_field(&at, end, 16, &ignored) < 0 || at == end || *at++ != ':' ||
	    scan_field(&at, end, 16, &ignored) < 0 || scan_field(&at, end, 16, &ignored) < 0 ||
	    scan_field(&at, end, 10, &uid) < 0 || scan_field(&at, end, 10, &timeout) < 0 ||
	    scan_field(&at, end, 10, &inode) < 0)
		return -EBADMSG;
	if (!state || state > 12 || uid > UINT32_MAX || inode > UINT32_MAX)
		return -EBADMSG;
	socket->state = state == 12 ? STATE_SYN_RECV : (uint8_t)state;
	if (proto == PROTO_TCP && socket->state == STATE_UNCONN)
		socket->state = STATE_BOUND;
	if (proto == PROTO_RAW)
		socket->peer_port = 0;
	socket->recv_queue = (uint32_t)received;
	socket->send_queue = (uint32_t)sent;
	socket->uid = (uint32_t)uid;
	socket->inode = (uint32_t)inode;
	socket->flags = SOCKET_QUEUES_KNOWN | SOCKET_UID_KNOWN;
	ret->has_file = inode ? FILE_UNKNOWN : FILE_NOBODY;
	return 0;
}

int proc_net_parse(const char *text, size_t n, enum proto proto, enum family family,
		   const struct query *query, struct sink *sink)
{
	for (const char *line = text, *end = text + n; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		struct found_socket found;
		if (parse_line(line, stop, proto, family, &found) == 0 &&
		    query->bounds.states & 1u << found.socket.state) {
			int r = sink->socket(sink, &found);
			if (r < 0)
				return r;
		}
		line = stop + 1;
	}
	return 0;
}

struct reading {
	struct host *host;
	uint32_t protos;
	const struct query *query;
	struct sink *sink;
};

static int read_files(void *data)
{
	struct reading *reading = data;
	for (unsigned i = 0; i < PROTO_MAX * FAMILY_MAX; i++) {
		enum proto proto = i / FAMILY_MAX;
		enum family family = i % FAMILY_MAX;
		if (!(reading->protos & 1u << proto) || !names[proto][family])
			continue;
		cleanup(freep) char *text = NULL;
		ssize_t n = host_read_all(reading->host, &text, FILE_MAX, "proc/thread-self/net/%s",
					  names[proto][family]);
		if (n < 0)
			continue;
		int r = proc_net_parse(text, (size_t)n, proto, family, reading->query,
				       reading->sink);
		if (r < 0)
			return r;
	}
	return 0;
}

int proc_net_read(struct host *host, const struct found_netns *netns, uint32_t protos,
		  const struct query *query, struct sink *sink, struct error *err)
{
	struct reading reading = {host, protos, query, sink};
	int r = netns_call(netns, read_files, &reading);
	return r < 0 ? error_set(err, r, "read /proc/net") : 0;
}
