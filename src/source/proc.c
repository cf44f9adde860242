/* The walk over /proc/PID/fd. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/format.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "source/proc.h"

#define ENTRIES_SIZE 32768
#define RING_MAX (1 << 20)
#define SIDE_BY_SIDE_FROM 24 /* processes; below it a second thread costs more than it brings */

/* linux_dirent64, getdents64(2) */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* One descriptor as a thread of the walk found it. */
struct found_fd {
	uint32_t inode;
	int32_t pid, fd;
};

/* What one thread of the walk has read; the processes are handed out one by one. */
struct part {
	struct host *host;
	const int32_t *pids;
	uint32_t n_pids;
	_Atomic uint32_t *next;
	struct vector found; /* struct found_fd */
	struct vector rings; /* struct found_fd without inode */
	struct vector netns; /* struct found_fd */
	uint64_t n_refused;
	bool is_counted; /* the size of a directory of descriptors is their number */
	int error;
};

/* Since Linux 6.2 the size of the directory is the number of descriptors, before it is 0
 * (proc_fd_getattr in the kernel's fs/proc/fd.c). */
static bool counts_descriptors(const struct host *host)
{
	struct stat status;
	return fstatat(host->proc, "self/fd", &status, 0) == 0 && status.st_size > 0;
}

uint32_t proc_parse_link(const char *text, size_t n)
{
	static const char kind[] = "socket:[";
	uint64_t inode;
	const char *at = text + sizeof(kind) - 1;
	if (n < sizeof(kind) || memcmp(text, kind, sizeof(kind) - 1) != 0 ||
	    number_scan(&at, text + n, 10, &inode) < 0 || at != text + n - 1 || *at != ']' ||
	    inode > UINT32_MAX)
		return 0;
	return (uint32_t)inode;
}

int proc_parse_ring(const char *text, size_t n, int (*each)(void *data, uint32_t inode), void *data)
{
	for (const char *line = text, *end = text + n; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end, *at = line;
		uint64_t slot;
		while (at < stop && *at == ' ')
			at++;
		if (number_scan(&at, stop, 10, &slot) == 0 && at + 2 < stop && at[0] == ':' &&
		    at[1] == ' ') {
			uint32_t inode = proc_parse_link(at + 2, (size_t)(stop - at - 2));
			int r = inode ? each(data, inode) : 0;
			if (r < 0)
				return r;
		}
		line = stop + 1;
	}
	return 0;
}

static int add_fd(struct part *part, int32_t pid, int32_t fd, const char *link, size_t n)
{
	static const char ring[] = "anon_inode:[io_uring]", netns[] = "net:[";
	uint32_t inode = proc_parse_link(link, n);
	struct vector *to = &part->found;
	if (!inode && n == sizeof(ring) - 1 && memcmp(link, ring, n) == 0) {
		to = &part->rings;
	} else if (!inode && n >= sizeof(netns) && memcmp(link, netns, sizeof(netns) - 1) == 0) {
		uint64_t number;
		const char *at = link + sizeof(netns) - 1;
		if (number_scan(&at, link + n, 10, &number) < 0 || number > UINT32_MAX)
			return 0;
		inode = (uint32_t)number;
		to = &part->netns;
	} else if (!inode) {
		return 0;
	}
	struct found_fd *found = vector_add(to);
	if (!found)
		return -ENOMEM;
	*found = (struct found_fd){.inode = inode, .pid = pid, .fd = fd};
	return 0;
}

static void join_path(char *to, const char *pid, const char *more, const char *tid, const char *end)
{
	for (const char *part = pid; *part;)
		*to++ = *part++;
	for (const char *part = more; *part;)
		*to++ = *part++;
	for (const char *part = tid; *part;)
		*to++ = *part++;
	for (const char *part = end; *part;)
		*to++ = *part++;
	*to = '\0';
}

