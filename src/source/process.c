/* One process from /proc/PID. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/numbers.h"
#include "source/cgroup.h"
#include "source/process.h"

#define CMDLINE_MAX 4096
#define PATH_SIZE 4096

int process_parse_stat(const char *text, size_t n, const char **ret_name, size_t *ret_length,
		       int32_t *ret_ppid, uint64_t *ret_start_ticks)
{
	const char *open = memchr(text, '(', n), *close = memrchr(text, ')', n), *end = text + n;
	if (!open || !close || close < open)
		return -EBADMSG;
	*ret_name = open + 1;
	*ret_length = (size_t)(close - open - 1);

	const char *at = close + 1;
	uint64_t number = 0;
	for (unsigned field = 3; field <= 22; field++) {
		while (at < end && *at == ' ')
			at++;
		if (field == 4 || field == 22) {
			if (number_scan(&at, end, 10, &number) < 0)
				return -EBADMSG;
			if (field == 4)
				*ret_ppid = number <= INT32_MAX ? (int32_t)number : 0;
		}
		while (at < end && *at != ' ')
			at++;
	}
	*ret_start_ticks = number;
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Interpreters by the start of their file's name; options of theirs that take the next argument. */
static const struct {
	const char *name, *with_argument;
	bool is_java;
} interpreters[] = {
	{"python", "WXQ", false}, {"pypy", "WXQ", false}, {"perl", "", false},
	{"ruby", "CIr", false},	  {"node", "r", false},	  {"php", "cdz", false},
	{"java", "", true},	  {"bash", "oO", false},  {"dash", "o", false},
	{"sh", "o", false},	  {"zsh", "o", false},	  {"lua", "l", false},
	{"gunicorn", "", false},  {"deno", "", false},	  {"Rscript", "", false},
	{"guile", "", false},	  {"mono", "", false},	  {"dotnet", "", false},
	{"erl", "", false},	  {"beam", "", false},
};

static const char *java_runs(const char *at, const char *end)
{
	for (; at < end; at += strlen(at) + 1) {
		const char *next = at + strlen(at) + 1;
		if (strcmp(at, "-jar") == 0)
			return next < end ? base_name(next) : NULL;
		if (strcmp(at, "-cp") == 0 || strcmp(at, "-classpath") == 0 ||
		    strcmp(at, "--class-path") == 0 || strcmp(at, "-p") == 0 ||
		    strcmp(at, "--module-path") == 0)
			at = next < end ? next : at;
		else if (at[0] != '-')
			return at;
	}
	return NULL;
}

static const char *script_runs(const char *with_argument, const char *at, const char *end)
{
	for (; at < end; at += strlen(at) + 1) {
		const char *next = at + strlen(at) + 1;
		if (at[0] != '-')
			return at[0] ? base_name(at) : NULL;
		if (strcmp(at, "-m") == 0)
			return next < end ? next : NULL;
		if (strcmp(at, "-c") == 0 || strcmp(at, "-e") == 0 || strcmp(at, "-") == 0)
			return NULL;
		if (at[1] && at[1] != '-' && !at[2] && strchr(with_argument, at[1]))
			at = next < end ? next : at;
	}
	return NULL;
}

const char *process_runs(const char *exe, const char *arguments, size_t n)
{
	if (!exe || !n || arguments[n - 1] != '\0')
		return NULL;
	const char *name = base_name(exe), *end = arguments + n,
		   *first = arguments + strlen(arguments) + 1;
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++) {
		size_t length = strlen(interpreters[i].name);
		if (strncmp(name, interpreters[i].name, length) != 0 ||
		    strspn(name + length, "0123456789.-") != strlen(name + length))
			continue;
		return interpreters[i].is_java
			       ? java_runs(first, end)
			       : script_runs(interpreters[i].with_argument, first, end);
	}
	return NULL;
}

static int read_stat(struct host *host, int32_t pid, struct arena *arena, struct process *ret)
{
	char text[1024];
	const char *name;
	size_t length;
	uint64_t start;
	int32_t ppid = 0;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	if (n < 0)
		return (int)n;
	if (process_parse_stat(text, (size_t)n, &name, &length, &ppid, &start) < 0)
		return -ESRCH;
	if (ret->known & KNOWN_STAT && ret->start_ticks != start)
		return -ESRCH; /* the pid is another process's by now */
	ret->name = arena_intern(arena, name, length);
	ret->ppid = ppid;
	ret->start_ticks = start;
	ret->start_time = (double)host->boot_time_ns / 1e9 + (double)start / (double)host->ticks;
	ret->known |= KNOWN_STAT;
	return ret->name ? 0 : -ENOMEM;
}

/* Of the process, or where its leader has gone, of a thread. */
static ssize_t read_link(struct host *host, int32_t pid, const char *what, char *to)
{
	return host_readlink(host, to, PATH_SIZE, "proc/%d/%s", pid, what);
}

