/* Names of containers, and to which one a published port belongs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/numbers.h"
#include "source/containers.h"
#include "source/docker.h"
#include "source/listener.h"
#include "source/process.h"
#include "source/proxy.h"

#define NEEDS_OF_ANSWER (NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CGROUP)
#define ANCESTORS_MAX 32
#define RELAYS_MAX 3 /* rootlesskit to docker-proxy to the container */

struct answering {
	struct host *host;
	struct snapshot *snapshot;
	struct docker docker;
	struct places places;
};

static uint32_t find_container(struct snapshot *snapshot, enum engine engine, const char *id)
{
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *known = snapshot_container(snapshot, i);
		if (known->engine == engine && strcmp(known->id, id) == 0)
			return i;
	}
	const char *kept = arena_intern_string(&snapshot->arena, id);
	struct container *added = kept ? vector_add(&snapshot->containers) : NULL;
	if (!added)
		return NONE;
	*added = (struct container){.id = kept, .engine = (uint8_t)engine};
	return snapshot->containers.n - 1;
}

/* The container of a process of podman or CRI-O, by either's name. */
static uint32_t find_conmons(struct snapshot *snapshot, const char *id)
{
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *known = snapshot_container(snapshot, i);
		if ((known->engine == ENGINE_PODMAN || known->engine == ENGINE_CRIO) &&
		    strcmp(known->id, id) == 0)
			return i;
	}
	return find_container(snapshot, ENGINE_PODMAN, id);
}

static int set_name(struct snapshot *snapshot, uint32_t index, const char *name)
{
	struct container *container = vector_at(&snapshot->containers, index);
	if (container->name || !name[0])
		return 0;
	container->name = arena_intern_string(&snapshot->arena, name);
	return container->name ? 0 : -ENOMEM;
}

/* ---- processes ---- */

/* The parent's pid, and what the process is called at @name of 64 bytes. 0: it is gone. */
static int32_t read_parent(struct host *host, int32_t pid, char *name)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	if (n <= 0 || process_parse_stat(text, (size_t)n, &stat) < 0)
		return 0;
	snprintf(name, 64, "%.*s", (int)stat.n_name, stat.name);
	return stat.ppid;
}

static bool descends(struct host *host, int32_t pid, int32_t ancestor)
{
	char name[64];
	for (unsigned depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		if (pid == ancestor)
			return true;
		pid = read_parent(host, pid, name);
	}
	return false;
}

static uint32_t process_index(struct snapshot *snapshot, int32_t pid)
{
	for (uint32_t i = 0; i < snapshot->processes.n; i++)
		if (snapshot_process(snapshot, i)->pid == pid)
			return i;
	struct process *added = vector_add(&snapshot->processes);
	if (!added)
		return NONE;
	*added = (struct process){.pid = pid, .container = NONE, .parent = NONE, .netns = NONE};
	return snapshot->processes.n - 1;
}

/* The process at @index is told of in an answer: what it takes to name it is read. */
static int name_process(struct answering *with, uint32_t index)
{
	struct process process = *snapshot_process(with->snapshot, index);
	uint32_t needs = 0;
	if (!(process.known & KNOWN_STAT))
		needs |= NEED_STAT;
	if (!(process.known & KNOWN_EXE))
		needs |= NEED_EXE;
	if (!(process.known & KNOWN_CMDLINE))
		needs |= NEED_CMDLINE;
	if (!(process.known & KNOWN_CGROUP))
		needs |= NEED_CGROUP;
	if (!needs || process.known & KNOWN_GONE)
		return 0;
	int r = process_read(with->host, process.pid, needs, with->snapshot, &process);
	*(struct process *)vector_at(&with->snapshot->processes, index) = process;
	return r;
}

/* ---- names ---- */

static int name_docker(struct answering *with, uint32_t index)
{
	struct docker_container found;
	if (!docker_find(&with->docker, snapshot_container(with->snapshot, index)->id, &found))
		return 0;
	return set_name(with->snapshot, index, found.name);
}

/* Its monitor is an ancestor of each process of a container, and was given the name. */
static int name_by_conmon(struct answering *with, uint32_t index, int32_t pid)
{
	char name[64], text[4096];
	struct proxy proxy;
	for (unsigned depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		int32_t parent = read_parent(with->host, pid, name);
		if (strcmp(name, "conmon") != 0 || !parent) {
			pid = parent;
			continue;
		}
		ssize_t n = host_read(with->host, text, sizeof(text), "proc/%d/cmdline", pid);
		for (ssize_t i = 0; i < n - 1; i++)
			text[i] = text[i] ? text[i] : ' ';
		if (n > 0 && proxy_parse(name, text, PROTO_TCP, 0, &proxy))
			return set_name(with->snapshot, index, proxy.name);
		return 0;
	}
	return 0;
}

