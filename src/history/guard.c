/* Who may write the file: the lock beside it, and a look at it before SQLite has one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "history/store.h"

static const char alive_magic[8] = "doorlive";

static int open_lock(const char *path, int flags, mode_t mode)
{
	char name[PATH_MAX];
	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	int fd = open(name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
	return fd < 0 ? -errno : fd;
}

static void read_alive(int fd, struct alive *ret)
{
	if (pread(fd, ret, sizeof(*ret), 0) != sizeof(*ret) ||
	    memcmp(ret->magic, alive_magic, sizeof(alive_magic)) != 0)
		*ret = (struct alive){.pid = 0};
	ret->boot_id[sizeof(ret->boot_id) - 1] = '\0';
}

int guard_lock(const char *path, mode_t mode, gid_t group, int *ret, struct alive *ret_before,
	       struct error *err)
{
	cleanup(closep) int fd = open_lock(path, O_RDWR | O_CREAT, mode);
	if (fd < 0) {
		error_set(err, fd, "open %s.lock", path);
		if (fd == -EACCES)
			error_hint(err, "record as who owns it, or into another file: --db FILE");
		return fd;
	}
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int r = fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
	read_alive(fd, ret_before);
	if (r == -EAGAIN || r == -EACCES) {
		error_text(err, -EBUSY, "record to %s: another recorder writes it (pid %lld)", path,
			   (long long)ret_before->pid);
		error_hint(err, "only one can; watch is free to run beside it");
		return -EBUSY;
	}
	if (r < 0)
		return error_set(err, r, "lock %s.lock", path);
	if (group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) < 0)
		group = (gid_t)-1; /* it is somebody else's: as it falls */
	if (fchmod(fd, mode) < 0 && errno != EPERM)
		return error_set(err, -errno, "change the mode of %s.lock", path);
	*ret = TAKE_FD(fd);
	return 0;
}

int guard_tell(int lock, const struct alive *alive)
{
	struct alive told = *alive;
	memcpy(told.magic, alive_magic, sizeof(told.magic));
	ssize_t n = pwrite(lock, &told, sizeof(told), 0);
	return n == sizeof(told) ? 0 : n < 0 ? -errno : -EIO;
}

int guard_look(const char *path, struct alive *ret)
{
	cleanup(closep) int fd = open_lock(path, O_RDONLY, 0);
	*ret = (struct alive){.pid = 0};
	if (fd < 0)
		return fd;
	read_alive(fd, ret);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		ret->pid = 0;
	return 0;
}

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* https://www.sqlite.org/fileformat2.html, The Database Header */
#define HEADER_SIZE 100
#define HEADER_VERSION 60
#define HEADER_APPLICATION 68

int guard_header(const char *path, int *ret_version, struct error *err)
{
	unsigned char header[HEADER_SIZE];
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, -errno, "open %s", path);
	struct stat status;
	if (fstat(fd, &status) < 0)
		return error_set(err, -errno, "read %s", path);
	if (!S_ISREG(status.st_mode))
		return error_text(err, -EBADMSG, "%s is no file", path);
	*ret_version = 0;
	if (status.st_size == 0)
		return 1;
	if (pread(fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header, "SQLite format 3", 16) != 0)
		return 0;
	uint32_t version = big_endian(header + HEADER_VERSION),
		 application = big_endian(header + HEADER_APPLICATION);
	if (application != STORE_APPLICATION && (application || version))
		return error_text(err, -EBADMSG, "%s is a database of another program", path);
	if (version > STORE_SCHEMA) {
		error_text(err, -ENOTSUP,
			   "%s was written by a newer Doorward (version %u of its"
			   " tables, %d here)",
			   path, version, STORE_SCHEMA);
		error_hint(err, "use that one, or name another file by --db");
		return -ENOTSUP;
	}
	*ret_version = (int)version;
	return 1;
}

int guard_set_aside(const char *path, uint64_t time_ns, char *to, size_t size, struct error *err)
{
	static const char *const beside[] = {"-wal", "-shm", ""};
	struct tm tm;
	time_t seconds = (time_t)(time_ns / 1000000000);
	char date[32], from[PATH_MAX], name[PATH_MAX + 64];
	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm))
		return error_set(err, -EINVAL, "set %s aside", path);
	for (unsigned n = 0; n < 1000; n++) {
		char more[16] = "";
		if (n)
			snprintf(more, sizeof(more), ".%u", n);
		if ((size_t)snprintf(to, size, "%s.broken-%s%s", path, date, more) >= size)
			return error_set(err, -ENAMETOOLONG, "set %s aside", path);
		if (access(to, F_OK) < 0 && errno == ENOENT)
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		if (snprintf(from, sizeof(from), "%s%s", path, beside[i]) >= (int)sizeof(from) ||
		    snprintf(name, sizeof(name), "%s%s", to, beside[i]) >= (int)sizeof(name))
			return error_set(err, -ENAMETOOLONG, "set %s aside", path);
		if (renameat2(AT_FDCWD, from, AT_FDCWD, name, RENAME_NOREPLACE) < 0 &&
		    errno != ENOENT)
			return error_set(err, -errno, "set %s aside as %s", path, to);
	}
	return 0;
}
