/* The network namespaces of a host, and the way into them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/debug.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "source/netns.h"

#define NETNS_MAX 16384
#define MOUNTINFO_MAX (4 << 20)

struct search {
	struct host *host;
	struct vector *found;
	uint64_t own;
	uint64_t n_refused;
	struct vector mounts; /* uint64_t: mount namespaces that were read */
	uint64_t last;	      /* inode of the last process: neighbours mostly share it */
};

static struct found_netns *find(const struct vector *found, uint64_t inode)
{
	for (uint32_t i = 0; i < found->n; i++) {
		struct found_netns *netns = vector_at(found, i);
		if (netns->inode == inode)
			return netns;
	}
	return NULL;
}

static uint64_t inode_of_link(const char *text, const char *kind)
{
	size_t n = strlen(kind);
	uint64_t inode;
	const char *at = text + n + 2;
	if (strncmp(text, kind, n) != 0 || strncmp(text + n, ":[", 2) != 0 ||
	    number_scan(&at, text + strlen(text), 10, &inode) < 0 || *at != ']')
		return 0;
	return inode;
}

/* Takes @fd. */
static int add(struct search *search, int fd, int32_t pid, const char *name)
{
	cleanup(closep) int owned = fd;
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		search->n_refused += fd == -EACCES || fd == -EPERM;
		return 0;
	}
	struct found_netns *known = find(search->found, status.st_ino);
	if (!known) {
		if (search->found->n >= NETNS_MAX)
			return 0;
		known = vector_add(search->found);
		if (!known)
			return -ENOMEM;
		*known = (struct found_netns){.inode = status.st_ino, .fd = -1, .pid = pid};
		known->is_self = status.st_ino == search->own;
		known->is_initial = pid == 1;
		if (!known->is_self)
			known->fd = TAKE_FD(owned);
	}
	if (pid == 1)
		known->is_initial = true;
	if (!known->pid)
		known->pid = pid;
	if (name && !known->name[0])
		snprintf(known->name, sizeof(known->name), "%s", name);
	return 0;
}

bool netns_parse_mount(const char *line, size_t n, uint64_t *ret_inode, const char **ret_point,
		       size_t *ret_length)
{
	/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ... - TYPE SOURCE ...   (proc_pid_mountinfo(5))
	 */
	const char *field[5], *end = line + n, *at = line;
	size_t length[5];
	for (unsigned i = 0; i < 5; i++) {
		field[i] = at;
		while (at < end && *at != ' ')
			at++;
		length[i] = (size_t)(at - field[i]);
		if (at == end)
			return false;
		at++;
	}
	if (length[3] < 7 || memcmp(field[3], "net:[", 5) != 0)
		return false;
	const char *digits = field[3] + 5;
	if (number_scan(&digits, field[3] + length[3], 10, ret_inode) < 0 || *digits != ']')
		return false;
	*ret_point = field[4];
	*ret_length = length[4];
	return true;
}

static int add_mounts(struct search *search, int32_t pid)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(search->host, &text, MOUNTINFO_MAX, "proc/%d/mountinfo", pid);
	if (n < 0 || !strstr(text, " net:["))
		return 0;
	int r = 0;
	for (char *line = text; r >= 0 && line < text + n;) {
		char *end = memchr(line, '\n', (size_t)(text + n - line));
		size_t length = end ? (size_t)(end - line) : (size_t)(text + n - line),
		       point_length;
		const char *point;
		uint64_t inode;
		if (netns_parse_mount(line, length, &inode, &point, &point_length) &&
		    point_length < 1024) {
			static const char run[] = "/run/netns/";
			char name[64] = "";
			if (point_length > sizeof(run) - 1 &&
			    memcmp(point, run, sizeof(run) - 1) == 0)
				snprintf(name, sizeof(name), "%.*s",
					 (int)(point_length - sizeof(run) + 1),
					 point + sizeof(run) - 1);
			struct found_netns *known = find(search->found, inode);
			if (!known)
				r = add(search,
					host_openat(search->host, O_RDONLY, "proc/%d/root%.*s", pid,
						    (int)point_length, point),
					0, name);
			else if (name[0] && !known->name[0])
				snprintf(known->name, sizeof(known->name), "%s", name);
		}
		line += length + 1;
	}
	return r;
}

/* Each mount namespace is read once. */
static int visit_mounts(struct search *search, int32_t pid)
{
	char text[64];
	if (host_readlink(search->host, text, sizeof(text), "proc/%d/ns/mnt", pid) < 0)
		return 0;
	uint64_t inode = inode_of_link(text, "mnt");
	for (uint32_t i = 0; i < search->mounts.n; i++)
		if (*(uint64_t *)vector_at(&search->mounts, i) == inode)
			return 0;
	uint64_t *added = vector_add(&search->mounts);
	if (!added)
		return -ENOMEM;
	*added = inode;
	return add_mounts(search, pid);
}

static int visit_process(struct search *search, int32_t pid)
{
	char text[64];
	ssize_t n = host_readlink(search->host, text, sizeof(text), "proc/%d/ns/net", pid);
	if (n < 0) {
		search->n_refused += n == -EACCES || n == -EPERM;
		return 0;
	}
	uint64_t inode = inode_of_link(text, "net");
	int r = 0;
	if (!find(search->found, inode) || pid == 1)
		r = add(search, host_openat(search->host, O_RDONLY, "proc/%d/ns/net", pid), pid,
			NULL);
	return r < 0 ? r : visit_mounts(search, pid);
}

