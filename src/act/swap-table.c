/* One table of descriptors: the stand-in is brought, takes the socket's numbers, or gives them
 * back.
 *
 * How it comes into the table: what we make is not the process's, and a message (SCM_RIGHTS) needs
 * a socket between the two. The process makes a socketpair, we take one end by pidfd_getfd(2), and
 * the process receives the stand-in from the other. That asks for no file, no address, no network
 * namespace and no library of the process, so a chroot, another namespace and a static program make
 * no difference; and nobody else can come between. Had the process made a listener itself, it would
 * be in its own network namespace, where the port would be taken again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "act/swap-table.h"
#include "base/debug.h"
#include "base/numbers.h"
#include "source/proc.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

#define PAGE_SIZE_HERE 4096
#define CANDIDATES_MAX 64 /* threads that are tried */
#define NUMBERS_MORE 4	  /* that are in use while we work */

/* What is written to the borrowed page. */
struct borrowed {
	uint64_t answer; /* a cookie; a pair of descriptors */
	uint64_t length;
	struct msghdr message;
	struct iovec iov;
	char control[CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(8))); /* struct cmsghdr, then the number */
	char byte[8];
};
_Static_assert(sizeof(struct borrowed) % 8 == 0 && sizeof(struct borrowed) <= PAGE_SIZE_HERE,
	       "it is read and written in words");

#define AT(table, member) ((table)->page + offsetof(struct borrowed, member))

/* ---- what /proc shows ---- */

/* "flags:\t02004002": the flags of the file, and whether the number is close-on-exec. */
static bool read_flags(const struct swap_table *table, struct table_number *number)
{
	char text[1024];
	uint64_t flags = 0;
	ssize_t n = host_read(table->host, text, sizeof(text), "proc/%d/task/%d/fdinfo/%d",
			      table->pid, table->tid, number->fd);
	const char *at = n <= 0 ? NULL : strstr(text, "flags:\t");
	if (!at)
		return false;
	for (at += 7; *at >= '0' && *at <= '7'; at++)
		flags = flags << 3 | (uint64_t)(*at - '0');
	number->is_cloexec = flags & O_CLOEXEC;
	number->is_nonblocking = flags & O_NONBLOCK;
	return true;
}

static void add_number(struct swap_table *table, int32_t fd)
{
	struct table_number number = {.fd = fd};
	if (!read_flags(table, &number))
		return;
	if (table->n_numbers == TABLE_NUMBERS_MAX)
		table->is_cut = true;
	else
		table->numbers[table->n_numbers++] = number;
}

bool swap_look_again(struct swap_table *table, uint32_t inode)
{
	uint32_t n_same = 0;
	for (uint32_t i = 0; i < table->n_numbers; i++) {
		struct table_number number = table->numbers[i];
		char link[64];
		ssize_t n = host_readlink(table->host, link, sizeof(link), "proc/%d/task/%d/fd/%d",
					  table->pid, table->tid, number.fd);
		if (n > 0 && proc_parse_link(link, (size_t)n) == inode &&
		    read_flags(table, &number))
			table->numbers[n_same++] = number;
	}
	table->n_numbers = n_same;
	return n_same > 0;
}

int swap_find(struct swap_table *table, uint32_t inode)
{
	int fd = host_openat(table->host, O_RDONLY | O_DIRECTORY, "proc/%d/task/%d/fd", table->pid,
			     table->tid);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	table->n_numbers = 0;
	if (!directory) {
		int r = fd < 0 ? fd : -ENOMEM;
		closep(&fd);
		return r == -ENOENT ? -ESRCH : r;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		char link[64];
		uint32_t number;
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link));
		if (n > 0 && proc_parse_link(link, (size_t)n) == inode &&
		    number_u32(entry->d_name, 0, INT32_MAX, &number) == 0)
			add_number(table, (int32_t)number);
	}
	closedir(directory);
	return 0;
}

/* ---- which thread does it ---- */

int swap_choose(struct swap_table *table, const struct hold *hold, struct error *err)
{
	int r = error_set(err, -ESRCH, "find a thread of pid %d", table->pid);
	unsigned n_tried = 0;
	for (uint32_t i = 0; i < hold->threads.n && n_tried < CANDIDATES_MAX; i++) {
		const struct held_thread *thread = hold_thread(hold, i);
		if (thread->table != table->number || thread->is_gone)
			continue;
		n_tried++;
		r = inject_prepare(table->host, thread->pid, thread->tid, &table->injection, err);
		if (r == 0)
			return 0;
	}
	return r;
}

/* ---- calls ---- */

/* What the call gave, or negative errno, of the call or of making it. */
static int64_t call(struct swap_table *table, int64_t number, uint64_t a, uint64_t b, uint64_t c,
		    uint64_t d, uint64_t e)
{
	const uint64_t arguments[6] = {a, b, c, d, e, 0};
	int64_t result = 0;
	int r = inject_call(&table->injection, number, arguments, &result);
	return r < 0 ? r : result;
}

static int read_answer(const struct swap_table *table, uint64_t *ret)
{
	return inject_read(&table->injection, table->page, ret, sizeof(*ret));
}

