/* Is it still that process, that socket? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act/guard.h"
#include "base/numbers.h"
#include "source/proc.h"
#include "source/process.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

uint64_t guard_start_ticks(const struct host *host, int32_t pid)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	return n > 0 && process_parse_stat(text, (size_t)n, &stat) == 0 ? stat.start_ticks : 0;
}

uint64_t guard_program(const struct host *host, int32_t pid)
{
	char text[1024];
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	return n > 0 ? process_parse_program(text, (size_t)n) : 0;
}

/* The same pid and the same start, and yet another program: execve(2) keeps both, and the sockets.
 * Where it could not be seen before, or may not now, that is not known. */
static bool is_other_program(const struct host *host, const struct step_holder *holder)
{
	uint64_t now = holder->program ? guard_program(host, holder->pid) : 0;
	return now && now != holder->program;
}

/* The socket itself is asked for its cookie. 1 it is the target, 0 it is not, negative errno: it
 * may not be asked. */
static int ask_cookie(int pidfd, int fd, uint64_t cookie)
{
	uint64_t found = 0;
	socklen_t length = sizeof(found);
	cleanup(closep) int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (copy < 0)
		return errno == EBADF ? 0 : -errno;
	if (getsockopt(copy, SOL_SOCKET, SO_COOKIE, &found, &length) < 0)
		return errno == ENOTSOCK ? 0 : -errno;
	return found == cookie;
}

/* The descriptor's name in /proc, which needs less than a copy of it. */
static int ask_inode(const struct host *host, int32_t pid, int fd, uint32_t inode)
{
	char link[64];
	ssize_t n = host_readlink(host, link, sizeof(link), "proc/%d/fd/%d", pid, fd);
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return proc_parse_link(link, (size_t)n) == inode;
}

static int ask_descriptor(const struct host *host, int pidfd, const struct identity *target,
			  int32_t pid, int fd)
{
	int r = target->inode ? ask_inode(host, pid, fd, target->inode) : 1;
	if (r <= 0 || !target->cookie)
		return r;
	r = ask_cookie(pidfd, fd, target->cookie);
	/* a copy needs the right to trace; the inode has been compared */
	return r == -EPERM || r == -EACCES || r == -ENOSYS ? target->inode != 0 : r;
}

/* It may have moved the socket to another number meanwhile. */
static int ask_all(const struct host *host, int pidfd, const struct identity *target, int32_t pid)
{
	int directory = host_openat(host, O_RDONLY | O_DIRECTORY, "proc/%d/fd", pid), r = 0;
	DIR *entries = directory < 0 ? NULL : fdopendir(directory);
	if (!entries) {
		r = directory < 0 ? directory : -errno;
		closep(&directory);
		return r == -ENOENT ? -ESRCH : r;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(entries));) {
		uint32_t fd;
		if (number_u32(entry->d_name, 0, INT32_MAX, &fd) == 0)
			r = ask_descriptor(host, pidfd, target, pid, (int)fd);
	}
	closedir(entries);
	return r;
}

int guard_holds(const struct host *host, int pidfd, const struct identity *target,
		const struct step_holder *holder)
{
	int r = holder->fd < 0 ? 1 : ask_descriptor(host, pidfd, target, holder->pid, holder->fd);
	return r == 0 ? ask_all(host, pidfd, target, holder->pid) : r;
}

int guard_open(const struct host *host, const struct identity *target,
	       const struct step_holder *holder)
{
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, holder->pid, 0);
	if (pidfd < 0)
		return -errno;
	/* read after the pidfd is open: if it is the same now, the pidfd is that process's */
	if (holder->start_ticks && guard_start_ticks(host, holder->pid) != holder->start_ticks)
		return -ESRCH;
	if (is_other_program(host, holder))
		return -ESRCH;
	int r = guard_holds(host, pidfd, target, holder);
	return r > 0 ? TAKE_FD(pidfd) : r == 0 ? -ENOENT : r;
}
