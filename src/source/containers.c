/* Names of containers, and to which one a published port belongs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source/container-name.h"
#include "source/containers.h"
#include "source/descent.h"
#include "source/listener.h"
#include "source/podman.h"
#include "source/process.h"
#include "source/proxy.h"

#define RELAYS_MAX 3 /* rootlesskit to docker-proxy to the container */

struct answering {
	struct host *host;
	struct snapshot *snapshot;
	const struct bounds *bounds; /* what the snapshot was asked for */
	struct docker docker;
	struct podman podman;
	struct descent descent;
	struct places places;
	struct vector open; /* uint32_t: the sockets that are open and held by a process */
};

/* ---- what is in the snapshot ---- */

static int index_open(struct answering *with)
{
	const struct snapshot *snapshot = with->snapshot;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!socket_is_open(socket) || socket->holder == NONE || socket->netns == NONE)
			continue;
		uint32_t *added = vector_add(&with->open);
		if (!added)
			return -ENOMEM;
		*added = i;
	}
	return 0;
}

static bool is_in(const struct snapshot *snapshot, const struct socket *socket, uint64_t netns)
{
	return snapshot_netns(snapshot, socket->netns)->inode == netns;
}

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

#define NEEDS_OF_ANSWER (NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CGROUP)

/* What it takes to tell of the process at @index is read, where that is not known yet. */
static int name_process(struct answering *with, uint32_t index, uint32_t needs)
{
	static const struct {
		uint32_t known, needs;
	} told[] = {
		{KNOWN_STAT, NEED_STAT},
		{KNOWN_EXE, NEED_EXE},
		{KNOWN_CMDLINE, NEED_CMDLINE},
		{KNOWN_CGROUP, NEED_CGROUP},
	};
	struct process process = *snapshot_process(with->snapshot, index);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (process.known & told[i].known)
			needs &= ~told[i].needs;
	if (!needs || process.known & KNOWN_GONE)
		return 0;
	int r = process_read(with->host, process.pid, needs, with->snapshot, &process);
	*(struct process *)vector_at(&with->snapshot->processes, index) = process;
	return r;
}

/* ---- names ---- */

static int name_container(struct answering *with, uint32_t index, int32_t pid)
{
	char name[CONTAINER_NAME_MAX];
	const struct container *container = snapshot_container(with->snapshot, index);
	if (container->name ||
	    !container_name(&with->docker, container->engine, container->id, pid, name))
		return 0;
	return set_name(with->snapshot, index, name);
}

static int name_containers(struct answering *with)
{
	struct snapshot *snapshot = with->snapshot;
	cleanup(freep) bool *tried = calloc(snapshot->containers.n + 1, sizeof(*tried));
	if (!tried)
		return -ENOMEM;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->processes.n; i++) {
		const struct process *process = snapshot_process(snapshot, i);
		if (process->container == NONE || tried[process->container])
			continue;
		tried[process->container] = true;
		r = name_container(with, process->container, process->pid);
	}
	for (uint32_t i = 0; r >= 0 && i < snapshot->containers.n; i++)
		if (!tried[i] && snapshot_container(snapshot, i)->engine == ENGINE_DOCKER)
			r = name_container(with, i, 0);
	return r;
}

/* "netns-08ed00dd-20a7-39ba-442c-faeacdb15190" of Podman, "cni-..." of containerd: a number that
 * nobody chose. */
static bool is_made_name(const char *name)
{
	static const char *const before[] = {"netns-", "cni-"};
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		size_t n = strlen(before[i]);
		if (strncmp(name, before[i], n) == 0 && strlen(name + n) == 36 &&
		    strspn(name + n, "0123456789abcdef-") == 36)
			return true;
	}
	return false;
}

bool containers_may_name(const struct netns *netns)
{
	return (!netns->name || is_made_name(netns->name)) && !netns->is_self && !netns->is_initial;
}

static int name_namespace(struct answering *with, uint32_t index, uint32_t process)
{
	struct snapshot *snapshot = with->snapshot;
	int r = name_process(with, process, NEED_CGROUP);
	const struct container *container =
		snapshot_container(snapshot, snapshot_process(snapshot, process)->container);
	if (r < 0 || !container)
		return r;
	r = name_container(with, snapshot_process(snapshot, process)->container,
			   snapshot_process(snapshot, process)->pid);
	char name[300];
	const char *word = container->name ? container->name : container->id;
	snprintf(name, sizeof(name), "%s:%.*s", engine_words[container->engine],
		 container->name ? 128 : 12, word);
	struct netns *netns = vector_at(&snapshot->netns, index);
	netns->name = arena_intern_string(&snapshot->arena, name);
	return netns->name ? r : -ENOMEM;
}