static int read_exe(struct host *host, int32_t pid, struct arena *arena, struct process *ret)
{
	static const char mark[] = " (deleted)";
	char path[PATH_SIZE];
	ssize_t n = read_link(host, pid, "exe", path);
	if (n <= 0)
		return n == -ENOENT || n == -ESRCH ? -ESRCH : 0;
	size_t length = (size_t)n, extra = sizeof(mark) - 1;
	ret->exe_deleted = false;
	if (length > extra && memcmp(path + length - extra, mark, extra) == 0) {
		/* a file may really be named so: then it is there */
		struct stat status, own;
		char link[64];
		snprintf(link, sizeof(link), "%d/exe", pid);
		bool is_named_so = stat(path, &status) == 0 &&
				   fstatat(host->proc, link, &own, 0) == 0 &&
				   status.st_ino == own.st_ino && status.st_dev == own.st_dev;
		if (!is_named_so) {
			ret->exe_deleted = true;
			length -= extra;
		}
	}
	ret->exe = arena_intern(arena, path, length);
	ret->known |= KNOWN_EXE;
	return ret->exe ? 0 : -ENOMEM;
}

static int read_cmdline(struct host *host, int32_t pid, struct arena *arena, struct process *ret)
{
	char text[CMDLINE_MAX];
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/cmdline", pid);
	if (n < 0)
		return n == -ENOENT || n == -ESRCH ? -ESRCH : 0;
	size_t length = (size_t)n;
	if (length) {
		const char *runs = process_runs(ret->exe ? ret->exe : text, text, length);
		if (runs) {
			ret->runs = arena_intern_string(arena, runs);
			if (!ret->runs)
				return -ENOMEM;
		}
	}
	while (length && text[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	ret->cmdline = arena_intern(arena, text, length);
	ret->known |= KNOWN_CMDLINE;
	return ret->cmdline ? 0 : -ENOMEM;
}

static int read_cwd(struct host *host, int32_t pid, struct arena *arena, struct process *ret)
{
	char path[PATH_SIZE];
	ssize_t n = read_link(host, pid, "cwd", path);
	if (n <= 0)
		return n == -ENOENT || n == -ESRCH ? -ESRCH : 0;
	ret->cwd = arena_intern(arena, path, (size_t)n);
	ret->known |= KNOWN_CWD;
	return ret->cwd ? 0 : -ENOMEM;
}

static int read_uid(struct host *host, int32_t pid, struct process *ret)
{
	char text[4096];
	uint64_t uid;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/status", pid);
	if (n <= 0)
		return -ESRCH;
	const char *line = strstr(text, "\nUid:");
	if (!line)
		return 0;
	line += strlen("\nUid:");
	line += strspn(line, " \t");
	line += strspn(line, "0123456789"); /* the real one; the effective follows */
	line += strspn(line, " \t");
	if (number_scan(&line, text + n, 10, &uid) == 0 && uid <= UINT32_MAX) {
		ret->uid = (uint32_t)uid;
		ret->known |= KNOWN_UID;
	}
	return 0;
}

static uint32_t keep_container(struct snapshot *snapshot, const struct cgroup_place *place)
{
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *known = snapshot_container(snapshot, i);
		if (known->engine == place->engine && strcmp(known->id, place->id) == 0)
			return i;
	}
	const char *id = arena_intern_string(&snapshot->arena, place->id);
	struct container *added = id ? vector_add(&snapshot->containers) : NULL;
	if (!added)
		return NONE;
	*added = (struct container){.id = id, .engine = (uint8_t)place->engine};
	if (place->engine == ENGINE_LXC || place->engine == ENGINE_NSPAWN)
		added->name = id;
	return snapshot->containers.n - 1;
}

static int read_cgroup(struct host *host, int32_t pid, struct snapshot *snapshot,
		       struct process *ret)
{
	char text[8192];
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/cgroup", pid);
	if (n < 0)
		return n == -ENOENT || n == -ESRCH ? -ESRCH : 0;
	struct cgroup_place place;
	cgroup_parse(text, (size_t)n, &place);
	ret->known |= KNOWN_CGROUP;
	if (place.unit[0] && !(ret->unit = arena_intern_string(&snapshot->arena, place.unit)))
		return -ENOMEM;
	if (place.id[0] && (ret->container = keep_container(snapshot, &place)) == NONE)
		return -ENOMEM;
	return 0;
}

int process_read(struct host *host, int32_t pid, uint32_t needs, struct snapshot *snapshot,
		 struct process *ret)
{
	struct arena *arena = &snapshot->arena;
	int r = 0;
	if (needs & (NEED_STAT | NEED_PARENTS))
		r = read_stat(host, pid, arena, ret);
	if (r >= 0 && needs & NEED_EXE)
		r = read_exe(host, pid, arena, ret);
	if (r >= 0 && needs & NEED_CMDLINE)
		r = read_cmdline(host, pid, arena, ret);
	if (r >= 0 && needs & NEED_CWD)
		r = read_cwd(host, pid, arena, ret);
	if (r >= 0 && needs & NEED_UID)
		r = read_uid(host, pid, ret);
	if (r >= 0 && needs & NEED_CGROUP)
		r = read_cgroup(host, pid, snapshot, ret);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		ret->known |= KNOWN_GONE;
	return 0;
}
