/* Names of containers. */
#include <stdio.h>
#include <string.h>

#include "source/cgroup.h"
#include "source/container-name.h"
#include "source/descent.h"
#include "source/proc.h"
#include "source/proxy.h"

#define ANCESTORS_MAX 32
#define ID_SHOWN 12 /* digits that are enough to mean a container, as tables show them */

/* Its monitor is an ancestor of each process of a container, and was given the name. */
static bool name_by_conmon(const struct host *host, int32_t pid, char ret[CONTAINER_NAME_MAX])
{
	char called[64], text[4096];
	struct proxy proxy;
	for (unsigned depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		int32_t parent = descent_parent(host, pid, called);
		if (!parent || strcmp(called, "conmon") != 0) {
			pid = parent;
			continue;
		}
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/cmdline", pid);
		for (ssize_t i = 0; i < n - 1; i++)
			text[i] = text[i] ? text[i] : ' ';
		if (n <= 0 || !proxy_parse(called, text, PROTO_TCP, 0, &proxy))
			return false;
		snprintf(ret, CONTAINER_NAME_MAX, "%s", proxy.name);
		return ret[0];
	}
	return false;
}

bool container_name(struct docker *docker, enum engine engine, const char *id, int32_t pid,
		    char ret[CONTAINER_NAME_MAX])
{
	struct docker_container found;
	if (engine == ENGINE_PODMAN || engine == ENGINE_CRIO)
		return name_by_conmon(docker->host, pid, ret);
	if (engine != ENGINE_DOCKER || !docker_find(docker, id, &found) || !found.name[0])
		return false;
	snprintf(ret, CONTAINER_NAME_MAX, "%s", found.name);
	return true;
}

static bool is_meant(struct docker *docker, const struct cgroup_place *place, int32_t pid,
		     const char *meant)
{
	const char *word = engine_words[place->engine], *name = meant;
	char called[CONTAINER_NAME_MAX];
	size_t n = strlen(word);
	if (strncmp(meant, word, n) == 0 && meant[n] == ':')
		name = meant + n + 1;
	if (strcmp(name, place->id) == 0 ||
	    (strlen(name) >= ID_SHOWN && strncmp(place->id, name, strlen(name)) == 0))
		return true;
	return container_name(docker, place->engine, place->id, pid, called) &&
	       strcmp(name, called) == 0;
}

int32_t container_find_process(struct host *host, const char *meant)
{
	struct docker docker;
	struct cgroup_place place;
	cleanup(vector_done) struct vector pids;
	char last[CGROUP_NAME_MAX] = "", text[4096];
	int32_t found = 0;
	vector_init(&pids, sizeof(int32_t));
	docker_init(&docker, host);
	if (proc_pids(host, &pids) < 0)
		pids.n = 0;
	for (uint32_t i = 0; i < pids.n && !found; i++) {
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/cgroup", pid);
		if (n <= 0)
			continue;
		cgroup_parse(text, (size_t)n, &place);
		if (!place.id[0] || strcmp(place.id, last) == 0) /* it was not meant before */
			continue;
		snprintf(last, sizeof(last), "%s", place.id);
		if (is_meant(&docker, &place, pid, meant))
			found = pid;
	}
	docker_done(&docker);
	return found;
}