/* The descriptors in the directory at @path beneath /proc. 0, -EACCES, -ENOENT (gone), -ENOMEM. */
static int read_table(struct part *part, int32_t pid, const char *path)
{
	cleanup(closep) int directory =
		openat(part->host->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;

	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	for (;;) {
		long n = syscall(SYS_getdents64, directory, entries, sizeof(entries));
		if (n <= 0)
			return n < 0 && errno != ENOENT ? -errno : 0;
		for (long at = 0; at < n;) {
			const struct entry *entry = (const struct entry *)(entries + at);
			char link[64];
			const char *digits = entry->name;
			uint64_t fd;
			at += entry->length;
			if (entry->name[0] == '.' ||
			    number_scan(&digits, digits + 11, 10, &fd) < 0 || fd > INT32_MAX)
				continue;
			ssize_t length = readlinkat(directory, entry->name, link, sizeof(link));
			if (length < 0 && (errno == EACCES || errno == EPERM))
				return -EACCES;
			int r = length > 0 ? add_fd(part, pid, (int32_t)fd, link, (size_t)length)
					   : 0;
			if (r < 0)
				return r;
		}
	}
}

static int compare_found(const void *a, const void *b)
{
	const struct found_fd *one = a, *other = b;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	return one->fd < other->fd ? -1 : one->fd > other->fd;
}

/* Of what is behind @first, each socket and number once. */
static void unite(struct vector *found, uint32_t first)
{
	struct found_fd *at = vector_at(found, first);
	uint32_t n = found->n - first, n_kept = 0;
	if (n < 2)
		return;
	qsort(at, n, sizeof(*at), compare_found);
	for (uint32_t i = 0; i < n; i++)
		if (!i || compare_found(&at[i], &at[n_kept - 1]) != 0)
			at[n_kept++] = at[i];
	found->n = first + n_kept;
}

/* A thread may have a table of its own (unshare(CLONE_FILES)), or outlive its leader, whose table
 * is then empty. What stood in the process's other tables from @first on is not told again. */
static int read_threads(struct part *part, int32_t pid, const char *pid_text, uint32_t first,
			uint32_t first_ring)
{
	char path[64];
	join_path(path, pid_text, "/task", "", "");
	struct stat status;
	if (fstatat(part->host->proc, path, &status, 0) < 0 || status.st_nlink <= 3)
		return 0; /* one thread: . .. and itself */

	cleanup(closep) int directory =
		openat(part->host->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return 0;
	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	for (;;) {
		long n = syscall(SYS_getdents64, directory, entries, sizeof(entries));
		if (n <= 0)
			return 0;
		for (long at = 0; at < n;) {
			const struct entry *entry = (const struct entry *)(entries + at);
			uint32_t tid;
			at += entry->length;
			if (number_u32(entry->name, 1, INT32_MAX, &tid) < 0 || (int32_t)tid == pid)
				continue;
			/* 0: the leader's table, which was read */
			if (part->host->is_live &&
			    syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) == 0)
				continue;
			join_path(path, pid_text, "/task/", entry->name, "/fd");
			int r = read_table(part, pid, path);
			if (r == -ENOMEM || r == -EACCES)
				return r;
			unite(&part->found, first);
			unite(&part->rings, first_ring);
		}
	}
}

static int walk_process(struct part *part, int32_t pid)
{
	char path[64], text[FORMAT_NUMBER_MAX + 1];
	uint32_t first = part->found.n, first_ring = part->rings.n;
	text[format_u64(text, (uint64_t)pid)] = '\0';
	join_path(path, text, "/fd", "", "");
	struct stat status;
	int r = read_table(part, pid, path);
	bool is_refused = r == -EACCES || r == -EPERM;
	/* a table without descriptors hides nothing: the kernel's, or that of a leader who has gone
	 * and is root's now, while its threads are still their user's */
	bool is_empty = is_refused && part->is_counted &&
			fstatat(part->host->proc, path, &status, 0) == 0 && status.st_size == 0;
	if (r == 0 || is_empty)
		r = read_threads(part, pid, text, first, first_ring);
	if (r == -ENOMEM)
		return r;
	part->n_refused += is_refused && (r == -EACCES || r == -EPERM);
	return 0; /* or it ended under way */
}

static void *run_part(void *data)
{
	struct part *part = data;
	for (uint32_t i; part->error >= 0 && (i = (*part->next)++) < part->n_pids;) {
		if (stop_wanted(part->host->stop))
			break;
		int r = walk_process(part, part->pids[i]);
		part->error = r < 0 ? r : 0;
	}
	return NULL;
}

int proc_pids(struct host *host, struct vector *ret)
{
	cleanup(closep) int directory =
		openat(host->root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	for (;;) {
		long n = syscall(SYS_getdents64, directory, entries, sizeof(entries));
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (long at = 0; at < n;) {
			const struct entry *entry = (const struct entry *)(entries + at);
			uint32_t pid;
			at += entry->length;
			if (entry->name[0] < '1' || entry->name[0] > '9' ||
			    number_u32(entry->name, 1, INT32_MAX, &pid) < 0)
				continue;
			int32_t *added = vector_add(ret);
			if (!added)
				return -ENOMEM;
			*added = (int32_t)pid;
		}
	}
}

struct ring_sink {
	struct sink *sink;
	int32_t pid;
};

static int on_registered(void *data, uint32_t inode)
{
	struct ring_sink *ring = data;
	return ring->sink->holder(ring->sink, inode, ring->pid, -1);
}

int proc_read_ring(struct host *host, int32_t pid, int32_t fd, struct sink *sink)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, RING_MAX, "proc/%d/fdinfo/%d", pid, fd);
	struct ring_sink ring = {sink, pid};
	return n < 0 ? 0 : proc_parse_ring(text, (size_t)n, on_registered, &ring);
}

