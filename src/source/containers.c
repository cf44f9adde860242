/* Names of containers, and to which one a published port belongs. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "source/containers.h"
#include "source/proc.h"

#define CONFIG_MAX (4 << 20)
#define ROOT_MAX 512

/* The word behind " @option " or "@option=" in a command line, at @to. False: it is not there. */
static bool option_of(const char *cmdline, const char *option, char *to, size_t size)
{
	size_t n = strlen(option);
	for (const char *at = cmdline; at && (at = strstr(at, option)); at += n) {
		if (at > cmdline && at[-1] != ' ')
			continue;
		if (at[n] != ' ' && at[n] != '=')
			continue;
		snprintf(to, size, "%.*s", (int)strcspn(at + n + 1, " "), at + n + 1);
		return to[0] != '\0';
	}
	return false;
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

/* ---- names ---- */

/* The command lines of the processes called @name, one after another, until @each says no. */
static void each_process_named(struct host *host, const char *name,
			       bool (*each)(void *data, const char *cmdline), void *data)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	if (proc_pids(host, &pids) < 0)
		return;
	for (uint32_t i = 0; i < pids.n; i++) {
		char text[4096];
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/comm", pid);
		if (n <= 0 || strncmp(text, name, strlen(name)) != 0 || text[strlen(name)] != '\n')
			continue;
		n = host_read(host, text, sizeof(text), "proc/%d/cmdline", pid);
		for (ssize_t k = 0; k < n - 1; k++)
			text[k] = text[k] ? text[k] : ' ';
		if (n > 0 && !each(data, text))
			return;
	}
}

static bool take_data_root(void *data, const char *cmdline)
{
	return !option_of(cmdline, "--data-root", data, ROOT_MAX) &&
	       !option_of(cmdline, "-g", data, ROOT_MAX);
}

static void find_docker_root(struct host *host, char root[ROOT_MAX])
{
	snprintf(root, ROOT_MAX, "/var/lib/docker");
	cleanup(freep) char *text = NULL;
	if (host_read_all(host, &text, CONFIG_MAX, "etc/docker/daemon.json") > 0) {
		json_t *config = json_loads(text, 0, NULL);
		const char *set = json_string_value(json_object_get(config, "data-root"));
		if (set && set[0] == '/')
			snprintf(root, ROOT_MAX, "%s", set);
		json_decref(config);
	}
	each_process_named(host, "dockerd", take_data_root, root);
}

static int name_docker(struct host *host, struct snapshot *snapshot)
{
	char root[ROOT_MAX] = "";
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		struct container *container = vector_at(&snapshot->containers, i);
		if (container->engine != ENGINE_DOCKER || container->name)
			continue;
		if (!root[0])
			find_docker_root(host, root);
		cleanup(freep) char *text = NULL;
		if (host_read_all(host, &text, CONFIG_MAX, "%s/containers/%s/config.v2.json",
				  root + (root[0] == '/'), container->id) <= 0)
			continue;
		json_t *config = json_loads(text, 0, NULL);
		const char *name = json_string_value(json_object_get(config, "Name"));
		if (name)
			container->name =
				arena_intern_string(&snapshot->arena, name + (name[0] == '/'));
		json_decref(config);
		if (name && !container->name)
			return -ENOMEM;
	}
	return 0;
}

static bool take_conmon(void *data, const char *cmdline)
{
	struct snapshot *snapshot = data;
	char id[256], name[256];
	if (!option_of(cmdline, "-c", id, sizeof(id)) ||
	    !option_of(cmdline, "-n", name, sizeof(name)))
		return true;
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		struct container *container = vector_at(&snapshot->containers, i);
		bool is_conmons =
			container->engine == ENGINE_PODMAN || container->engine == ENGINE_CRIO;
		if (is_conmons && !container->name && strcmp(container->id, id) == 0)
			container->name = arena_intern_string(&snapshot->arena, name);
	}
	return true;
}

static void name_podman(struct host *host, struct snapshot *snapshot)
{
	bool is_wanted = false;
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *container = snapshot_container(snapshot, i);
		is_wanted |=
			(container->engine == ENGINE_PODMAN || container->engine == ENGINE_CRIO) &&
			!container->name;
	}
	if (is_wanted)
		each_process_named(host, "conmon", take_conmon, snapshot);
}

/* ---- published ports ---- */

/* Where a proxy sends what comes. */
struct aim {
	uint32_t netns;	    /* index, or NONE */
	uint32_t container; /* index, or NONE */
	bool has_ip;
	struct ip ip;
	uint16_t port;
	int32_t ancestor; /* of the process that answers, or 0 */
};

static uint32_t netns_with_address(const struct snapshot *snapshot, const struct ip *ip,
				   uint32_t besides)
{
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		for (uint32_t k = 0; i != besides && k < netns->n_addresses; k++)
			if (ip_equal(&netns->addresses[k].ip, ip))
				return i;
	}
	return NONE;
}

