/* What a socket lives on by. A file goes when its last reference does: a descriptor is one, and so
 * is a request or a registration of io_uring, a message that carries a descriptor, and a system
 * call that is under way (kernel's Documentation/filesystems/files.rst). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "act/guard.h"
#include "act/remains.h"
#include "base/numbers.h"
#include "source/proc.h"

#define CARRIED_MAX 253	    /* descriptors of one message: the kernel's SCM_MAX_FD */
#define LOOKED_AT_MAX 50000 /* descriptors that are asked what they carry */

/* ---- who has a descriptor ---- */

struct holder_sink {
	struct sink sink;
	const struct acting *acting;
	uint32_t inode;
	struct vector *found;
};

static const char *name_of(const struct acting *acting, int32_t pid)
{
	char name[64];
	ssize_t n = host_read(acting->host, name, sizeof(name), "proc/%d/comm", pid);
	if (n <= 0)
		return "a process";
	name[strcspn(name, "\n")] = '\0';
	return plan_text(acting->plan, "%s", name);
}

static int on_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct holder_sink *holders = (struct holder_sink *)sink;
	if (inode != holders->inode || pid == getpid())
		return 0;
	struct step_holder *holder = vector_add(holders->found);
	if (!holder)
		return -ENOMEM;
	*holder = (struct step_holder){
		.pid = pid,
		.fd = fd,
		.start_ticks = guard_start_ticks(holders->acting->host, pid),
		.name = name_of(holders->acting, pid),
	};
	return 0;
}

int remains_find_holders(const struct acting *acting, const struct identity *target,
			 struct vector *ret)
{
	struct query query = {.bounds = BOUNDS_ALL};
	struct holder_sink holders = {.sink = {.holder = on_holder},
				      .acting = acting,
				      .inode = target->inode,
				      .found = ret};
	return target->inode ? proc_walk(acting->host, &query, 2, &holders.sink, NULL) : 0;
}

/* ---- every descriptor of a process, every thread ---- */

/* Numbers of a directory of /proc one by one; @each returns other than 0 to end it. */
static int each_number(const struct acting *acting, int32_t pid, const char *directory,
		       int (*each)(void *data, int32_t pid, int32_t number), void *data)
{
	int fd = host_openat(acting->host, O_RDONLY | O_DIRECTORY, "proc/%d/%s", pid, directory);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;
	if (!entries) {
		closep(&fd);
		return 0;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(entries));) {
		uint32_t number;
		if (number_u32(entry->d_name, 0, INT32_MAX, &number) == 0)
			r = each(data, pid, (int32_t)number);
	}
	closedir(entries);
	return r;
}

struct search {
	const struct acting *acting;
	const struct step *step;
	unsigned n_left;
	const char *found; /* the words; NULL: nothing yet */
};

static int each_process(struct search *search, const char *directory,
			int (*each)(void *data, int32_t pid, int32_t number))
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	int r = proc_pids(search->acting->host, &pids);
	for (uint32_t i = 0; r == 0 && i < pids.n; i++) {
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		if (pid != getpid())
			r = each_number(search->acting, pid, directory, each, search);
	}
	return r;
}

/* ---- io_uring: a request that waits ---- */

/* "PollList:\n  op=13, task_works=0": requests that wait for their file (io_uring/fdinfo.c). */
static const char *waiting_request(const char *text)
{
	static const struct {
		const char *line, *words;
	} requests[] = {
		{"\n  op=13,", "an accept"}, {"\n  op=6,", "a poll"},  {"\n  op=10,", "a recvmsg"},
		{"\n  op=27,", "a recv"},    {"\n  op=22,", "a read"},
	};
	const char *list = strstr(text, "\nPollList:");
	for (size_t i = 0; list && i < ARRAY_SIZE(requests); i++)
		if (strstr(list, requests[i].line))
			return requests[i].words;
	return NULL;
}

/* The kernel leaves the list out while somebody has the ring's lock, so an empty one is read again.
 */
#define RING_TRIES 5

static const char *request_of_ring(const struct host *host, int32_t pid, int32_t fd)
{
	const char *request = NULL;
	for (unsigned i = 0; !request && i < RING_TRIES; i++) {
		cleanup(freep) char *text = NULL;
		if (i)
			sched_yield();
		if (host_read_all(host, &text, 1 << 20, "proc/%d/fdinfo/%d", pid, fd) <= 0)
			return NULL;
		request = waiting_request(text);
	}
	return request;
}

static int look_at_ring(void *data, int32_t pid, int32_t fd)
{
	struct search *search = data;
	const struct acting *acting = search->acting;
	char link[64];
	ssize_t n = host_readlink(acting->host, link, sizeof(link), "proc/%d/fd/%d", pid, fd);
	static const char ring[] = "anon_inode:[io_uring]";
	if (n != (ssize_t)sizeof(ring) - 1 || memcmp(link, ring, (size_t)n) != 0)
		return 0;
	const char *request = request_of_ring(acting->host, pid, fd);
	if (request)
		search->found = plan_text(
			acting->plan,
			"%s of io_uring that %s (pid %d) has under way keeps it; it goes when that "
			"is done or the ring is closed",
			request, name_of(acting, pid), pid);
	return request != NULL;
}

static void find_request(struct search *search)
{
	const struct step *step = search->step;
	for (uint32_t i = 0; !search->found && i < step->n_holders; i++)
		each_number(search->acting, step->holders[i].pid, "fd", look_at_ring, search);
}