static int borrow_page(struct swap_table *table)
{
	const uint64_t arguments[6] = {
		0, PAGE_SIZE_HERE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX,
		0};
	int64_t result = 0;
	int r = inject_call(&table->injection, SYS_mmap, arguments, &result);
	if (r < 0 || (result < 0 && result > -4096))
		return r < 0 ? r : (int)result;
	table->page = (uint64_t)result;
	return 0;
}

/* 1: it is the socket; 0: another one by now. */
static int compare_cookie(struct swap_table *table, int32_t fd, uint64_t cookie)
{
	const uint64_t start[2] = {0, sizeof(cookie)};
	uint64_t found;
	int r = inject_write(&table->injection, table->page, start, sizeof(start));
	if (r < 0)
		return r;
	int64_t result = call(table, SYS_getsockopt, (uint64_t)fd, SOL_SOCKET, SO_COOKIE,
			      AT(table, answer), AT(table, length));
	if (result < 0)
		return result == -EBADF || result == -ENOTSOCK ? 0 : (int)result;
	r = read_answer(table, &found);
	return r < 0 ? r : found == cookie;
}

static int compare_cookies(struct swap_table *table, uint64_t cookie)
{
	uint32_t n_same = 0;
	for (uint32_t i = 0; i < table->n_numbers; i++) {
		int r = cookie ? compare_cookie(table, table->numbers[i].fd, cookie) : 1;
		if (r < 0)
			return r;
		if (r)
			table->numbers[n_same++] = table->numbers[i];
	}
	table->n_numbers = n_same;
	return 0;
}

/* ---- room for the numbers that we use ---- */

static int32_t highest(const struct swap_table *table)
{
	int32_t most = 0;
	for (uint32_t i = 0; i < table->n_numbers; i++)
		most = most > table->numbers[i].fd ? most : table->numbers[i].fd;
	return most;
}

/* dup3 wants a number below the limit, which may have been lowered since it was opened. The process
 * itself raises it, up to its hard limit: that needs no right. */
static int set_limit(struct swap_table *table, const struct rlimit *limit)
{
	int r = inject_write(&table->injection, table->page, limit, sizeof(*limit));
	return r < 0 ? r : (int)call(table, SYS_prlimit64, 0, RLIMIT_NOFILE, table->page, 0, 0);
}

static int raise_limit(struct swap_table *table, rlim_t more)
{
	struct rlimit limit, raised;
	int r = (int)call(table, SYS_prlimit64, 0, RLIMIT_NOFILE, 0, table->page, 0);
	r = r < 0 ? r : inject_read(&table->injection, table->page, &limit, sizeof(limit));
	if (r < 0)
		return r;
	raised = limit;
	if (raised.rlim_cur <= (rlim_t)highest(table))
		raised.rlim_cur = (rlim_t)highest(table) + 1;
	raised.rlim_cur += more;
	if (raised.rlim_cur > raised.rlim_max)
		return -EMFILE;
	if (raised.rlim_cur == limit.rlim_cur)
		return 0;
	r = set_limit(table, &raised);
	if (r == 0 && !table->is_raised)
		table->limit = limit;
	table->is_raised |= r == 0;
	return r;
}

/* ---- bringing it ---- */

/* A copy of descriptor @fd of the table, for us. */
static int copy_of(const struct swap_table *table, int32_t fd)
{
	cleanup(closep) int pidfd = -1;
	if (table->has_leader)
		pidfd = (int)syscall(SYS_pidfd_open, table->pid, 0);
	else
		pidfd = (int)syscall(SYS_pidfd_open, table->injection.tid, PIDFD_THREAD);
	if (pidfd < 0)
		return -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return copy < 0 ? -errno : copy;
}

/* The process takes what waits in its end of the pair. Its number in the table. */
static int receive(struct swap_table *table, int32_t through)
{
	struct borrowed borrowed = {
		.message = {.msg_iov = (struct iovec *)(uintptr_t)AT(table, iov),
			    .msg_iovlen = 1,
			    .msg_control = (void *)(uintptr_t)AT(table, control),
			    .msg_controllen = sizeof(borrowed.control)},
		.iov = {.iov_base = (void *)(uintptr_t)AT(table, byte), .iov_len = 1},
	};
	int32_t fd;
	int r = inject_write(&table->injection, table->page, &borrowed, sizeof(borrowed));
	if (r < 0)
		return r;
	int64_t result = call(table, SYS_recvmsg, (uint64_t)through, AT(table, message),
			      MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0);
	if (result < 0)
		return (int)result;
	r = inject_read(&table->injection, table->page, &borrowed, sizeof(borrowed));
	if (r < 0)
		return r;
	if (borrowed.message.msg_controllen < CMSG_LEN(sizeof(int)))
		return -EMFILE; /* there was no room for it, so the kernel left it out */
	memcpy(&fd, borrowed.control + CMSG_LEN(0), sizeof(fd));
	return fd;
}

