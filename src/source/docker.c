/* Docker's own records of its containers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "base/vector.h"
#include "source/docker.h"
#include "source/proc.h"

#define CONFIG_MAX (4 << 20)
#define CONTAINERS_MAX 16384

static void keep_address(struct docker_container *ret, const json_t *text)
{
	const char *address = json_string_value(text);
	bool is_v4;
	if (address && address[0] && ret->n_addresses < ARRAY_SIZE(ret->addresses) &&
	    ip_parse(address, strlen(address), &ret->addresses[ret->n_addresses], &is_v4) == 0)
		ret->n_addresses++;
}

static void keep_port(struct docker_container *ret, const json_t *text)
{
	const char *port = json_string_value(text);
	if (port && ret->n_ports < ARRAY_SIZE(ret->ports) &&
	    number_u16(port, &ret->ports[ret->n_ports]) == 0)
		ret->n_ports++;
}

int docker_parse(const char *text, struct docker_container *ret)
{
	json_t *config = json_loads(text, 0, NULL);
	const char *id = json_string_value(json_object_get(config, "ID")),
		   *name = json_string_value(json_object_get(config, "Name"));
	*ret = (struct docker_container){0};
	if (!id) {
		json_decref(config);
		return -EBADMSG;
	}
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	if (name)
		snprintf(ret->name, sizeof(ret->name), "%s", name + (name[0] == '/'));

	const json_t *state = json_object_get(config, "State");
	if (json_is_true(json_object_get(state, "Running")))
		ret->pid = (int32_t)json_integer_value(json_object_get(state, "Pid"));

	json_t *settings = json_object_get(config, "NetworkSettings"), *network, *bindings;
	json_t *networks = json_object_get(settings, "Networks"),
	       *ports = json_object_get(settings, "Ports");
	const char *key;
	json_object_foreach(networks, key, network)
	{
		keep_address(ret, json_object_get(network, "IPAddress"));
		keep_address(ret, json_object_get(network, "GlobalIPv6Address"));
	}
	json_object_foreach(ports, key, bindings) for (size_t i = 0; i < json_array_size(bindings);
						       i++)
		keep_port(ret, json_object_get(json_array_get(bindings, i), "HostPort"));
	json_decref(config);
	return 0;
}

static void add_root(struct docker *docker, const char *before, const char *root)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s%s", before, root + (root[0] == '/'));
	if (n < 0 || (size_t)n >= sizeof(path) || docker->n_roots == DOCKER_ROOTS_MAX)
		return;
	for (unsigned i = 0; i < docker->n_roots; i++)
		if (strcmp(docker->roots[i], path) == 0)
			return;
	memcpy(docker->roots[docker->n_roots++], path, sizeof(path));
}

/* The value of the argument @option among NUL-separated ones, or of its environment. */
static const char *value_of(const char *words, size_t n, const char *option, bool is_variable)
{
	size_t length = strlen(option);
	for (const char *at = words, *end = words + n; at < end; at += strlen(at) + 1) {
		if (strncmp(at, option, length) != 0)
			continue;
		if (at[length] == '=')
			return at + length + 1;
		if (!is_variable && at[length] == '\0' && at + length + 1 < end)
			return at + length + 1;
	}
	return NULL;
}

/* Its data, seen from within its own mounts. */
void docker_add_engine(struct docker *docker, int32_t pid)
{
	char text[8192], before[64], root[512];
	ssize_t n = host_read(docker->host, text, sizeof(text), "proc/%d/comm", pid);
	if (n <= 0 || strcmp(text, "dockerd\n") != 0)
		return;
	snprintf(before, sizeof(before), "proc/%d/root/", pid);
	n = host_read(docker->host, text, sizeof(text), "proc/%d/cmdline", pid);
	const char *named = n > 0 ? value_of(text, (size_t)n, "--data-root", false) : NULL;
	if (n > 0 && !named)
		named = value_of(text, (size_t)n, "-g", false);
	if (named) {
		add_root(docker, before, named);
		return;
	}
	add_root(docker, before, "/var/lib/docker");
	/* a rootless engine keeps its data with its user's */
	n = host_read(docker->host, text, sizeof(text), "proc/%d/environ", pid);
	named = n > 0 ? value_of(text, (size_t)n, "HOME", true) : NULL;
	if (named) {
		snprintf(root, sizeof(root), "%s/.local/share/docker", named);
		add_root(docker, before, root);
	}
}

