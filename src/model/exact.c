/* What names one thing exactly. */
#include <errno.h>
#include <stdio.h>

#include "base/format.h"
#include "base/numbers.h"
#include "model/exact.h"
#include "model/socket.h"

/* "127.0.0.1:80", "[::1]:80". */
static bool parse_end(const char *text, size_t n, struct ip *ip, uint16_t *port, bool *is_v4)
{
	char end[80];
	if (n >= sizeof(end))
		return false;
	memcpy(end, text, n);
	end[n] = '\0';
	char *colon = strrchr(end, ':');
	if (!colon || number_u16(colon + 1, port) < 0)
		return false;
	bool has_brackets = end[0] == '[' && colon > end + 1 && colon[-1] == ']';
	if (!has_brackets && memchr(end, ':', (size_t)(colon - end)))
		return false; /* an IPv6 address without brackets */
	return ip_parse(end + has_brackets, (size_t)(colon - end) - (has_brackets ? 2 : 0), ip,
			is_v4) == 0;
}

static int fail(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "%.100s names no connection", text);
	error_hint(err, "write tcp/127.0.0.1:80-127.0.0.1:40000, the end of this host first");
	return -EINVAL;
}

int exact_parse(const char *text, struct exact *ret, struct error *err)
{
	uint32_t pid;
	*ret = (struct exact){.proto = PROTO_TCP};
	if (strncmp(text, "pid:", 4) == 0) {
		if (number_u32(text + 4, 1, INT32_MAX, &pid) < 0)
			return error_text(err, -EINVAL, "%.60s: pid: takes a number", text);
		ret->pid = (int32_t)pid;
		return 1;
	}
	const char *rest = text, *slash = strchr(text, '/');
	if (slash) {
		enum proto proto = 0;
		size_t n = (size_t)(slash - text);
		while (proto < PROTO_MAX && (strlen(proto_words[proto]) != n ||
					     memcmp(proto_words[proto], text, n) != 0))
			proto++;
		if (proto == PROTO_MAX)
			return 0;
		ret->proto = (uint8_t)proto;
		rest = slash + 1;
	}
	/* a range of ports has a dash too, but no colon behind it */
	const char *dash = strchr(rest, '-');
	if (!dash || !strchr(dash, ':') || !memchr(rest, ':', (size_t)(dash - rest)))
		return 0;
	const char *peer = dash + 1 + (dash[1] == '>');
	bool is_v4, is_peer_v4;
	if (!parse_end(rest, (size_t)(dash - rest), &ret->local, &ret->local_port, &is_v4) ||
	    !parse_end(peer, strlen(peer), &ret->peer, &ret->peer_port, &is_peer_v4) ||
	    is_v4 != is_peer_v4)
		return fail(text, err);
	ret->is_v4 = is_v4;
	return 1;
}

void exact_filter_text(const struct exact *exact, char *to, size_t size)
{
	char local[FORMAT_IP_MAX + 1], peer[FORMAT_IP_MAX + 1];
	if (exact->pid) {
		snprintf(to, size, "pid = %d", exact->pid);
		return;
	}
	local[ip_format(local, &exact->local, exact->is_v4)] = '\0';
	peer[ip_format(peer, &exact->peer, exact->is_v4)] = '\0';
	snprintf(to, size,
		 "proto = %s and port = %u and address = %s and peer_port = %u and peer = %s",
		 proto_words[exact->proto], exact->local_port, local, exact->peer_port, peer);
}