static int name_containers(struct answering *with)
{
	struct snapshot *snapshot = with->snapshot;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->containers.n; i++)
		if (snapshot_container(snapshot, i)->engine == ENGINE_DOCKER &&
		    !snapshot_container(snapshot, i)->name)
			r = name_docker(with, i);
	for (uint32_t i = 0; r >= 0 && i < snapshot->processes.n; i++) {
		const struct process *process = snapshot_process(snapshot, i);
		const struct container *container =
			snapshot_container(snapshot, process->container);
		if (container && !container->name &&
		    (container->engine == ENGINE_PODMAN || container->engine == ENGINE_CRIO))
			r = name_by_conmon(with, process->container, process->pid);
	}
	return r;
}

/* A namespace that has no name is its container's: of the first of its sockets whose holder is in
 * one. */
static int name_namespaces(struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		if (!holder || socket->netns == NONE)
			continue;
		struct netns *netns = vector_at(&snapshot->netns, socket->netns);
		const struct container *container = snapshot_container(
			snapshot, snapshot_process(snapshot, holder->process)->container);
		if (!container || netns->name || netns->is_self || netns->is_initial)
			continue;
		char name[300];
		const char *word = container->name ? container->name : container->id;
		snprintf(name, sizeof(name), "%s:%.*s", engine_words[container->engine],
			 container->name ? 128 : 12, word);
		netns->name = arena_intern_string(&snapshot->arena, name);
		if (!netns->name)
			return -ENOMEM;
	}
	return 0;
}

/* ---- published ports ---- */

/* Where a proxy sends what comes: to which namespace and port. */
struct aim {
	uint64_t netns;	    /* inode, or 0 */
	uint32_t container; /* index, or NONE */
	uint16_t port;	    /* or 0 */
};

static uint64_t netns_of_path(struct host *host, int32_t pid, const char *path)
{
	char under[512];
	struct stat status;
	if (path[0] != '/')
		return 0;
	/* as the proxy sees it, or, where it has left its mounts behind, as we do */
	snprintf(under, sizeof(under), "%d/root%s", pid, path);
	if (fstatat(host->proc, under, &status, 0) < 0 &&
	    fstatat(host->root, path + 1, &status, 0) < 0)
		return 0;
	return status.st_ino;
}

/* The namespace of the first descendant of @pid that is in another one than @besides. */
static uint64_t netns_of_descendant(struct answering *with, int32_t pid, uint64_t besides)
{
	if (places_read(&with->places) < 0)
		return 0;
	for (uint32_t i = 0; i < with->places.processes.n; i++) {
		const struct place *place = vector_at(&with->places.processes, i);
		if (place->netns != besides && descends(with->host, place->pid, pid))
			return place->netns;
	}
	return 0;
}

/* The namespace that has the address, where Docker's records may not be read. */
static uint64_t netns_with_address(const struct snapshot *snapshot, const struct ip *ip,
				   uint64_t besides)
{
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		for (uint32_t k = 0; netns->inode != besides && k < netns->n_addresses; k++)
			if (ip_equal(&netns->addresses[k].ip, ip))
				return netns->inode;
	}
	return 0;
}

static int aim_docker(struct answering *with, const struct proxy *proxy, uint16_t port,
		      uint64_t besides, struct aim *ret)
{
	struct docker_container found;
	if (!docker_find_published(&with->docker, &proxy->ip, port, &found)) {
		ret->netns = netns_with_address(with->snapshot, &proxy->ip, besides);
		return 0;
	}
	ret->netns = listener_netns(with->host, found.pid);
	ret->container = find_container(with->snapshot, ENGINE_DOCKER, found.id);
	return ret->container == NONE ? -ENOMEM
				      : set_name(with->snapshot, ret->container, found.name);
}

static int aim_conmon(struct answering *with, const struct proxy *proxy, int32_t pid,
		      uint64_t besides, struct aim *ret)
{
	if (!proxy->id[0])
		return 0;
	ret->container = find_conmons(with->snapshot, proxy->id);
	ret->netns = netns_of_descendant(with, pid, besides);
	return ret->container == NONE ? -ENOMEM
				      : set_name(with->snapshot, ret->container, proxy->name);
}

