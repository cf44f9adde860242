/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a filter and as a TARGET. What parses is run on a socket, and may neither lose a
 * match early nor by its bounds; its turned form says the contrary. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "model/filter.h"
#include "model/target.h"

static struct snapshot *snapshot;

static void add_socket(enum proto proto, enum state state, const char *local, uint16_t port,
		       const char *peer, uint16_t peer_port)
{
	struct socket socket = {.proto = proto,
				.state = state,
				.local_port = port,
				.peer_port = peer_port,
				.netns = NONE,
				.holder = NONE,
				.tcp_info = NONE,
				.inode = 7,
				.flags = SOCKET_UID_KNOWN | SOCKET_QUEUES_KNOWN};
	bool is_v4;
	int r = ip_parse(local, strlen(local), &socket.local, &is_v4);
	socket.family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	if (r == 0)
		r = ip_parse(peer, strlen(peer), &socket.peer, &is_v4);
	assert(r == 0);
	uint32_t index = snapshot_add_socket(snapshot, &socket);
	assert(index != NONE && snapshot_add_holder(snapshot, index, 0, 3) != NONE);
}

static void make_host(void)
{
	snapshot = snapshot_new();
	struct process *process = snapshot ? vector_add(&snapshot->processes) : NULL;
	assert(process);
	*process = (struct process){.pid = 1,
				    .name = "python3",
				    .runs = "app.py",
				    .unit = "app.service",
				    .known = KNOWN_STAT | KNOWN_UID,
				    .container = NONE,
				    .parent = NONE,
				    .netns = NONE};
	add_socket(PROTO_TCP, STATE_LISTEN, "::", 443, "::", 0);
	add_socket(PROTO_TCP, STATE_ESTABLISHED, "::ffff:127.0.0.1", 443, "::ffff:10.0.0.1", 5000);
	add_socket(PROTO_UDP, STATE_UNCONN, "127.0.0.53", 53, "0.0.0.0", 0);
	int r = snapshot_seal(snapshot);
	assert(r == 0);
}

static bool is_within(const struct bounds *bounds, const struct socket *socket)
{
	return bounds->protos & 1u << socket->proto && bounds->families & 1u << socket->family &&
	       bounds->states & 1u << socket->state && socket->local_port >= bounds->port_first &&
	       socket->local_port <= bounds->port_last;
}

static void run(const struct filter *filter, const struct filter *turned)
{
	struct bounds bounds = filter_bounds(filter), other = filter_bounds(turned);
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		bool matches = filter_match(filter, snapshot, i);
		if (matches)
			assert(is_within(&bounds, socket) &&
			       filter_may_match(filter, snapshot, socket));
		if (!turned)
			continue;
		assert(matches != filter_match(turned, snapshot, i));
		if (!matches)
			assert(is_within(&other, socket) &&
			       filter_may_match(turned, snapshot, socket));
	}
}

static void check_filter(const char *text)
{
	struct filter *filter = NULL, *turned = NULL;
	struct error err = {0};
	int r = filter_parse(text, NULL, &filter, &err);
	if (r < 0) {
		assert(!filter && err.what[0] && err.code == r);
		for (const char *c = err.what; *c; c++)
			assert(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
		return;
	}
	char *longer = malloc(strlen(text) + 16);
	assert(longer);
	snprintf(longer, strlen(text) + 16, "not (%s)", text);
	if (filter)
		filter_parse(longer, NULL, &turned, NULL); /* may be too long or too deep now */
	free(longer);
	run(filter, turned);
	filter_free(filter);
	filter_free(turned);
}

static void check_target(const char *text)
{
	struct target target;
	struct filter *filter = NULL;
	char as_filter[256];
	target_looks_like(text, NULL);
	if (target_parse(text, NULL, &target, NULL) < 0)
		return;
	assert(target.protos && target.first <= target.last);
	target_filter_text(&target, as_filter, sizeof(as_filter));
	int r = filter_parse(as_filter, NULL, &filter, NULL);
	assert(r == 0 && filter);
	filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	assert(text);
	memcpy(text, data, n);
	text[n] = '\0';
	if (!snapshot)
		make_host();
	check_filter(text);
	check_target(text);
	free(text);
	return 0;
}
