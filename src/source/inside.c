/* A Unix socket connected from within another namespace of pids. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"
#include "source/inside.h"

static bool is_same_namespace(int32_t pid)
{
	char path[64];
	struct stat own, other;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return stat("/proc/self/ns/pid", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static int connect_now(int fd, const struct sockaddr_un *address)
{
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
}

/* The exit status of @child, an errno. */
static int wait_for(pid_t child)
{
	int status = 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/* A process that enters a namespace of pids stays outside; its children are inside. The socket is
 * shared with the grandchild that connects it. */
static int connect_inside(int pidfd, int fd, const struct sockaddr_un *address)
{
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child > 0)
		return wait_for(child);
	if (setns(pidfd, CLONE_NEWPID) < 0)
		_exit(errno);
	pid_t grandchild = fork();
	if (grandchild == 0)
		_exit(connect_now(fd, address));
	_exit(grandchild < 0 ? errno : wait_for(grandchild));
}

int inside_connect(int32_t pid, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	cleanup(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r;
	if (is_same_namespace(pid)) {
		r = connect_now(fd, &address);
	} else {
		cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		r = pidfd < 0 ? errno : connect_inside(pidfd, fd, &address);
	}
	return r ? -r : TAKE_FD(fd);
}