static uint32_t netns_of_pid(struct host *host, const struct snapshot *snapshot, const char *pid)
{
	char link[64];
	uint64_t inode;
	uint32_t number;
	if (number_u32(pid, 1, INT32_MAX, &number) < 0 ||
	    host_readlink(host, link, sizeof(link), "proc/%u/ns/net", number) < 0)
		return NONE;
	const char *at = link + strlen("net:[");
	if (number_scan(&at, link + strlen(link), 10, &inode) < 0)
		return NONE;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->inode == inode)
			return i;
	return NONE;
}

static const char *last_number(const char *cmdline)
{
	const char *found = NULL;
	for (const char *at = cmdline; *at; at++)
		if ((at == cmdline || at[-1] == ' ') && *at >= '1' && *at <= '9')
			found = at;
	return found;
}

/* False: @process is no proxy. */
static bool aim_of(struct host *host, struct snapshot *snapshot, const struct process *process,
		   const struct socket *socket, struct aim *ret)
{
	char word[256];
	const char *name = process->name ? process->name : "",
		   *cmdline = process->cmdline ? process->cmdline : "";
	*ret = (struct aim){.netns = NONE, .container = NONE, .port = socket->local_port};
	if (strcmp(name, "docker-proxy") == 0) {
		bool is_v4;
		if (option_of(cmdline, "-container-port", word, sizeof(word)))
			number_u16(word, &ret->port);
		if (option_of(cmdline, "-container-ip", word, sizeof(word)) &&
		    ip_parse(word, strlen(word), &ret->ip, &is_v4) == 0) {
			ret->has_ip = true;
			ret->netns = netns_with_address(snapshot, &ret->ip, socket->netns);
		}
		return true;
	}
	if (strcmp(name, "conmon") == 0) {
		if (option_of(cmdline, "-c", word, sizeof(word)))
			ret->container = find_container(snapshot, ENGINE_PODMAN, word);
		ret->port = 0;
		return true;
	}
	if (strncmp(name, "slirp4netns", 11) == 0 || strncmp(name, "pasta", 5) == 0) {
		const char *pid = last_number(cmdline);
		snprintf(word, sizeof(word), "%.*s", pid ? (int)strspn(pid, "0123456789") : 0,
			 pid ? pid : "");
		ret->netns = netns_of_pid(host, snapshot, word);
		return true;
	}
	if (strncmp(name, "rootlesskit", 11) == 0 || strncmp(name, "rootlessport", 12) == 0) {
		ret->ancestor = process->pid;
		ret->port = 0;
		return true;
	}
	return false;
}

static bool descends(struct host *host, int32_t pid, int32_t ancestor)
{
	for (unsigned depth = 0; pid > 1 && depth < 32; depth++) {
		char text[1024];
		if (pid == ancestor)
			return true;
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
		const char *at = n > 0 ? strrchr(text, ')') : NULL;
		uint64_t ppid;
		if (!at || strlen(at) < 4)
			return false;
		at += 4;
		if (number_scan(&at, text + n, 10, &ppid) < 0)
			return false;
		pid = (int32_t)ppid;
	}
	return false;
}

/* The process at the place that @aim says; of several sockets the one with the proxy's own number.
 */
static uint32_t answering_process(struct host *host, const struct snapshot *snapshot,
				  const struct socket *proxy, const struct aim *aim)
{
	uint32_t found = NONE;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		if (!holder || socket->netns == proxy->netns || socket->proto != proxy->proto ||
		    !socket_is_open(socket) || (aim->port && socket->local_port != aim->port))
			continue;
		const struct process *process = snapshot_process(snapshot, holder->process);
		bool is_there = aim->netns != NONE	 ? socket->netns == aim->netns
				: aim->container != NONE ? process->container == aim->container
				: aim->ancestor ? descends(host, process->pid, aim->ancestor)
						: false;
		if (!is_there)
			continue;
		if (found == NONE || socket->local_port == proxy->local_port)
			found = holder->process;
	}
	return found;
}

static int answer_socket(struct host *host, struct snapshot *snapshot, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	struct aim aim;
	if (!holder || !socket_is_open(socket) ||
	    !aim_of(host, snapshot, snapshot_process(snapshot, holder->process), socket, &aim))
		return 0;
	uint32_t process = answering_process(host, snapshot, socket, &aim);
	if (aim.container == NONE && process != NONE)
		aim.container = snapshot_process(snapshot, process)->container;
	if (process == NONE && aim.container == NONE)
		return 0;
	struct answer_for *answer = vector_add(&snapshot->answers);
	if (!answer)
		return -ENOMEM;
	*answer = (struct answer_for){
		.socket = index, .container = aim.container, .process = process};
	return 0;
}

int containers_answer(struct host *host, struct snapshot *snapshot, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = answer_socket(host, snapshot, i);
	if (r >= 0 && snapshot->containers.n) {
		r = name_docker(host, snapshot);
		name_podman(host, snapshot);
	}
	return r < 0 ? error_set(err, r, "name the containers") : 0;
}