static int visit_processes(struct search *search)
{
	int fd = host_openat(search->host, O_RDONLY | O_DIRECTORY, "proc");
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		closep(&fd);
		return fd < 0 ? fd : -errno;
	}
	int r = 0;
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
		uint32_t pid;
		if (number_u32(entry->d_name, 1, INT32_MAX, &pid) == 0)
			r = visit_process(search, (int32_t)pid);
	}
	closedir(directory);
	return r;
}

static int visit_names(struct search *search)
{
	int fd = host_openat(search->host, O_RDONLY | O_DIRECTORY, "run/netns");
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		closep(&fd);
		return 0;
	}
	int r = 0;
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
		if (entry->d_name[0] != '.')
			r = add(search,
				host_openat(search->host, O_RDONLY, "run/netns/%s", entry->d_name),
				0, entry->d_name);
	closedir(directory);
	return r;
}

static int find_one(struct search *search, const struct netns_scope *scope, struct error *err)
{
	int fd = -ENOENT;
	if (scope->choice == NETNS_PID)
		fd = host_openat(search->host, O_RDONLY, "proc/%d/ns/net", scope->pid);
	else if (scope->name[0] && !strchr(scope->name, '/') && strcmp(scope->name, "..") != 0)
		fd = host_openat(search->host, O_RDONLY, "run/netns/%s", scope->name);
	if (fd < 0) {
		if (scope->choice == NETNS_PID)
			return error_set(err, fd, "open the network namespace of process %d",
					 scope->pid);
		error_set(err, fd, "open the network namespace %.60s", scope->name);
		if (fd == -ENOENT)
			error_hint(err, "`ip netns` lists the names; a process's is --netns PID");
		return fd;
	}
	return add(search, fd, scope->choice == NETNS_PID ? scope->pid : 0,
		   scope->choice == NETNS_NAME ? scope->name : NULL);
}

static int find_all(struct search *search, struct sink *sink)
{
	int r = visit_names(search);
	if (r >= 0)
		r = visit_processes(search);
	bool may_enter = privilege_has(21); /* CAP_SYS_ADMIN: setns */
	uint64_t n_closed = 0;
	for (uint32_t i = 0; i < search->found->n && !may_enter; i++)
		n_closed += !((struct found_netns *)vector_at(search->found, i))->is_self;
	if (r >= 0 && n_closed)
		r = sink->missing(sink, &(struct missing){.what = WHAT_NETNS,
							  .why = WHY_PERMISSION,
							  .count = n_closed,
							  .hint = "run it with sudo"});
	return r;
}

int netns_find(struct host *host, const struct netns_scope *scope, struct vector *ret,
	       struct sink *sink, struct error *err)
{
	struct search search = {.host = host, .found = ret};
	struct stat status;
	if (!host->is_live)
		return 0;
	if (stat("/proc/self/ns/net", &status) < 0)
		return error_set(err, -errno, "read the own network namespace");
	search.own = status.st_ino;
	vector_init(&search.mounts, sizeof(uint64_t));

	int r = 0;
	if (scope->choice == NETNS_ALL || scope->choice == NETNS_SELF)
		r = add(&search, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), 0, NULL);
	if (scope->choice == NETNS_ALL && r >= 0)
		r = find_all(&search, sink);
	if (scope->choice == NETNS_NAME || scope->choice == NETNS_PID)
		r = find_one(&search, scope, err);
	vector_done(&search.mounts);
	debug(NETNS, "%u namespaces, %llu refused", ret->n, (unsigned long long)search.n_refused);
	return r < 0 && !(err && err->code) ? error_set(err, r, "find the network namespaces") : r;
}

void netns_list_done(struct vector *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		closep(&((struct found_netns *)vector_at(list, i))->fd);
	vector_done(list);
}

int netns_of_socket(const struct host *host, int32_t pid, int32_t fd, struct found_netns *ret)
{
	struct stat status;
	if (!host->is_live)
		return -ENOTSUP;
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	cleanup(closep) int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	cleanup(closep) int netns = copy < 0 ? -1 : ioctl(copy, SIOCGSKNS);
	if (netns < 0 || fstat(netns, &status) < 0)
		return -errno;
	*ret = (struct found_netns){.inode = status.st_ino, .fd = TAKE_FD(netns)};
	return 0;
}

int netns_of_descriptor(const struct host *host, int32_t pid, int32_t fd, struct found_netns *ret)
{
	char link[64];
	struct stat status;
	ssize_t n = host_readlink(host, link, sizeof(link), "proc/%d/fd/%d", pid, fd);
	if (n < 0 || !inode_of_link(link, "net"))
		return n < 0 ? (int)n : -ENOENT;
	cleanup(closep) int netns = host_openat(host, O_RDONLY, "proc/%d/fd/%d", pid, fd);
	if (netns < 0 || fstat(netns, &status) < 0)
		return netns < 0 ? netns : -errno;
	*ret = (struct found_netns){.inode = status.st_ino, .fd = TAKE_FD(netns)};
	return 0;
}

int netns_call(const struct found_netns *netns, int (*call)(void *), void *data)
{
	if (netns->fd < 0)
		return call(data);
	cleanup(closep) int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(netns->fd, CLONE_NEWNET) < 0)
		return -errno;
	int r = call(data);
	/* in the wrong namespace nothing true can be said any more */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return r;
}

static int open_socket(void *data)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, *(int *)data);
	return fd < 0 ? -errno : fd;
}

int netns_socket(const struct found_netns *netns, int protocol)
{
	return netns_call(netns, open_socket, &protocol);
}
