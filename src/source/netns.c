/* The network namespaces of a host, and the way into them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/debug.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "base/text.h"
#include "source/container-name.h"
#include "source/netns.h"

#define NETNS_MAX 16384
#define MOUNTINFO_MAX (4 << 20)

struct search {
	struct host *host;
	struct vector *found;
	uint64_t own;
	uint64_t n_refused;
	struct vector mounts; /* uint64_t: mount namespaces that were read */
	uint64_t last_mount;  /* of the last process: neighbours mostly share it */
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

/* Opens what should be a namespace: a name of /run/netns whose mount is gone is an empty file, and
 * a path in another's mounts may be anything, so it is looked at before it is opened for good. */
static int open_namespace(const struct host *host, const char *path)
{
	struct statfs status;
	char again[64];
	cleanup(closep) int looked = host_openat(host, O_PATH, "%s", path);
	if (looked < 0)
		return looked;
	if (fstatfs(looked, &status) < 0)
		return -errno;
	if (status.f_type != NSFS_MAGIC)
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", looked);
	int fd = open(again, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* include/uapi/linux/nsfs.h, NET_NS_INIT_INO, since Linux 6.16. Before, it is only pid 1's. */
#define INITIAL_INODE 0xEFFFFFF9u

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
		known->is_initial = pid == 1 || status.st_ino == INITIAL_INODE;
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

/* Spaces and the like stand as \ooo in mountinfo. */
static size_t decode(const char *from, size_t n, char *to, size_t size)
{
	size_t length = 0;
	for (size_t i = 0; i < n && length + 1 < size; i++) {
		bool is_octal = from[i] == '\\' && n - i > 3 && from[i + 1] >= '0' &&
				from[i + 1] <= '3' && from[i + 2] >= '0' && from[i + 2] <= '7' &&
				from[i + 3] >= '0' && from[i + 3] <= '7';
		to[length++] = is_octal ? (char)((from[i + 1] - '0') << 6 |
						 (from[i + 2] - '0') << 3 | (from[i + 3] - '0'))
					: from[i];
		i += is_octal ? 3 : 0;
	}
	to[length] = '\0';
	return length;
}

/* The namespace that is mounted at @point as process @pid sees it. */
static int add_mount(struct search *search, int32_t pid, uint64_t inode, const char *point)
{
	static const char run[] = "/run/netns/";
	const char *name = NULL;
	if (strncmp(point, run, sizeof(run) - 1) == 0 && strlen(point) < 64 &&
	    !strchr(point + sizeof(run) - 1, '/'))
		name = point + sizeof(run) - 1;

	struct found_netns *known = find(search->found, inode);
	if (known) {
		if (name && !known->name[0])
			snprintf(known->name, sizeof(known->name), "%s", name);
		return 0;
	}
	char path[1200];
	snprintf(path, sizeof(path), "proc/%d/root%s", pid, point);
	return add(search, open_namespace(search->host, path), 0, name);
}

/* 1, 0 where they cannot be read, or -ENOMEM. */
static int add_mounts(struct search *search, int32_t pid)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(search->host, &text, MOUNTINFO_MAX, "proc/%d/mountinfo", pid);
	if (n < 0 || !strstr(text, " net:["))
		return n >= 0;
	int r = 0;
	for (char *line = text; r >= 0 && line < text + n;) {
		char *end = memchr(line, '\n', (size_t)(text + n - line));
		size_t length = end ? (size_t)(end - line) : (size_t)(text + n - line),
		       point_length;
		const char *point;
		char decoded[1024];
		uint64_t inode;
		if (netns_parse_mount(line, length, &inode, &point, &point_length) &&
		    decode(point, point_length, decoded, sizeof(decoded)) + 1 < sizeof(decoded))
			r = add_mount(search, pid, inode, decoded);
		line += length + 1;
	}
	return r < 0 ? r : 1;
}

/* Each mount namespace is read once. */
static int visit_mounts(struct search *search, int32_t pid, uint64_t inode)
{
	if (!inode || inode == search->last_mount)
		return 0;
	for (uint32_t i = 0; i < search->mounts.n; i++)
		if (*(uint64_t *)vector_at(&search->mounts, i) == inode)
			return search->last_mount = inode, 0;
	int r = add_mounts(search, pid);
	if (r <= 0) /* another process in it may be readable */
		return r;
	uint64_t *added = vector_add(&search->mounts);
	if (!added)
		return -ENOMEM;
	*added = search->last_mount = inode;
	return 0;
}

static int visit_place(struct search *search, int32_t pid, uint64_t netns, uint64_t mounts)
{
	int r = 0;
	if (!find(search->found, netns) || pid == 1)
		r = add(search, host_openat(search->host, O_RDONLY, "proc/%d/ns/net", pid), pid,
			NULL);
	return r < 0 ? r : visit_mounts(search, pid, mounts);
}

static int visit_process(struct search *search, int32_t pid)
{
	char text[64];
	ssize_t n = host_readlink(search->host, text, sizeof(text), "proc/%d/ns/net", pid);
	if (n < 0) {
		search->n_refused += n == -EACCES || n == -EPERM;
		return 0;
	}
	uint64_t netns = inode_of_link(text, "net"), mounts = 0;
	if (host_readlink(search->host, text, sizeof(text), "proc/%d/ns/mnt", pid) >= 0)
		mounts = inode_of_link(text, "mnt");
	return visit_place(search, pid, netns, mounts);
}

static int visit_places(struct search *search, const struct vector *places)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < places->n; i++) {
		const struct task_place *place = vector_at(places, i);
		r = visit_place(search, place->pid, place->netns, place->mounts);
	}
	return r;
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
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
		char path[300];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "run/netns/%s", entry->d_name);
		r = add(search, open_namespace(search->host, path), 0, entry->d_name);
	}
	closedir(directory);
	return r;
}