/* A namespace to which nobody gave a name is its container's: of the first of its sockets whose
 * holder is in one. */
static int name_namespaces(struct answering *with)
{
	const struct snapshot *snapshot = with->snapshot;
	uint32_t left = 0;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		left += containers_may_name(snapshot_netns(snapshot, i));
	for (uint32_t i = 0; left && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		if (!holder || socket->netns == NONE ||
		    !containers_may_name(snapshot_netns(snapshot, socket->netns)))
			continue;
		int r = name_namespace(with, socket->netns, holder->process);
		if (r < 0)
			return r;
		left -= !containers_may_name(snapshot_netns(snapshot, socket->netns));
	}
	return 0;
}

/* ---- published ports ---- */

/* Where a proxy sends what comes: to which namespace and port. */
struct aim {
	uint64_t netns;	    /* inode, or 0 */
	int32_t pid;	    /* of a process there, or 0 */
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

struct elsewhere {
	const struct host *host;
	uint64_t besides, netns;
};

static bool is_elsewhere(void *data, int32_t pid)
{
	struct elsewhere *sought = data;
	sought->netns = listener_netns(sought->host, pid);
	return sought->netns && sought->netns != sought->besides;
}

/* To the first descendant of @pid that is in another namespace than @besides. */
static void aim_descendant(struct answering *with, int32_t pid, uint64_t besides, struct aim *ret)
{
	struct elsewhere sought = {.host = with->host, .besides = besides};
	ret->pid = descent_find(&with->descent, pid, is_elsewhere, &sought);
	ret->netns = ret->pid ? sought.netns : 0;
}

/* The only namespace that has the address, NONE where there is none or a second. */
static uint32_t netns_with_address(const struct snapshot *snapshot, const struct ip *ip,
				   uint64_t besides)
{
	uint32_t found = NONE;
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		bool has_it = false;
		for (uint32_t k = 0; netns->inode != besides && k < netns->n_addresses; k++)
			has_it |= ip_equal(&netns->addresses[k].ip, ip);
		if (has_it && found != NONE)
			return NONE;
		found = has_it ? i : found;
	}
	return found;
}

/* The container of Docker that holds a socket in the namespace, or NONE. */
static uint32_t container_in(const struct answering *with, uint32_t netns)
{
	const struct snapshot *snapshot = with->snapshot;
	for (uint32_t i = 0; netns != NONE && i < with->open.n; i++) {
		const struct socket *socket =
			snapshot_socket(snapshot, *(uint32_t *)vector_at(&with->open, i));
		if (socket->netns != netns)
			continue;
		uint32_t index = snapshot_holder(snapshot, socket->holder)->process;
		index = snapshot_process(snapshot, index)->container;
		if (index != NONE && snapshot_container(snapshot, index)->engine == ENGINE_DOCKER)
			return index;
	}
	return NONE;
}

/* By the address that the proxy sends to, which one namespace has; else by Docker's records. */
static int aim_docker(struct answering *with, const struct proxy *proxy, int32_t engine,
		      uint16_t port, uint64_t besides, struct aim *ret)
{
	struct docker_container found;
	uint32_t netns = netns_with_address(with->snapshot, &proxy->ip, besides);
	if (netns != NONE)
		ret->netns = snapshot_netns(with->snapshot, netns)->inode;
	if (engine > 1)
		docker_add_engine(&with->docker, engine);
	ret->container = container_in(with, netns);
	if (ret->container != NONE ||
	    !docker_find_published(&with->docker, &proxy->ip, port, &found))
		return 0;
	ret->pid = found.pid;
	ret->netns = listener_netns(with->host, found.pid);
	ret->container = find_container(with->snapshot, ENGINE_DOCKER, found.id);
	return ret->container == NONE ? -ENOMEM
				      : set_name(with->snapshot, ret->container, found.name);
}

