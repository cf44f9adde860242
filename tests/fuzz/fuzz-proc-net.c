/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a file of /proc/net (the first says of which protocol and family), as a line of
 * mountinfo ('m'), as reserved ports ('r'), as /etc/passwd or /etc/services ('p', 's'). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "source/interfaces.h"
#include "source/netns.h"
#include "source/proc-net.h"
#include "source/services.h"
#include "source/users.h"

static int check(struct sink *sink, const struct found_socket *found)
{
	(void)sink;
	const struct socket *socket = &found->socket;
	assert(socket->state && socket->state < STATE_MAX && state_words[socket->state]);
	assert(socket->family != FAMILY_IPV4 || ip_is_mapped(&socket->local));
	return 0;
}

static void check_mount(const char *line, size_t n)
{
	uint64_t inode;
	const char *point;
	size_t length;
	if (netns_parse_mount(line, n, &inode, &point, &length))
		assert(point > line && point + length <= line + n);
}

static void check_reserved(const char *bytes, size_t n)
{
	struct arena arena;
	const struct port_range *ranges;
	uint32_t count;
	arena_init(&arena);
	char *text = arena_copy(&arena, bytes, n);
	assert(text && interfaces_parse_reserved(text, &arena, &ranges, &count) == 0);
	for (uint32_t i = 0; i < count; i++)
		assert(ranges[i].first <= ranges[i].last);
	arena_done(&arena);
}

static void check_services(const char *bytes, size_t n)
{
	struct arena arena;
	const struct services *services;
	arena_init(&arena);
	assert(services_parse(bytes, n, &arena, &services) == 0);
	for (uint32_t i = 1; i < services->n; i++)
		assert(services->names[i - 1].port <= services->names[i].port);
	arena_done(&arena);
}

static void check_passwd(const char *bytes, size_t n)
{
	struct snapshot *snapshot = snapshot_new();
	assert(snapshot);
	for (uint32_t uid = 0; uid < 3; uid++)
		*(struct user *)vector_add(&snapshot->users) = (struct user){.uid = uid};
	users_parse(bytes, n, snapshot);
	snapshot_free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sink sink = {.socket = check};
	struct query query = {.bounds = BOUNDS_ALL};
	if (!n)
		return 0;
	const char *text = (const char *)data + 1;
	n--;
	switch (data[0]) {
	case 'm':
		check_mount(text, n);
		break;
	case 'r':
		check_reserved(text, n);
		break;
	case 's':
		check_services(text, n);
		break;
	case 'p':
		check_passwd(text, n);
		break;
	default:
		assert(proc_net_parse(text, n, data[0] / FAMILY_MAX % PROTO_MAX,
				      data[0] % FAMILY_MAX, &query, &sink) == 0);
	}
	return 0;
}
