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

void docker_init(struct docker *docker, struct host *host)
{
	*docker = (struct docker){.host = host};
	cleanup(freep) char *text = NULL;
	json_t *config = NULL;
	if (host_read_all(host, &text, CONFIG_MAX, "etc/docker/daemon.json") > 0)
		config = json_loads(text, 0, NULL);
	const char *root = json_string_value(json_object_get(config, "data-root"));
	add_root(docker, "", root ? root : "/var/lib/docker");
	json_decref(config);
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

/* Engines with another place for their data, seen from within their own mounts. */
static void search_engines(struct docker *docker)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	docker->is_searched = true;
	if (proc_pids(docker->host, &pids) < 0)
		return;
	for (uint32_t i = 0; i < pids.n; i++) {
		char text[8192], before[64], root[512];
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		ssize_t n = host_read(docker->host, text, sizeof(text), "proc/%d/comm", pid);
		if (n <= 0 || strcmp(text, "dockerd\n") != 0)
			continue;
		snprintf(before, sizeof(before), "proc/%d/root/", pid);
		n = host_read(docker->host, text, sizeof(text), "proc/%d/cmdline", pid);
		const char *named = n > 0 ? value_of(text, (size_t)n, "--data-root", false) : NULL;
		if (n > 0 && !named)
			named = value_of(text, (size_t)n, "-g", false);
		if (named) {
			add_root(docker, before, named);
			continue;
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
}

static bool read_config(struct docker *docker, const char *root, const char *id,
			struct docker_container *ret)
{
	cleanup(freep) char *text = NULL;
	return host_read_all(docker->host, &text, CONFIG_MAX, "%s/containers/%s/config.v2.json",
			     root, id) > 0 &&
	       docker_parse(text, ret) == 0;
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

static bool find_published(struct docker *docker, const char *root, const struct ip *ip,
			   uint16_t port, struct docker_container *ret)
{
	int fd = host_openat(docker->host, O_RDONLY | O_DIRECTORY, "%s/containers", root);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	bool is_found = false;
	if (!directory) {
		closep(&fd);
		return false;
	}
	for (struct dirent *entry; !is_found && (entry = readdir(directory));)
		is_found = entry->d_name[0] != '.' &&
			   read_config(docker, root, entry->d_name, ret) && serves(ret, ip, port);
	closedir(directory);
	return is_found;
}

/* The @i-th place to look at, or NULL; engines are searched only when the usual place had it not.
 */
static const char *root_at(struct docker *docker, unsigned i)
{
	if (i == docker->n_roots && !docker->is_searched)
		search_engines(docker);
	return i < docker->n_roots ? docker->roots[i] : NULL;
}

bool docker_find(struct docker *docker, const char *id, struct docker_container *ret)
{
	const char *root;
	for (unsigned i = 0; (root = root_at(docker, i)); i++)
		if (read_config(docker, root, id, ret))
			return true;
	return false;
}

bool docker_find_published(struct docker *docker, const struct ip *ip, uint16_t port,
			   struct docker_container *ret)
{
	const char *root;
	for (unsigned i = 0; (root = root_at(docker, i)); i++)
		if (find_published(docker, root, ip, port, ret))
			return true;
	return false;
}
