/* The root of cgroup2. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "source/cgroup-root.h"

#define MOUNTS_MAX (4 << 20)
/* include/linux/proc_ns.h: the host's own; in another the root is that of a part */
#define PROC_CGROUP_INIT_INO 0xEFFFFFFBu

static const char *skip_words(const char *at, const char *end, unsigned n)
{
	while (n && at < end) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return end;
		at++;
		n--;
	}
	return at;
}

/* 36 35 98:0 /root /mount/point options optional... - type source options */
const char *cgroup_root_parse(const char *line, size_t n, size_t *ret_length)
{
	static const char type[] = " - cgroup2 ";
	const char *end = line + n, *root = skip_words(line, end, 3);
	if (end - root < 2 || root[0] != '/' || root[1] != ' ' ||
	    !memmem(root, (size_t)(end - root), type, sizeof(type) - 1))
		return NULL;
	const char *point = root + 2;
	const char *after = memchr(point, ' ', (size_t)(end - point));
	if (!after || after == point)
		return NULL;
	*ret_length = (size_t)(after - point);
	return point;
}

/* Of a mount that can be seen; -ENOENT. A place whose name must be escaped is not looked for. */
static int open_mounted(const struct host *host)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, MOUNTS_MAX, "proc/self/mountinfo");
	if (n < 0)
		return (int)n;
	for (const char *at = text, *end = text + n; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = 0;
		stop = stop ? stop : end;
		const char *point = cgroup_root_parse(at, (size_t)(stop - at), &length);
		if (point && !memchr(point, '\\', length)) {
			int fd = host_openat(host, O_RDONLY | O_DIRECTORY, ".%.*s", (int)length,
					     point);
			if (fd >= 0)
				return fd;
		}
		at = stop + 1;
	}
	return -ENOENT;
}

static int open_directory(int at)
{
	int r = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int mount_own(void)
{
	cleanup(closep) int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	cleanup(closep) int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		return -errno;
	return open_directory(mount);
}

int cgroup_root_open(const struct host *host)
{
	struct stat status;
	if (stat("/proc/self/ns/cgroup", &status) == 0 && status.st_ino != PROC_CGROUP_INIT_INO)
		return -EXDEV;
	int fd = open_mounted(host);
	return fd >= 0 ? fd : mount_own();
}