/* ---- a descriptor in a message ---- */

static bool is_target(int fd, const struct identity *target)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	struct stat status;
	if (fstat(fd, &status) < 0 || status.st_ino != target->inode)
		return false;
	return !target->cookie ||
	       (getsockopt(fd, SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &length) == 0 &&
		cookie == target->cookie);
}

/* Looks at the first message that waits, which stays where it is: what it carries comes as copies.
 */
static bool carries_target(int through, const struct identity *target)
{
	static char control[CMSG_SPACE(CARRIED_MAX * sizeof(int))] __attribute__((aligned(8)));
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	bool is_carried = false;
	if (recvmsg(through, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return false;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
	     header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			cleanup(closep) int fd = -1;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			is_carried |= is_target(fd, target);
		}
	}
	return is_carried;
}

/* "scm_fds: 1": descriptors in the messages that wait at a socket of AF_UNIX (net/unix/af_unix.c).
 */
static int look_at_mail(void *data, int32_t pid, int32_t fd)
{
	struct search *search = data;
	const struct acting *acting = search->acting;
	char text[1024];
	if (!search->n_left--)
		return -E2BIG;
	if (host_readlink(acting->host, text, sizeof(text), "proc/%d/fd/%d", pid, fd) < 8 ||
	    memcmp(text, "socket:[", 8) != 0 ||
	    host_read(acting->host, text, sizeof(text), "proc/%d/fdinfo/%d", pid, fd) <= 0)
		return 0;
	const char *count = strstr(text, "\nscm_fds: ");
	if (!count || count[10] == '0')
		return 0;
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	cleanup(closep) int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (copy >= 0 && carries_target(copy, &search->step->target)) {
		search->found = plan_text(acting->plan,
					  "a descriptor of it is in a message that %s (pid %d) has "
					  "not received yet",
					  name_of(acting, pid), pid);
		return 1;
	}
	search->found = plan_text(acting->plan,
				  "a descriptor of it may be in a message that %s (pid %d) has not "
				  "received yet",
				  name_of(acting, pid), pid);
	return 0; /* another may be the one for sure */
}

/* ---- a call that is under way ---- */

static const struct {
	long number;
	const char *name;
	bool is_of_listener;
} waiting_calls[] = {
	{SYS_accept, "accept", true}, {SYS_accept4, "accept", true}, {SYS_recvfrom, "recvfrom"},
	{SYS_recvmsg, "recvmsg"},     {SYS_recvmmsg, "recvmmsg"},    {SYS_read, "read"},
};

static const char *waiting_call(uint64_t number, bool is_listener)
{
	for (size_t i = 0; i < ARRAY_SIZE(waiting_calls); i++)
		if ((uint64_t)waiting_calls[i].number == number &&
		    waiting_calls[i].is_of_listener == is_listener)
			return waiting_calls[i].name;
	return NULL;
}

/* A thread of the kernel has no program. */
static bool is_kernels(const struct acting *acting, int32_t pid)
{
	char link[8];
	return host_readlink(acting->host, link, sizeof(link), "proc/%d/exe", pid) < 0;
}

/* "43 0x3 ...": number and first argument. A call on a descriptor that is there is another
 * socket's, or the stand-in's. */
static int look_at_call(void *data, int32_t pid, int32_t tid)
{
	struct search *search = data;
	const struct acting *acting = search->acting;
	char text[256], link[64];
	const char *at = text;
	uint64_t number, fd;
	ssize_t n =
		host_read(acting->host, text, sizeof(text), "proc/%d/task/%d/syscall", pid, tid);
	if (n <= 0 || number_scan(&at, text + n, 10, &number) < 0 || strncmp(at, " 0x", 3) != 0)
		return 0;
	at += 3;
	const char *name = waiting_call(number, search->step->target.state == STATE_LISTEN);
	if (!name || number_scan(&at, text + n, 16, &fd) < 0 || fd > INT32_MAX ||
	    is_kernels(acting, pid) ||
	    host_readlink(acting->host, link, sizeof(link), "proc/%d/task/%d/fd/%d", pid, tid,
			  (int)fd) != -ENOENT)
		return 0;
	search->found = plan_text(acting->plan,
				  "thread %d of %s (pid %d) waits in %s() on a descriptor that was "
				  "closed meanwhile: that keeps it until the call returns",
				  tid, name_of(acting, pid), pid, name);
	return 1;
}

/* ---- the whole ---- */

static const char *explain_holder(const struct acting *acting, const struct step_holder *holder)
{
	if (holder->fd < 0)
		return plan_text(
			acting->plan,
			"a ring of io_uring of %s (pid %d) has it registered: it goes when "
			"that ring does",
			holder->name, holder->pid);
	return plan_text(acting->plan, "%s (pid %d) has a descriptor of it again", holder->name,
			 holder->pid);
}

const char *remains_explain(const struct acting *acting, const struct step *step,
			    const struct vector *held)
{
	struct search search = {.acting = acting, .step = step, .n_left = LOOKED_AT_MAX};
	if (held->n)
		return explain_holder(acting, vector_at(held, 0));
	find_request(&search);
	if (!search.found)
		each_process(&search, "task", look_at_call);
	if (!search.found)
		each_process(&search, "fd", look_at_mail);
	return search.found ? search.found
			    : "no process that may be inspected has a descriptor of it: something "
			      "in the kernel keeps it, such as a request of io_uring";
}
