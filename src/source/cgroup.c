/* Units and containers from the text of /proc/PID/cgroup (cgroups(7)). */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "source/cgroup.h"

struct word {
	const char *at;
	size_t n;
};

static bool starts(struct word word, const char *with)
{
	size_t n = strlen(with);
	return word.n >= n && memcmp(word.at, with, n) == 0;
}

static bool ends(struct word word, const char *with)
{
	size_t n = strlen(with);
	return word.n > n && memcmp(word.at + word.n - n, with, n) == 0;
}

static struct word cut(struct word word, const char *start, const char *end)
{
	size_t first = strlen(start), last = strlen(end);
	return (struct word){word.at + first, word.n - first - last};
}

static bool is_equal(struct word word, const char *text)
{
	return word.n == strlen(text) && memcmp(word.at, text, word.n) == 0;
}

/* 64 hexadecimal digits, as the engines name containers. */
static bool is_hash(struct word word)
{
	if (word.n != 64)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (!isxdigit((unsigned char)word.at[i]))
			return false;
	return true;
}

/* systemd escapes in names: \x2d is a dash. */
static void copy(char *to, size_t size, struct word from)
{
	size_t n = 0;
	for (size_t i = 0; i < from.n && n + 1 < size; i++) {
		unsigned value;
		if (from.n - i >= 4 && from.at[i] == '\\' && from.at[i + 1] == 'x' &&
		    sscanf((char[3]){from.at[i + 2], from.at[i + 3], '\0'}, "%2x", &value) == 1 &&
		    value) {
			to[n++] = (char)value;
			i += 3;
		} else {
			to[n++] = from.at[i];
		}
	}
	to[n] = '\0';
}

static const struct {
	const char *start, *end;
	enum engine engine;
} scopes[] = {
	{"docker-", ".scope", ENGINE_DOCKER},
	{"libpod-", ".scope", ENGINE_PODMAN},
	{"cri-containerd-", ".scope", ENGINE_CONTAINERD},
	{"nerdctl-", ".scope", ENGINE_CONTAINERD},
	{"crio-", ".scope", ENGINE_CRIO},
	{"machine-", ".scope", ENGINE_NSPAWN},
	{"libpod-", "", ENGINE_PODMAN},
	{"crio-", "", ENGINE_CRIO},
	{"lxc.payload.", "", ENGINE_LXC},
	{"systemd-nspawn@", ".service", ENGINE_NSPAWN},
	{"cri-containerd:", "", ENGINE_CONTAINERD},
};

/* Names beside a container that are not it: the monitor of one, a pod's own scope. */
static bool is_beside(struct word word)
{
	return starts(word, "libpod-conmon-") || starts(word, "crio-conmon-") ||
	       starts(word, "libpod_parent");
}

static bool set_container(struct cgroup_place *ret, enum engine engine, struct word id)
{
	ret->engine = engine;
	copy(ret->id, sizeof(ret->id), id);
	return true;
}

/* @word below @parent is a container's own group. */
static bool read_container(struct word word, struct word parent, bool in_pods,
			   struct cgroup_place *ret)
{
	if (is_beside(word))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		if (!starts(word, scopes[i].start) ||
		    (scopes[i].end[0] && !ends(word, scopes[i].end)))
			continue;
		struct word id = cut(word, scopes[i].start, scopes[i].end);
		bool is_named = scopes[i].engine == ENGINE_LXC || scopes[i].engine == ENGINE_NSPAWN;
		if (!is_named && !is_hash(id))
			continue;
		return set_container(ret, scopes[i].engine, id);
	}
	if (is_equal(parent, "lxc") && word.n)
		return set_container(ret, ENGINE_LXC, word);
	if (!is_hash(word))
		return false;
	if (is_equal(parent, "docker") || is_equal(parent, "moby") || ends(parent, "-docker"))
		return set_container(ret, ENGINE_DOCKER, word);
	if (in_pods || is_equal(parent, "default") || is_equal(parent, "k8s.io") ||
	    ends(parent, "containerd"))
		return set_container(ret, ENGINE_CONTAINERD, word);
	return set_container(ret, ENGINE_DOCKER, word);
}

static bool is_unit(struct word word)
{
	static const char *const kinds[] = {".service", ".scope", ".socket", ".mount", ".swap"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ends(word, kinds[i]))
			return true;
	return false;
}

/* The innermost unit, and the innermost container, of one path. Inside a container the units are
 * its own. */
static void read_path(struct word path, struct cgroup_place *ret)
{
	struct word parent = {"", 0};
	bool in_pods = false;
	struct cgroup_place place = {0};
	while (path.n) {
		const char *slash = memchr(path.at, '/', path.n);
		struct word word = {path.at, slash ? (size_t)(slash - path.at) : path.n};
		if (word.n) {
			in_pods |= starts(word, "kubepods");
			bool is_container = read_container(word, parent, in_pods, &place);
			if (is_unit(word) && !(is_container && ends(word, ".scope")))
				copy(place.unit, sizeof(place.unit), word);
			parent = word;
		}
		path.at += word.n + (slash != NULL);
		path.n -= word.n + (slash != NULL);
	}
	if (place.id[0] && !ret->id[0]) {
		memcpy(ret->id, place.id, sizeof(ret->id));
		ret->engine = place.engine;
	}
	if (place.unit[0] && !ret->unit[0])
		memcpy(ret->unit, place.unit, sizeof(ret->unit));
}

void cgroup_parse(const char *text, size_t n, struct cgroup_place *ret)
{
	*ret = (struct cgroup_place){0};
	for (const char *line = text, *end = text + n; line < end;) {
		/* hierarchy-ID:controllers:path */
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *first = memchr(line, ':', (size_t)(stop - line));
		const char *second =
			first ? memchr(first + 1, ':', (size_t)(stop - first - 1)) : NULL;
		if (second)
			read_path((struct word){second + 1, (size_t)(stop - second - 1)}, ret);
		line = stop + 1;
	}
}
