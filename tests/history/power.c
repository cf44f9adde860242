/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The C library's calls, in front of it: SQLite's library is bound to the program's own. With
 * _FILE_OFFSET_BITS=64 (meson's) these are pwrite64 and ftruncate64, which it calls. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "power.h"

static struct {
	int fd;
	uint64_t uptime_ns;
} power = {.fd = -1};

void power_start(const char *path)
{
	power.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (power.fd < 0) {
		perror(path);
		exit(1);
	}
}

void power_at(uint64_t uptime_ns)
{
	power.uptime_ns = uptime_ns;
}

static void keep(const char *kind, int fd, const void *bytes, uint64_t n, uint64_t at)
{
	struct stat status;
	if (power.fd < 0 || fstat(fd, &status) < 0)
		return;
	struct power_record record = {
		.inode = status.st_ino, .at = at, .n = n, .uptime_ns = power.uptime_ns};
	snprintf(record.kind, sizeof(record.kind), "%s", kind);
	size_t size = bytes ? n : 0;
	if (write(power.fd, &record, sizeof(record)) != sizeof(record) ||
	    (size && write(power.fd, bytes, size) != (ssize_t)size))
		abort();
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t written = syscall(SYS_pwrite64, fd, bytes, n, at);
	if (written > 0)
		keep("write", fd, bytes, (uint64_t)written, (uint64_t)at);
	return written;
}

int ftruncate(int fd, off_t length)
{
	int r = (int)syscall(SYS_ftruncate, fd, length);
	if (r == 0)
		keep("length", fd, NULL, 0, (uint64_t)length);
	return r;
}

int fsync(int fd)
{
	int r = (int)syscall(SYS_fsync, fd);
	if (r == 0)
		keep("sync", fd, NULL, 0, 0);
	return r;
}

int fdatasync(int fd)
{
	int r = (int)syscall(SYS_fdatasync, fd);
	if (r == 0)
		keep("sync", fd, NULL, 0, 0);
	return r;
}
