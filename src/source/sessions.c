/* From where an ssh session came. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "model/ancestry.h"
#include "source/descriptor.h"
#include "source/proc.h"
#include "source/sessions.h"

#define ENVIRONMENT_MAX (1 << 20)

bool session_parse_environment(const char *text, size_t n, char *ret, size_t size)
{
	static const char key[] = "SSH_CONNECTION=";
	for (const char *at = text, *end = text + n; at < end;) {
		size_t length = strnlen(at, (size_t)(end - at));
		if (length > sizeof(key) - 1 && memcmp(at, key, sizeof(key) - 1) == 0) {
			const char *address = at + sizeof(key) - 1;
			size_t n_address = strcspn(address, " ");
			struct ip ip;
			bool is_v4;
			if (n_address >= size || ip_parse(address, n_address, &ip, &is_v4) < 0)
				return false;
			snprintf(ret, size, "%.*s", (int)n_address, address);
			return true;
		}
		at += length + 1;
	}
	return false;
}

/* The first of a process's descriptors that is a TCP connection. */
struct connection_sink {
	struct sink sink;
	struct host *host;
	struct descriptor_here here;
	char address[FORMAT_IP_MAX + 1];
};

static int take_descriptor(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct connection_sink *found = (struct connection_sink *)sink;
	struct found_socket asked;
	if (descriptor_ask(found->host, &found->here, pid, fd, inode, &asked) < 0)
		return 0;
	const struct socket *socket = &asked.socket;
	if (socket->proto != PROTO_TCP || !socket_has_peer(socket))
		return 0;
	size_t n = ip_format(found->address, &socket->peer, ip_is_mapped(&socket->peer));
	found->address[n] = '\0';
	return -ECANCELED;
}

static bool find_origin(struct host *host, int32_t server, int32_t started, char *ret, size_t size)
{
	struct connection_sink found = {.sink = {.holder = take_descriptor}, .host = host};
	cleanup(freep) char *text = NULL;
	proc_read_process(host, server, &found.sink);
	snprintf(ret, size, "%s", found.address);
	if (ret[0])
		return true;
	ssize_t n = host_read_all(host, &text, ENVIRONMENT_MAX, "proc/%d/environ", started);
	return n > 0 && session_parse_environment(text, (size_t)n, ret, size);
}

int sessions_find(struct host *host, struct snapshot *snapshot)
{
	char address[FORMAT_IP_MAX + 1];
	for (uint32_t i = 0; i < snapshot->processes.n; i++) {
		const struct process *child = snapshot_process(snapshot, i);
		const struct process *parent = process_parent(snapshot, child);
		if (!parent || parent->from || !ancestor_is_session(parent) ||
		    !find_origin(host, parent->pid, child->pid, address, sizeof(address)))
			continue;
		struct process *server = vector_at(&snapshot->processes, child->parent);
		server->from = arena_intern_string(&snapshot->arena, address);
		if (!server->from)
			return -ENOMEM;
	}
	return 0;
}