/* 0, -ENOENT: @process is no proxy, -ENOMEM. */
static int aim_of(struct answering *with, const struct process *process, enum proto proto,
		  uint16_t port, uint64_t besides, struct aim *ret)
{
	struct proxy proxy;
	*ret = (struct aim){.container = NONE};
	if (!process->name || !proxy_parse(process->name, process->cmdline ? process->cmdline : "",
					   proto, port, &proxy))
		return -ENOENT;
	ret->port = proxy.port;
	switch (proxy.kind) {
	case PROXY_DOCKER:
		return proxy.has_ip ? aim_docker(with, &proxy, port, besides, ret) : 0;
	case PROXY_CONMON:
		return aim_conmon(with, &proxy, process->pid, besides, ret);
	case PROXY_NAMESPACE:
		ret->netns = proxy.netns[0] ? netns_of_path(with->host, process->pid, proxy.netns)
					    : listener_netns(with->host, proxy.pid);
		if (!ret->netns || ret->netns == besides) /* it started the command itself */
			ret->netns = netns_of_descendant(with, process->pid, besides);
		return 0;
	case PROXY_PARENT:
		ret->netns = netns_of_descendant(with, process->pid, besides);
		return 0;
	default:
		return 0;
	}
}

/* The holder of the open socket at the place that @aim says, or NONE. */
static int find_process(struct answering *with, enum proto proto, uint16_t likely,
			const struct aim *aim, uint32_t *ret)
{
	struct snapshot *snapshot = with->snapshot;
	*ret = NONE;
	if (!aim->netns)
		return 0;
	for (uint32_t i = 0; aim->port && i < snapshot->sockets.n && *ret == NONE; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		if (holder && netns && netns->inode == aim->netns && socket->proto == proto &&
		    socket->local_port == aim->port && socket_is_open(socket))
			*ret = holder->process;
	}
	if (*ret == NONE) { /* the snapshot was asked for another port, or the port is not known */
		int32_t pid = listener_find(&with->places, aim->netns, proto, aim->port, likely);
		if (!pid)
			return 0;
		*ret = process_index(snapshot, pid);
		if (*ret == NONE)
			return -ENOMEM;
	}
	return name_process(with, *ret);
}

/* Of the holders the one that is a proxy: what it started may hold the socket too. */
static int find_proxy(struct answering *with, const struct socket *socket, uint64_t inside,
		      uint32_t *ret, struct aim *ret_aim)
{
	const struct snapshot *snapshot = with->snapshot;
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		*ret = holder->process;
		int r = aim_of(with, snapshot_process(snapshot, holder->process), socket->proto,
			       socket->local_port, inside, ret_aim);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

static int answer_socket(struct answering *with, uint32_t index)
{
	struct snapshot *snapshot = with->snapshot;
	const struct socket *socket = snapshot_socket(snapshot, index);
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	if (!socket_is_open(socket))
		return 0;

	struct aim aim;
	uint32_t proxy = NONE, process, container = NONE;
	uint16_t port = socket->local_port;
	int r = find_proxy(with, socket, netns ? netns->inode : 0, &proxy, &aim);
	process = proxy;
	for (unsigned relay = 0; r >= 0 && relay < RELAYS_MAX; relay++) {
		uint32_t next;
		r = find_process(with, socket->proto, port, &aim, &next);
		if (r < 0)
			return r;
		container = aim.container != NONE ? aim.container : container;
		if (next == NONE)
			break;
		process = next;
		port = aim.port ? aim.port : port;
		r = aim_of(with, snapshot_process(snapshot, process), socket->proto, port,
			   aim.netns, &aim);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	if (process == proxy)
		process = NONE;
	if (container == NONE && process != NONE)
		container = snapshot_process(snapshot, process)->container;
	if (process == NONE && container == NONE)
		return 0;
	struct answer_for *answer = vector_add(&snapshot->answers);
	if (!answer)
		return -ENOMEM;
	*answer = (struct answer_for){.socket = index, .container = container, .process = process};
	return 0;
}

int containers_answer(struct host *host, struct snapshot *snapshot, struct error *err)
{
	struct answering with = {.host = host, .snapshot = snapshot};
	docker_init(&with.docker, host);
	places_init(&with.places, host);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = answer_socket(&with, i);
	if (r >= 0 && snapshot->containers.n) {
		r = name_containers(&with);
		if (r >= 0)
			r = name_namespaces(snapshot);
	}
	places_done(&with.places);
	return r < 0 ? error_set(err, r, "name the containers") : 0;
}
