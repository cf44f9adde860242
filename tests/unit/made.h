/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot made by hand: one host, whose sockets are given as people write them. */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H

#include "check.h"

#include "model/field.h"
#include "model/snapshot.h"

#define MADE_NETNS 4026531833u

/* With one namespace: lo and eth0 (203.0.113.9, 2001:db8::9), ephemeral range 32768-60999. */
static inline struct snapshot *made_new(void)
{
	static const struct interface interfaces[] = {{1, "lo", true, true},
						      {2, "eth0", true, false}};
	static struct interface_address addresses[3];
	struct snapshot *snapshot = snapshot_new();
	assert_non_null(snapshot);
	addresses[0] = (struct interface_address){.interface = 1, .prefix = 8, .is_v4 = true};
	addresses[0].ip = ip_from_v4((const uint8_t[]){127, 0, 0, 1});
	addresses[1] = (struct interface_address){.interface = 2, .prefix = 24, .is_v4 = true};
	addresses[1].ip = ip_from_v4((const uint8_t[]){203, 0, 113, 9});
	addresses[2] = (struct interface_address){.interface = 2, .prefix = 64};
	bool is_v4;
	assert_int_equal(ip_parse("2001:db8::9", 11, &addresses[2].ip, &is_v4), 0);
	*(struct netns *)vector_add(&snapshot->netns) = (struct netns){.inode = MADE_NETNS,
								       .is_self = true,
								       .is_detailed = true,
								       .interfaces = interfaces,
								       .n_interfaces = 2,
								       .addresses = addresses,
								       .n_addresses = 3,
								       .ephemeral = {32768, 60999}};
	snapshot->collected = UINT32_MAX & ~NEED_TCP_INFO;
	return snapshot;
}

static inline const char *made_text(struct snapshot *snapshot, const char *text)
{
	return text ? arena_intern_string(&snapshot->arena, text) : NULL;
}

static inline uint32_t made_process(struct snapshot *snapshot, int32_t pid, int32_t ppid,
				    const char *name, const char *unit)
{
	char exe[64];
	snprintf(exe, sizeof(exe), "/usr/bin/%s", name);
	struct process *added = vector_add(&snapshot->processes);
	assert_non_null(added);
	*added = (struct process){.pid = pid,
				  .ppid = ppid,
				  .name = made_text(snapshot, name),
				  .exe = made_text(snapshot, exe),
				  .cmdline = made_text(snapshot, name),
				  .unit = made_text(snapshot, unit),
				  .known = KNOWN_STAT | KNOWN_EXE | KNOWN_CMDLINE | KNOWN_UID |
					   KNOWN_CGROUP,
				  .container = NONE,
				  .parent = NONE,
				  .netns = 0};
	return snapshot->processes.n - 1;
}

/* "1.2.3.4:80", "[::1]:80". */
static inline void made_end(const char *text, struct ip *ip, uint16_t *port, bool *is_v4)
{
	const char *colon = strrchr(text, ':');
	bool has_brackets = *text == '[';
	assert_non_null(colon);
	assert_int_equal(ip_parse(text + has_brackets,
				  (size_t)(colon - text) - (has_brackets ? 2 : 0), ip, is_v4),
			 0);
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

/* @peer NULL: none. Held by nobody yet. */
static inline uint32_t made_socket(struct snapshot *snapshot, enum proto proto, enum state state,
				   const char *local, const char *peer)
{
	struct socket socket = {.proto = proto,
				.state = state,
				.netns = 0,
				.holder = NONE,
				.tcp_info = NONE,
				.inode = 1000 + snapshot->sockets.n,
				.cookie = 1 + snapshot->sockets.n,
				.flags = SOCKET_UID_KNOWN | SOCKET_QUEUES_KNOWN |
					 SOCKET_V6ONLY_KNOWN,
				.held_by = HELD_NOBODY};
	bool is_v4;
	made_end(local, &socket.local, &socket.local_port, &is_v4);
	socket.family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	if (peer)
		made_end(peer, &socket.peer, &socket.peer_port, &is_v4);
	else if (is_v4)
		socket.peer = ip_from_v4((const uint8_t[]){0, 0, 0, 0});
	uint32_t index = snapshot_add_socket(snapshot, &socket);
	assert_int_not_equal(index, NONE);
	return index;
}

static inline struct socket *made_at(struct snapshot *snapshot, uint32_t socket)
{
	return vector_at(&snapshot->sockets, socket);
}

static inline void made_hold(struct snapshot *snapshot, uint32_t socket, uint32_t process,
			     int32_t fd)
{
	assert_int_not_equal(snapshot_add_holder(snapshot, socket, process, fd), NONE);
	made_at(snapshot, socket)->held_by = HELD_PROCESS;
}

static inline void made_user(struct snapshot *snapshot, uint32_t uid, const char *name)
{
	*(struct user *)vector_add(&snapshot->users) =
		(struct user){.uid = uid, .name = made_text(snapshot, name)};
}

#endif