static int hand_over(struct host *host, const struct part *part, struct sink *sink)
{
	int r = part->error;
	for (uint32_t i = 0; r >= 0 && i < part->found.n; i++) {
		const struct found_fd *found = vector_at(&part->found, i);
		r = sink->holder(sink, found->inode, found->pid, found->fd);
	}
	for (uint32_t i = 0; r >= 0 && i < part->rings.n; i++) {
		const struct found_fd *ring = vector_at(&part->rings, i);
		r = proc_read_ring(host, ring->pid, ring->fd, sink);
	}
	for (uint32_t i = 0; r >= 0 && sink->netns && i < part->netns.n; i++) {
		const struct found_fd *netns = vector_at(&part->netns, i);
		r = sink->netns(sink, netns->inode, netns->pid, netns->fd);
	}
	return r;
}

int proc_read_process(struct host *host, int32_t pid, struct sink *sink)
{
	struct part part = {.host = host};
	vector_init(&part.found, sizeof(struct found_fd));
	vector_init(&part.rings, sizeof(struct found_fd));
	part.error = walk_process(&part, pid);
	int r = part.n_refused ? -EACCES : hand_over(host, &part, sink);
	vector_done(&part.found);
	vector_done(&part.rings);
	return r;
}

static void run_all(struct part *parts, unsigned n)
{
	pthread_t threads[8];
	bool is_running[8] = {false};
	for (unsigned i = 1; i < n; i++)
		is_running[i] = pthread_create(&threads[i], NULL, run_part, &parts[i]) == 0;
	run_part(&parts[0]);
	for (unsigned i = 1; i < n; i++) {
		if (is_running[i])
			pthread_join(threads[i], NULL);
		else
			run_part(&parts[i]);
	}
}

int proc_walk(struct host *host, const struct query *query, unsigned n_threads, struct sink *sink,
	      struct error *err)
{
	(void)query;
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	int r = proc_pids(host, &pids);
	if (r < 0)
		return error_set(err, r, "list the processes");

	struct part parts[8];
	unsigned n = pids.n < SIDE_BY_SIDE_FROM || n_threads < 1 ? 1
		     : n_threads > 8				 ? 8
								 : n_threads;
	_Atomic uint32_t next = 0;
	bool is_counted = counts_descriptors(host);
	for (unsigned i = 0; i < n; i++) {
		parts[i] = (struct part){.host = host,
					 .pids = pids.data,
					 .n_pids = pids.n,
					 .next = &next,
					 .is_counted = is_counted};
		vector_init(&parts[i].found, sizeof(struct found_fd));
		vector_init(&parts[i].rings, sizeof(struct found_fd));
		vector_init(&parts[i].netns, sizeof(struct found_fd));
	}
	run_all(parts, n);

	uint64_t n_refused = 0;
	for (unsigned i = 0; i < n; i++) {
		n_refused += parts[i].n_refused;
		if (r >= 0)
			r = hand_over(host, &parts[i], sink);
		vector_done(&parts[i].found);
		vector_done(&parts[i].rings);
		vector_done(&parts[i].netns);
	}
	if (r >= 0 && n_refused) {
		struct missing missing = {.what = WHAT_PROCESSES,
					  .why = WHY_PERMISSION,
					  .count = n_refused,
					  .hint = "run it with sudo"};
		if (privilege_sees_others()) {
			missing.why = WHY_INIT;
			missing.hint = "their descriptors may not be read here even by root";
		}
		r = sink_tell(sink, &missing);
	}
	return r < 0 ? error_set(err, r, "read the descriptors of the processes") : 0;
}

uint64_t proc_count_descriptors(struct host *host, uint64_t enough)
{
	struct stat status;
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	if (proc_pids(host, &pids) < 0)
		return 0;
	/* where they are not counted a process is taken for twenty */
	bool is_counted = counts_descriptors(host);
	uint64_t count = 0;
	for (uint32_t i = 0; i < pids.n && count < enough; i++) {
		char path[64], text[FORMAT_NUMBER_MAX + 1];
		text[format_u64(text, (uint64_t) * (int32_t *)vector_at(&pids, i))] = '\0';
		join_path(path, text, "/fd", "", "");
		if (!is_counted)
			count += 20;
		else if (fstatat(host->proc, path, &status, 0) == 0)
			count += (uint64_t)status.st_size;
	}
	return count;
}
