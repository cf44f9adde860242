/* Units and containers from the text of /proc/PID/cgroup (cgroups(7)). */
#include <ctype.h>
#include <stdbool.h>
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

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* systemd escapes in names: \x2d is a dash. */
static void copy(char *to, size_t size, struct word from)
{
	size_t n = 0;
	for (size_t i = 0; i < from.n && n + 1 < size; i++) {
		int value = 0;
		if (from.n - i >= 4 && from.at[i] == '\\' && from.at[i + 1] == 'x' &&
		    hex(from.at[i + 2]) >= 0 && hex(from.at[i + 3]) >= 0)
			value = hex(from.at[i + 2]) << 4 | hex(from.at[i + 3]);
		to[n++] = value ? (char)value : from.at[i];
		i += value ? 3 : 0;
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
	{"libpod-payload-", "", ENGINE_PODMAN},
	{"libpod-", "", ENGINE_PODMAN},
	{"crio-", "", ENGINE_CRIO},
	{"lxc.payload.", "", ENGINE_LXC},
	{"systemd-nspawn@", ".service", ENGINE_NSPAWN},
	{"cri-containerd:", "", ENGINE_CONTAINERD},
	{"crio:", "", ENGINE_CRIO},
};

/* Names that begin as a container's and are none: its monitor, libvirt's virtual machines. */
static bool is_beside(struct word word)
{
	return starts(word, "libpod-conmon-") || starts(word, "crio-conmon-") ||
	       starts(word, "libpod_parent") || starts(word, "machine-qemu\\x2d");
}

/* What a manager without slices calls PARENT:PREFIX:ID is PREFIX:ID below the parent. */
static struct word after_slice(struct word word)
{
	const char *colon = memchr(word.at, ':', word.n);
	if (!colon || colon - word.at < 6 || memcmp(colon - 6, ".slice", 6) != 0)
		return word;
	return (struct word){colon + 1, word.n - (size_t)(colon + 1 - word.at)};
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

/* What the next word of a path adds. Inside a container the units are its own; the manager of a
 * user that started one is no unit of it. */
static void read_word(struct word word, struct word parent, bool in_pods, struct cgroup_place *ret)
{
	if (ret->engine == ENGINE_NSPAWN && is_equal(word, "supervisor")) {
		/* systemd-nspawn itself, which stands outside */
		ret->engine = ENGINE_NONE;
		ret->id[0] = '\0';
		return;
	}
	bool is_container = read_container(after_slice(word), parent, in_pods, ret);
	if (is_unit(word) && !(is_container && ends(word, ".scope")))
		copy(ret->unit, sizeof(ret->unit), word);
	else if (is_container && strncmp(ret->unit, "user@", 5) == 0)
		ret->unit[0] = '\0';
}

/* The innermost unit, and the innermost container, of one path. */
static void read_path(struct word path, struct cgroup_place *ret)
{
	struct word parent = {"", 0};
	bool in_pods = false;
	*ret = (struct cgroup_place){0};
	if (ends(path, " (deleted)"))
		path.n -= strlen(" (deleted)");
	while (path.n) {
		const char *slash = memchr(path.at, '/', path.n);
		struct word word = {path.at, slash ? (size_t)(slash - path.at) : path.n};
		if (word.n) {
			in_pods |= starts(word, "kubepods");
			read_word(word, parent, in_pods, ret);
			parent = word;
		}
		path.at += word.n + (slash != NULL);
		path.n -= word.n + (slash != NULL);
	}
}

/* Of the hierarchies of version 1 systemd's own says the unit best, then version 2; a controller's
 * path may end earlier. */
enum rank { RANK_NONE, RANK_CONTROLLER, RANK_V2, RANK_SYSTEMD };

static enum rank rank_of(struct word controllers)
{
	return is_equal(controllers, "name=systemd") ? RANK_SYSTEMD
	       : controllers.n == 0		     ? RANK_V2
						     : RANK_CONTROLLER;
}

void cgroup_parse(const char *text, size_t n, struct cgroup_place *ret)
{
	enum rank unit_rank = RANK_NONE, container_rank = RANK_NONE;
	*ret = (struct cgroup_place){0};
	for (const char *line = text, *end = text + n; line < end;) {
		/* hierarchy-ID:controllers:path */
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *first = memchr(line, ':', (size_t)(stop - line));
		const char *second =
			first ? memchr(first + 1, ':', (size_t)(stop - first - 1)) : NULL;
		line = stop + 1;
		if (!second || stop - second <= 2) /* the root has nothing to say */
			continue;
		struct cgroup_place place;
		enum rank rank = rank_of((struct word){first + 1, (size_t)(second - first - 1)});
		read_path((struct word){second + 1, (size_t)(stop - second - 1)}, &place);
		if (place.id[0] && rank > container_rank) {
			*ret = place; /* a unit elsewhere is then the engine's own */
			container_rank = rank;
		} else if (place.unit[0] && !ret->id[0] && rank > unit_rank) {
			memcpy(ret->unit, place.unit, sizeof(ret->unit));
			unit_rank = rank;
		}
	}
}