static void search_engines(struct docker *docker)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	docker->is_searched = true;
	if (proc_pids(docker->host, &pids) < 0)
		return;
	for (uint32_t i = 0; i < pids.n; i++)
		docker_add_engine(docker, *(int32_t *)vector_at(&pids, i));
}

void docker_init(struct docker *docker, struct host *host)
{
	*docker = (struct docker){.host = host};
	vector_init(&docker->configs, sizeof(struct docker_container));
}

/* The usual place, and the engine that says its pid in the usual file. */
static void look_up_roots(struct docker *docker)
{
	cleanup(freep) char *text = NULL;
	json_t *config = NULL;
	char pid[32];
	uint32_t engine;
	docker->is_looked_up = true;
	if (host_read_all(docker->host, &text, CONFIG_MAX, "etc/docker/daemon.json") > 0)
		config = json_loads(text, 0, NULL);
	const char *root = json_string_value(json_object_get(config, "data-root"));
	add_root(docker, "", root ? root : "/var/lib/docker");
	json_decref(config);
	if (host_read(docker->host, pid, sizeof(pid), "run/docker.pid") <= 0)
		return;
	pid[strcspn(pid, "\n")] = '\0';
	if (number_u32(pid, 1, INT32_MAX, &engine) == 0)
		docker_add_engine(docker, (int32_t)engine);
}

void docker_done(struct docker *docker)
{
	vector_done(&docker->configs);
}

static const struct docker_container *find_known(const struct docker *docker, const char *id)
{
	for (uint32_t i = 0; i < docker->configs.n; i++) {
		const struct docker_container *known = vector_at(&docker->configs, i);
		if (strcmp(known->id, id) == 0)
			return known;
	}
	return NULL;
}

/* Each is read once. NULL: it is not there, or may not be read. */
static const struct docker_container *read_config(struct docker *docker, const char *root,
						  const char *id)
{
	cleanup(freep) char *text = NULL;
	struct docker_container found;
	if (docker->configs.n >= CONTAINERS_MAX ||
	    host_read_all(docker->host, &text, CONFIG_MAX, "%s/containers/%s/config.v2.json", root,
			  id) <= 0 ||
	    docker_parse(text, &found) < 0)
		return NULL;
	struct docker_container *added = vector_add(&docker->configs);
	if (added)
		*added = found;
	return added;
}

static bool serves(const struct docker_container *container, const struct ip *ip, uint16_t port)
{
	bool has_address = false, has_port = container->n_ports == 0;
	for (unsigned i = 0; i < container->n_addresses; i++)
		has_address |= ip_equal(&container->addresses[i], ip);
	for (unsigned i = 0; i < container->n_ports; i++)
		has_port |= container->ports[i] == port;
	return container->pid && has_address && has_port;
}

static void list_root(struct docker *docker, const char *root)
{
	int fd = host_openat(docker->host, O_RDONLY | O_DIRECTORY, "%s/containers", root);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		closep(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(directory));)
		if (entry->d_name[0] != '.' && !find_known(docker, entry->d_name))
			read_config(docker, root, entry->d_name);
	closedir(directory);
}

/* The @i-th place to look at, or NULL: engines that are known, then the usual places; others are
 * searched only when none of these had it. */
static const char *root_at(struct docker *docker, unsigned i)
{
	if (i == docker->n_roots && !docker->is_looked_up)
		look_up_roots(docker);
	if (i == docker->n_roots && !docker->is_searched)
		search_engines(docker);
	return i < docker->n_roots ? docker->roots[i] : NULL;
}

bool docker_find(struct docker *docker, const char *id, struct docker_container *ret)
{
	const char *root;
	const struct docker_container *found = find_known(docker, id);
	for (unsigned i = 0; !found && (root = root_at(docker, i)); i++)
		found = read_config(docker, root, id);
	if (found)
		*ret = *found;
	return found;
}

static bool find_published(const struct docker *docker, const struct ip *ip, uint16_t port,
			   struct docker_container *ret)
{
	for (uint32_t i = 0; i < docker->configs.n; i++) {
		const struct docker_container *known = vector_at(&docker->configs, i);
		if (serves(known, ip, port)) {
			*ret = *known;
			return true;
		}
	}
	return false;
}

bool docker_find_published(struct docker *docker, const struct ip *ip, uint16_t port,
			   struct docker_container *ret)
{
	const char *root;
	while (!find_published(docker, ip, port, ret)) {
		root = root_at(docker, docker->n_listed);
		if (!root)
			return false;
		docker->n_listed++;
		list_root(docker, root);
	}
	return true;
}
