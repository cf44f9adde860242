/* Whose attempt it is, from /proc/PID. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/numbers.h"
#include "base/privilege.h"
#include "why/subject.h"

#define CAP_LAST 63

/* The text behind "NAME:" and its blanks at the begin of a line; NULL: none. */
static const char *value_of(const char *text, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

static uint64_t number_of(const char *text, unsigned base)
{
	uint64_t number = 0;
	if (!text || number_scan(&text, text + strcspn(text, " \t\n"), base, &number) < 0)
		return 0;
	return number;
}

/* The second of "REAL EFFECTIVE SAVED FILESYSTEM". */
static const char *second(const char *text)
{
	if (!text)
		return NULL;
	text += strcspn(text, " \t\n");
	return text + strspn(text, " \t");
}

void subject_parse_status(const char *text, struct subject *ret)
{
	const char *name = value_of(text, "Name");
	if (name)
		snprintf(ret->name, sizeof(ret->name), "%.*s", (int)strcspn(name, "\n"), name);
	ret->uid = (uint32_t)number_of(second(value_of(text, "Uid")), 10);
	ret->gid = (uint32_t)number_of(second(value_of(text, "Gid")), 10);
	ret->capabilities = number_of(value_of(text, "CapEff"), 16);
	ret->has_seccomp = number_of(value_of(text, "Seccomp"), 10) != 0;
	ret->is_known = value_of(text, "Uid") && value_of(text, "CapEff");
}

uint64_t subject_parse_limit(const char *text)
{
	static const char line[] = "Max open files";
	const char *at = strstr(text, line);
	if (!at)
		return 0;
	at += sizeof(line) - 1;
	at += strspn(at, " ");
	return strncmp(at, "unlimited", 9) == 0 ? UINT64_MAX : number_of(at, 10);
}

void subject_parse_cgroup(const char *text, char *to, size_t size)
{
	to[0] = '\0';
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "0::", 3) == 0) {
			int n = snprintf(to, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
			if (n < 0 || (size_t)n >= size)
				to[0] = '\0';
			return;
		}
	}
}

uint32_t subject_map_id(const char *map, uint32_t id)
{
	for (const char *at = map, *end = map + strlen(map); at < end;) {
		uint64_t number[3]; /* inside, outside, how many */
		for (size_t i = 0; i < ARRAY_SIZE(number); i++) {
			at += strspn(at, " \t\n");
			if (number_scan(&at, end, 10, &number[i]) < 0)
				return id;
		}
		if (id >= number[1] && id - number[1] < number[2])
			return (uint32_t)(number[0] + (id - number[1]));
		at += strspn(at, " \t\n");
	}
	return id;
}

static void read_maps(struct host *host, const char *process, struct subject *ret)
{
	char text[4096];
	ret->inner_uid = ret->uid;
	ret->inner_gid = ret->gid;
	if (host_read(host, text, sizeof(text), "proc/%s/uid_map", process) > 0)
		ret->inner_uid = subject_map_id(text, ret->uid);
	if (host_read(host, text, sizeof(text), "proc/%s/gid_map", process) > 0)
		ret->inner_gid = subject_map_id(text, ret->gid);
}

int subject_open_cgroup(struct host *host, const struct subject *subject, int flags,
			const char *file)
{
	static const char *const places[] = {"", "/unified"};
	int fd = -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(places) && fd == -ENOENT && subject->cgroup[0]; i++)
		fd = host_openat(host, flags, "sys/fs/cgroup%s%s%s", places[i], subject->cgroup,
				 file);
	return fd;
}

static void read_descriptors(struct host *host, const char *process, struct subject *ret)
{
	char text[4096];
	struct stat status;
	if (host_read(host, text, sizeof(text), "proc/%s/limits", process) > 0)
		ret->descriptor_limit = subject_parse_limit(text);
	cleanup(closep) int fd = host_openat(host, O_PATH | O_DIRECTORY, "proc/%s/fd", process);
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
		ret->n_descriptors = (uint64_t)status.st_size;
	if (!ret->n_descriptors) /* its size counts them since Linux 6.2 only */
		ret->descriptor_limit = 0;
}

static int read_all(struct host *host, const char *process, struct subject *ret)
{
	char text[8192];
	ssize_t n = host_read(host, text, sizeof(text), "proc/%s/status", process);
	if (n < 0)
		return (int)n;
	subject_parse_status(text, ret);
	if (host_read(host, text, sizeof(text), "proc/%s/cgroup", process) > 0)
		subject_parse_cgroup(text, ret->cgroup, sizeof(ret->cgroup));
	read_descriptors(host, process, ret);
	read_maps(host, process, ret);
	return 0;
}

static uint64_t own_capabilities(void)
{
	uint64_t all = 0;
	for (int i = 0; i <= CAP_LAST; i++)
		all |= privilege_has(i) ? UINT64_C(1) << i : 0;
	return all;
}

/* By the file alone: no name service, which may block, is asked who one is oneself. */
static void find_name(const struct host *host, struct subject *subject)
{
	struct passwd entry = {.pw_name = NULL}, *found = NULL;
	char buffer[4096];
	int fd = host_openat(host, O_RDONLY, "etc/passwd");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file && fd >= 0)
		close(fd);
	while (file && fgetpwent_r(file, &entry, buffer, sizeof(buffer), &found) == 0)
		if (entry.pw_uid == subject->uid) {
			snprintf(subject->user, sizeof(subject->user), "%s", entry.pw_name);
			break;
		}
	if (file)
		fclose(file);
}

void subject_self(struct host *host, struct subject *ret)
{
	*ret = (struct subject){.pid = 0};
	if (read_all(host, "self", ret) < 0)
		*ret = (struct subject){.uid = geteuid(), .gid = getegid(), .is_known = true};
	ret->capabilities = own_capabilities();
	ret->changes_user = false;
	find_name(host, ret);
}

int subject_user(struct host *host, const char *user, struct subject *ret, struct error *err)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	uint32_t uid;
	subject_self(host, ret);
	ret->user[0] = '\0';
	int r = getpwnam_r(user, &entry, buffer, sizeof(buffer), &found);
	if (r == 0 && found) {
		ret->uid = entry.pw_uid;
		ret->gid = entry.pw_gid;
		snprintf(ret->user, sizeof(ret->user), "%s", entry.pw_name);
	} else if (number_u32(user, 0, UINT32_MAX - 1, &uid) == 0) {
		ret->uid = ret->gid = uid;
		if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found) {
			ret->gid = entry.pw_gid;
			snprintf(ret->user, sizeof(ret->user), "%s", entry.pw_name);
		}
	} else {
		return error_text(err, -EINVAL, "--user %.60s: there is no such user", user);
	}
	ret->changes_user = ret->uid != geteuid();
	if (ret->changes_user)
		ret->capabilities = ret->uid ? 0 : UINT64_MAX;
	return 0;
}

int subject_process(struct host *host, int32_t pid, struct subject *ret, struct error *err)
{
	char process[16];
	*ret = (struct subject){.pid = pid, .changes_user = true};
	snprintf(process, sizeof(process), "%d", pid);
	int r = read_all(host, process, ret);
	if (r == -ENOENT)
		r = -ESRCH;
	if (r >= 0)
		find_name(host, ret);
	return r < 0 ? error_set(err, r, "look at process %d", pid) : 0;
}