static int aim_conmon(struct answering *with, const struct proxy *proxy, int32_t pid,
		      enum proto proto, uint16_t port, uint64_t besides, struct aim *ret)
{
	if (!proxy->id[0])
		return 0;
	ret->container = find_conmons(with->snapshot, proxy->id);
	ret->port = podman_port(&with->podman, pid, proxy->bundle, proxy->id, proto, port);
	aim_descendant(with, pid, besides, ret);
	return ret->container == NONE ? -ENOMEM
				      : set_name(with->snapshot, ret->container, proxy->name);
}

static void aim_namespace(struct answering *with, const struct proxy *proxy, int32_t pid,
			  uint64_t besides, struct aim *ret)
{
	ret->pid = proxy->netns[0] ? 0 : proxy->pid;
	ret->netns = proxy->netns[0] ? netns_of_path(with->host, pid, proxy->netns)
				     : listener_netns(with->host, proxy->pid);
	if (!ret->netns || ret->netns == besides) /* it started the command itself */
		aim_descendant(with, pid, besides, ret);
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
		return proxy.has_ip ? aim_docker(with, &proxy, process->ppid, port, besides, ret)
				    : 0;
	case PROXY_CONMON:
		return aim_conmon(with, &proxy, process->pid, proto, port, besides, ret);
	case PROXY_NAMESPACE:
		aim_namespace(with, &proxy, process->pid, besides, ret);
		return 0;
	case PROXY_PARENT:
		aim_descendant(with, process->pid, besides, ret);
		return 0;
	default:
		return 0;
	}
}

/* The holder of the open socket there in the snapshot; where no port is said, of the likely one, or
 * of the only one that is open there. */
static uint32_t process_at(const struct answering *with, enum proto proto, uint16_t likely,
			   const struct aim *aim)
{
	const struct snapshot *snapshot = with->snapshot;
	bool is_whole = with->bounds->port_first == 0 && with->bounds->port_last == UINT16_MAX;
	uint32_t only = NONE;
	uint16_t port = 0;
	for (uint32_t i = 0; i < with->open.n; i++) {
		const struct socket *socket =
			snapshot_socket(snapshot, *(uint32_t *)vector_at(&with->open, i));
		if (socket->proto != proto || !is_in(snapshot, socket, aim->netns))
			continue;
		uint32_t process = snapshot_holder(snapshot, socket->holder)->process;
		if (socket->local_port == (aim->port ? aim->port : likely))
			return process;
		only = port && port != socket->local_port ? NONE : process;
		port = socket->local_port;
	}
	return is_whole && !aim->port ? only : NONE;
}

/* The holder of the open socket at the place that @aim says, or NONE. */
static int find_process(struct answering *with, enum proto proto, uint16_t likely,
			const struct aim *aim, uint32_t *ret)
{
	*ret = NONE;
	if (!aim->netns)
		return 0;
	*ret = process_at(with, proto, likely, aim);
	if (*ret == NONE) { /* the snapshot was asked for another port, or the port is not known */
		int32_t pid = listener_find(&with->places, &with->descent, aim->netns, aim->pid,
					    proto, aim->port, likely);
		if (!pid)
			return 0;
		*ret = process_index(with->snapshot, pid);
		if (*ret == NONE)
			return -ENOMEM;
	}
	return name_process(with, *ret, NEEDS_OF_ANSWER);
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

static int answer_all(struct answering *with)
{
	int r = index_open(with);
	uint32_t n = with->open.n;
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		r = answer_socket(with, *(uint32_t *)vector_at(&with->open, i));
	return r >= 0 && with->snapshot->containers.n ? name_containers(with) : r;
}

int containers_answer(struct host *host, const struct query *query, struct snapshot *snapshot,
		      struct error *err)
{
	struct answering with = {.host = host, .snapshot = snapshot, .bounds = &query->bounds};
	docker_init(&with.docker, host);
	podman_init(&with.podman, host);
	descent_init(&with.descent, host);
	places_init(&with.places, host);
	vector_init(&with.open, sizeof(uint32_t));
	int r = query->needs & NEED_ANSWERS ? answer_all(&with) : 0;
	if (r >= 0)
		r = name_namespaces(&with);
	vector_done(&with.open);
	places_done(&with.places);
	descent_done(&with.descent);
	podman_done(&with.podman);
	docker_done(&with.docker);
	return r < 0 ? error_set(err, r, "name the containers") : 0;
}