static int find_all(struct search *search, const struct vector *places)
{
	int r = visit_names(search);
	if (r < 0)
		return r;
	return places && places->n ? visit_places(search, places) : visit_processes(search);
}

#define NAMES_MAX 256 /* that a mistyped one is held against */

static void hint_nearest(const struct vector *all, const char *name, struct error *err)
{
	const char *names[NAMES_MAX + 1] = {"self", "all"};
	uint32_t n = 2;
	for (uint32_t i = 0; i < all->n && n < NAMES_MAX; i++) {
		const struct found_netns *netns = vector_at(all, i);
		if (netns->name[0])
			names[n++] = netns->name;
	}
	const char *nearest = text_nearest(name, names);
	if (nearest)
		error_hint(err, "did you mean %.60s?", nearest);
	else
		error_hint(err, "it takes self, all, a name of `ip netns`, a container's name, "
				"or a process's PID");
}

/* A namespace that has its name in another's mounts, or is meant by its inode as rows show it.
 * -ENOENT: there is none, and what was meant is hinted at. */
static int find_among_all(struct search *search, const char *name, struct error *err)
{
	cleanup(netns_list_done) struct vector all;
	const struct vector everywhere = {0};
	vector_init(&all, sizeof(struct found_netns));
	struct search wide = {.host = search->host, .found = &all, .own = search->own};
	vector_init(&wide.mounts, sizeof(uint64_t));
	int r = find_all(&wide, &everywhere);
	vector_done(&wide.mounts);
	uint64_t inode = inode_of_link(name, "net");
	const char *at = name;
	if (!inode && (number_scan(&at, name + strlen(name), 10, &inode) < 0 || *at))
		inode = 0;
	for (uint32_t i = 0; r >= 0 && i < all.n; i++) {
		struct found_netns *netns = vector_at(&all, i);
		if (netns->inode != inode && strcmp(netns->name, name) != 0)
			continue;
		struct found_netns *added = vector_add(search->found);
		if (!added)
			return -ENOMEM;
		*added = *netns;
		netns->fd = -1;
		return 0;
	}
	if (r >= 0)
		hint_nearest(&all, name, err);
	return r < 0 ? r : -ENOENT;
}

static int find_named(struct search *search, const char *name, struct error *err)
{
	char path[300];
	int fd = -ENOENT;
	error_hint(err, "%s", "");
	if (name[0] && !strchr(name, '/') && name[0] != '.' &&
	    (size_t)snprintf(path, sizeof(path), "run/netns/%s", name) < sizeof(path))
		fd = open_namespace(search->host, path);
	if (fd >= 0)
		return add(search, fd, 0, name);
	int r = fd == -ENOENT && name[0] ? find_among_all(search, name, err) : fd;
	int32_t pid = r == -ENOENT && name[0] ? container_find_process(search->host, name) : 0;
	if (pid) {
		fd = host_openat(search->host, O_RDONLY, "proc/%d/ns/net", pid);
		r = fd < 0 ? fd : add(search, fd, pid, NULL);
	}
	if (r == -ENOENT) {
		struct error hint = err ? *err : (struct error){.code = 0};
		error_text(err, -EINVAL, "there is no network namespace %.60s", name);
		error_hint(err, "%s", hint.hint);
		return -EINVAL;
	}
	return r < 0 ? error_set(err, r, "open the network namespace %.60s", name) : 0;
}