static int bring_copy(struct swap_table *table, int stand_in)
{
	uint64_t answer;
	int32_t pair[2];
	int64_t result =
		call(table, SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, table->page, 0);
	if (result < 0)
		return (int)result;
	int r = read_answer(table, &answer);
	if (r < 0)
		return r;
	memcpy(pair, &answer, sizeof(pair));
	cleanup(closep) int ours = copy_of(table, pair[0]);
	r = ours < 0 ? ours : descriptor_send(ours, stand_in);
	r = r < 0 ? r : receive(table, pair[1]);
	call(table, SYS_close, (uint64_t)pair[0], 0, 0, 0, 0);
	call(table, SYS_close, (uint64_t)pair[1], 0, 0, 0, 0);
	return r;
}

/* Where ours cannot be brought: the process makes one of AF_UNIX, whose name the kernel chooses and
 * nobody knows. */
static int make_unix(struct swap_table *table, const struct looks *looks)
{
	uint64_t name = AF_UNIX, flags = SOCK_CLOEXEC;
	flags |= looks->is_nonblocking ? SOCK_NONBLOCK : 0;
	flags |= looks->is_listening ? SOCK_STREAM : SOCK_DGRAM;
	int64_t fd = call(table, SYS_socket, AF_UNIX, flags, 0, 0, 0);
	if (fd < 0)
		return (int)fd;
	int64_t result = inject_write(&table->injection, table->page, &name, sizeof(name));
	if (result == 0)
		result =
			call(table, SYS_bind, (uint64_t)fd, table->page, sizeof(sa_family_t), 0, 0);
	if (result == 0 && looks->is_listening)
		result = call(table, SYS_listen, (uint64_t)fd, (uint64_t)looks->backlog, 0, 0, 0);
	if (result < 0)
		call(table, SYS_close, (uint64_t)fd, 0, 0, 0, 0);
	return result < 0 ? (int)result : (int)fd;
}

static int bring(struct swap_table *table, int stand_in, const struct looks *looks)
{
	int r = -ENOTSUP;
	if (table->kept < 0)
		table->kept = (int32_t)call(table, SYS_fcntl, (uint64_t)table->numbers[0].fd,
					    F_DUPFD_CLOEXEC, 0, 0, 0);
	if (table->kept < 0)
		return table->kept;
	if (stand_in >= 0)
		r = bring_copy(table, stand_in);
	if (r < 0 && r != -EMFILE && r != -ESRCH) {
		debug(ACT, "the stand-in is of AF_UNIX: %s", error_reason(r));
		r = make_unix(table, looks);
		table->is_unix = true;
	}
	table->stand_in = r;
	return r < 0 ? r : 0;
}

int swap_bring(struct swap_table *table, uint64_t cookie, int stand_in, const struct looks *looks,
	       struct error *err)
{
	int r = borrow_page(table);
	r = r < 0 ? r : compare_cookies(table, cookie);
	if (r < 0) {
		error_set(err, r, "look at the socket in pid %d", table->pid);
		if (r == -ETIMEDOUT)
			error_hint(err,
				   "it is frozen, as in a paused container: let it go on first");
		return r;
	}
	if (!table->n_numbers)
		return 0;
	r = raise_limit(table, 0);
	r = r < 0 ? r : bring(table, stand_in, looks);
	if (r == -EMFILE) {
		r = raise_limit(table, NUMBERS_MORE);
		r = r < 0 ? r : bring(table, stand_in, looks);
	}
	if (r < 0)
		return error_set(err, r, "bring a stand-in into pid %d", table->pid);
	return 0;
}

/* ---- taking the place, and giving it back ---- */

static int put(struct swap_table *table, int32_t fd, const struct table_number *number)
{
	int64_t result = call(table, SYS_dup3, (uint64_t)fd, (uint64_t)number->fd,
			      number->is_cloexec ? O_CLOEXEC : 0, 0, 0);
	return result < 0 ? (int)result : 0;
}

int swap_take(struct swap_table *table, struct error *err)
{
	for (uint32_t i = 0; i < table->n_numbers; i++) {
		int r = put(table, table->stand_in, &table->numbers[i]);
		if (r < 0)
			return error_set(err, r, "put the stand-in over descriptor %d of pid %d",
					 table->numbers[i].fd, table->pid);
		table->numbers[i].is_swapped = true;
	}
	return 0;
}

void swap_give_back(struct swap_table *table)
{
	for (uint32_t i = 0; i < table->n_numbers; i++)
		if (table->numbers[i].is_swapped &&
		    put(table, table->kept, &table->numbers[i]) == 0)
			table->numbers[i].is_swapped = false;
}

void swap_finish(struct swap_table *table)
{
	if (table->stand_in >= 0)
		call(table, SYS_close, (uint64_t)table->stand_in, 0, 0, 0, 0);
	if (table->kept >= 0)
		call(table, SYS_close, (uint64_t)table->kept, 0, 0, 0, 0);
	if (table->is_raised)
		set_limit(table, &table->limit);
	if (table->page)
		call(table, SYS_munmap, table->page, PAGE_SIZE_HERE, 0, 0, 0);
	inject_end(&table->injection);
}