static int find_one(struct search *search, const struct netns_scope *scope, struct error *err)
{
	if (scope->choice == NETNS_NAME)
		return find_named(search, scope->name, err);
	int fd = host_openat(search->host, O_RDONLY, "proc/%d/ns/net", scope->pid);
	if (fd == -ENOENT)
		return error_text(err, -EINVAL, "there is no process %d", scope->pid);
	if (fd < 0) {
		error_set(err, fd, "open the network namespace of process %d", scope->pid);
		if (privilege_hint())
			error_hint(err, "%s", privilege_hint());
		return fd;
	}
	return add(search, fd, scope->pid, NULL);
}

static int do_nothing(void *data unused_argument)
{
	return 0;
}

/* Whoever has the right in the first user namespace has it for all; in another it is tried. */
static bool is_initial_user_namespace(const struct host *host)
{
	char text[256];
	uint64_t inside, outside, n;
	ssize_t length = host_read(host, text, sizeof(text), "proc/self/uid_map");
	const char *at = text, *end = text + (length > 0 ? length : 0);
	uint64_t *const numbers[] = {&inside, &outside, &n};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		at += strspn(at, " ");
		if (number_scan(&at, end, 10, numbers[i]) < 0)
			return false;
	}
	return !inside && !outside && n == UINT32_MAX;
}

/* Those that may not be entered are told: what is in them is not "nothing". */
static int tell_closed(const struct search *search, struct sink *sink)
{
	bool may_enter = privilege_has(CAP_SYS_ADMIN); /* setns(2) */
	bool is_sure = !may_enter || is_initial_user_namespace(search->host);
	uint64_t n_closed = 0;
	for (uint32_t i = 0; i < search->found->n; i++) {
		const struct found_netns *netns = vector_at(search->found, i);
		bool is_open = netns->is_self || may_enter;
		if (is_open && !is_sure && !netns->is_self)
			is_open = netns_call(netns, do_nothing, NULL) != -EPERM;
		n_closed += !is_open;
	}
	if (!n_closed)
		return 0;
	return sink_tell(sink, &(struct missing){.what = WHAT_NETNS,
						 .why = WHY_PERMISSION,
						 .count = n_closed,
						 .hint = may_enter ? "run it outside the container"
								   : "run it with sudo"});
}

uint64_t netns_own_inode(void)
{
	struct stat status;
	return stat("/proc/self/ns/net", &status) < 0 ? 0 : status.st_ino;
}

int netns_find(struct host *host, const struct netns_scope *scope, const struct vector *places,
	       struct vector *ret, struct sink *sink, struct error *err)
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
		r = find_all(&search, places);
	if (scope->choice == NETNS_NAME || scope->choice == NETNS_PID)
		r = find_one(&search, scope, err);
	if (r >= 0 && sink)
		r = tell_closed(&search, sink);
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
	snprintf(link, sizeof(link), "proc/%d/fd/%d", pid, fd);
	cleanup(closep) int netns = open_namespace(host, link);
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

int netns_new(struct found_netns *ret)
{
	struct stat status;
	cleanup(closep) int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return -errno;
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), error = errno;
	if (setns(own, CLONE_NEWNET) < 0)
		abort(); /* as in netns_call */
	if (fd < 0 || fstat(fd, &status) < 0) {
		closep(&fd);
		return -error;
	}
	*ret = (struct found_netns){.inode = status.st_ino, .fd = fd};
	return 0;
}

static int enter_user(const struct host *host, int32_t pid, bool *ret_other)
{
	char own[64], its[64];
	ssize_t n = host_readlink(host, own, sizeof(own), "proc/self/ns/user");
	if (n > 0)
		n = host_readlink(host, its, sizeof(its), "proc/%d/ns/user", pid);
	if (n < 0)
		return (int)n;
	*ret_other = strcmp(own, its) != 0;
	if (!*ret_other)
		return 0;
	cleanup(closep) int fd = host_openat(host, O_RDONLY, "proc/%d/ns/user", pid);
	return fd < 0 ? fd : setns(fd, CLONE_NEWUSER) < 0 ? -errno : 0;
}

int netns_enter(const struct host *host, int32_t pid, bool *ret_other_user)
{
	cleanup(closep) int fd = host_openat(host, O_RDONLY, "proc/%d/ns/net", pid);
	struct stat its, own;
	if (fd < 0 || fstat(fd, &its) < 0 || stat("/proc/self/ns/net", &own) < 0)
		return fd < 0 ? fd : -errno;
	int r = enter_user(host, pid, ret_other_user);
	if (r < 0 || (!*ret_other_user && its.st_ino == own.st_ino))
		return r;
	return its.st_ino != own.st_ino && setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
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
