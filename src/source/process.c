/* One process from /proc/PID. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/numbers.h"
#include "base/table.h"
#include "source/cgroup.h"
#include "source/interpreter.h"
#include "source/process.h"
#include "source/proxy.h"

#define CMDLINE_USUAL 4096
#define CMDLINE_MAX (2 << 20) /* the kernel's own bound is a quarter of the stack's limit */
#define PATH_SIZE 4096
#define THREADS_LOOKED_AT 64

/* Where a process is read: its directory stays that of the same process, whoever gets the number
 * afterwards. */
struct place {
	struct host *host;
	int32_t pid;
	int directory;
	char thread[32]; /* "task/TID/" where the leader has gone and its threads live on, else ""
			  */
};

int process_parse_stat(const char *text, size_t n, struct process_stat *ret)
{
	const char *open = memchr(text, '(', n), *close = memrchr(text, ')', n), *end = text + n;
	if (!open || !close || close < open || end - close < 3)
		return -EBADMSG;
	*ret = (struct process_stat){
		.name = open + 1, .n_name = (size_t)(close - open - 1), .state = close[2]};

	const char *at = close + 1;
	uint64_t number = 0;
	for (unsigned field = 3; field <= 22; field++) {
		while (at < end && *at == ' ')
			at++;
		if (field == 4 || field == 22) {
			if (number_scan(&at, end, 10, &number) < 0)
				return -EBADMSG;
			if (field == 4)
				ret->ppid = number <= INT32_MAX ? (int32_t)number : 0;
		}
		while (at < end && *at != ' ')
			at++;
	}
	ret->start_ticks = number;
	return 0;
}

/* The place of the stack is drawn anew at each execve(2), and for who may not trace the process all
 * three are 1 or 0 (fs/proc/array.c). */
uint64_t process_parse_program(const char *text, size_t n)
{
	const char *at = memrchr(text, ')', n), *end = text + n;
	uint64_t program = 0, number;
	bool is_seen = false;
	if (!at)
		return 0;
	at++;
	for (unsigned field = 3; field <= 28; field++) {
		while (at < end && *at == ' ')
			at++;
		if (field >= 26) {
			if (number_scan(&at, end, 10, &number) < 0)
				return 0;
			program = table_mix(program * 31 + number);
			is_seen |= number > 1;
		}
		while (at < end && *at != ' ')
			at++;
	}
	return is_seen ? program : 0;
}

static void join_thread(const struct place *place, const char *what, char to[64])
{
	size_t n = strlen(place->thread);
	memcpy(to, place->thread, n);
	snprintf(to + n, 64 - n, "%s", what);
}

/* Bytes read, with NUL behind them, or negative errno. */
static ssize_t read_file(const struct place *place, const char *what, char *buffer, size_t size)
{
	char path[64];
	join_thread(place, what, path);
	cleanup(closep) int fd = openat(place->directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buffer, size - 1); /* these files come whole in one piece */
	if (n < 0)
		return -errno;
	buffer[n] = '\0';
	return n;
}

static ssize_t read_link(const struct place *place, const char *what, char to[PATH_SIZE])
{
	char path[64];
	join_thread(place, what, path);
	ssize_t n = readlinkat(place->directory, path, to, PATH_SIZE - 1);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	return n;
}

/* A link that is not there is a kernel thread's, or one of a process that has ended. */
static int after_no_link(const struct place *place, ssize_t error)
{
	if (error != -ENOENT && error != -ESRCH)
		return 0;
	return faccessat(place->directory, "stat", F_OK, 0) < 0 ? -ESRCH : 0;
}

/* The leader has ended: a thread that lives on knows what all of them share. */
static void find_thread(struct place *place)
{
	cleanup(closep) int tasks =
		openat(place->directory, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[4096] __attribute__((aligned(8)));
	long n = tasks < 0 ? -1 : syscall(SYS_getdents64, tasks, entries, sizeof(entries));
	unsigned n_left = THREADS_LOOKED_AT;
	for (long at = 0; at < n && n_left; n_left--) {
		/* linux_dirent64: inode, offset, length, type, name (getdents64(2)) */
		const char *name = entries + at + 19;
		uint16_t length;
		uint32_t tid;
		char path[64];
		memcpy(&length, entries + at + 16, sizeof(length));
		at += length;
		if (number_u32(name, 1, INT32_MAX, &tid) < 0 || (int32_t)tid == place->pid)
			continue;
		snprintf(path, sizeof(path), "task/%u/exe", tid);
		if (readlinkat(place->directory, path, (char[2]){0}, 1) < 0)
			continue;
		snprintf(place->thread, sizeof(place->thread), "task/%u/", tid);
		return;
	}
}

static int read_stat(struct place *place, struct arena *arena, struct process *ret)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = read_file(place, "stat", text, sizeof(text));
	if (n <= 0)
		return -ESRCH;
	if (process_parse_stat(text, (size_t)n, &stat) < 0)
		return -ESRCH;
	if (ret->known & KNOWN_STAT && ret->start_ticks != stat.start_ticks)
		return -ESRCH; /* the pid is another process's by now */
	ret->name = arena_intern(arena, stat.name, stat.n_name);
	ret->ppid = stat.ppid;
	ret->start_ticks = stat.start_ticks;
	ret->start_time = (double)place->host->boot_time_ns / 1e9 +
			  (double)stat.start_ticks / (double)place->host->ticks;
	ret->known |= KNOWN_STAT;
	if (stat.state == 'Z')
		find_thread(place);
	return ret->name ? 0 : -ENOMEM;
}

/* A file may really be named "x (deleted)": then it is there. */
static bool is_named_so(const struct place *place, const char *path)
{
	char link[64];
	struct stat status, own;
	join_thread(place, "exe", link);
	return path[0] == '/' && fstatat(place->host->root, path + 1, &status, 0) == 0 &&
	       fstatat(place->directory, link, &own, 0) == 0 && status.st_ino == own.st_ino &&
	       status.st_dev == own.st_dev;
}

static int read_exe(const struct place *place, struct arena *arena, struct process *ret)
{
	static const char mark[] = " (deleted)";
	char path[PATH_SIZE];
	ssize_t n = read_link(place, "exe", path);
	if (n <= 0)
		return after_no_link(place, n);
	size_t length = (size_t)n, extra = sizeof(mark) - 1;
	ret->exe_deleted = length > extra && memcmp(path + length - extra, mark, extra) == 0 &&
			   !is_named_so(place, path);
	if (ret->exe_deleted)
		length -= extra;
	ret->exe = arena_intern(arena, path, length);
	ret->known |= KNOWN_EXE;
	return ret->exe ? 0 : -ENOMEM;
}

int process_keep_cmdline(struct arena *arena, char *text, size_t n, struct process *ret)
{
	if (n) {
		bool is_ended = text[n - 1] == '\0';
		const char *runs =
			interpreter_runs(ret->exe ? ret->exe : text, text, is_ended ? n : n + 1);
		if (runs && !(ret->runs = arena_intern_string(arena, runs)))
			return -ENOMEM;
	}
	while (n && text[n - 1] == '\0')
		n--;
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	ret->cmdline = arena_intern(arena, text, n);
	ret->known |= KNOWN_CMDLINE;
	return ret->cmdline ? 0 : -ENOMEM;
}

static int read_cmdline(const struct place *place, struct arena *arena, struct process *ret)
{
	char usual[CMDLINE_USUAL];
	ssize_t n = read_file(place, "cmdline", usual, sizeof(usual));
	if (n == -ENOENT || n == -ESRCH)
		return -ESRCH;
	if (n < 0)
		return 0;
	if (n < (ssize_t)sizeof(usual) - 1)
		return process_keep_cmdline(arena, usual, (size_t)n, ret);

	cleanup(freep) char *whole = malloc(CMDLINE_MAX);
	if (!whole)
		return -ENOMEM;
	n = read_file(place, "cmdline", whole, CMDLINE_MAX);
	return n <= 0 ? process_keep_cmdline(arena, usual, sizeof(usual) - 1, ret)
		      : process_keep_cmdline(arena, whole, (size_t)n, ret);
}

static int read_cwd(const struct place *place, struct arena *arena, struct process *ret)
{
	char path[PATH_SIZE];
	ssize_t n = read_link(place, "cwd", path);
	if (n <= 0)
		return after_no_link(place, n);
	ret->cwd = arena_intern(arena, path, (size_t)n);
	ret->known |= KNOWN_CWD;
	return ret->cwd ? 0 : -ENOMEM;
}

/* The directory belongs to the effective user, whether the process may be inspected or not
 * (task_dump_owner in the kernel's fs/proc/base.c), and to root once it has ended: so something
 * else must be read of it afterwards. */
static int read_uid(const struct place *place, bool is_read_on, struct process *ret)
{
	struct stat status;
	if (fstat(place->directory, &status) < 0 ||
	    (!is_read_on && faccessat(place->directory, "stat", F_OK, 0) < 0))
		return -ESRCH;
	ret->uid = status.st_uid;
	ret->known |= KNOWN_UID;
	return 0;
}

uint32_t process_container(struct snapshot *snapshot, const struct cgroup_place *place)
{
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *known = snapshot_container(snapshot, i);
		if (known->engine == place->engine && strcmp(known->id, place->id) == 0)
			return i;
	}
	const char *id = arena_intern_string(&snapshot->arena, place->id);
	struct container *added = id ? vector_add(&snapshot->containers) : NULL;
	if (!added)
		return NONE;
	*added = (struct container){.id = id, .engine = (uint8_t)place->engine};
	if (place->engine == ENGINE_LXC || place->engine == ENGINE_NSPAWN)
		added->name = id;
	return snapshot->containers.n - 1;
}

static int read_cgroup(const struct place *place, struct snapshot *snapshot, struct process *ret)
{
	char text[8192];
	ssize_t n = read_file(place, "cgroup", text, sizeof(text));
	if (n < 0)
		return n == -ENOENT || n == -ESRCH ? -ESRCH : 0;
	struct cgroup_place group;
	cgroup_parse(text, (size_t)n, &group);
	ret->known |= KNOWN_CGROUP;
	if (group.unit[0] && !(ret->unit = arena_intern_string(&snapshot->arena, group.unit)))
		return -ENOMEM;
	if (group.id[0] && (ret->container = process_container(snapshot, &group)) == NONE)
		return -ENOMEM;
	return 0;
}

bool process_speaks(const struct process *process, uint32_t needs)
{
	if (needs & NEED_CMDLINE)
		return true;
	if (needs & NEED_RUNS && (!process->exe || interpreter_is(process->exe)))
		return true;
	return needs & NEED_ANSWERS && (!process->name || proxy_may_be(process->name) ||
					strcmp(process->name, "systemd") == 0);
}

static int read_all(struct place *place, uint32_t needs, struct snapshot *snapshot,
		    struct process *ret)
{
	struct arena *arena = &snapshot->arena;
	int r = 0;
	bool reads_stat = needs & (NEED_STAT | NEED_PARENTS);
	if (needs & NEED_UID)
		r = read_uid(place, reads_stat, ret);
	if (r >= 0 && reads_stat) {
		r = read_stat(place, arena, ret);
		if (r < 0 && needs & NEED_UID)
			ret->known &= ~(uint32_t)KNOWN_UID;
	}
	if (r >= 0 && needs & NEED_EXE)
		r = read_exe(place, arena, ret);
	if (r >= 0 && process_speaks(ret, needs))
		r = read_cmdline(place, arena, ret);
	if (r >= 0 && needs & NEED_CWD)
		r = read_cwd(place, arena, ret);
	if (r >= 0 && needs & NEED_CGROUP)
		r = read_cgroup(place, snapshot, ret);
	return r;
}

int process_read(struct host *host, int32_t pid, uint32_t needs, struct snapshot *snapshot,
		 struct process *ret)
{
	char path[16];
	snprintf(path, sizeof(path), "%d", pid);
	cleanup(closep) int directory = openat(host->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct place place = {.host = host, .pid = pid, .directory = directory};
	int r = directory < 0 ? -errno : read_all(&place, needs, snapshot, ret);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ESRCH)
		ret->known |= KNOWN_GONE;
	return 0;
}

/* ---- its end ---- */

#define PF_EXITING 0x4 /* include/linux/sched.h */

/* Behind the name in brackets: state, ppid, pgrp, session, tty, tpgid, flags. proc_pid_stat(5) */
static uint64_t flags_of(const char *stat, char *ret_state)
{
	const char *at = strrchr(stat, ')');
	uint64_t flags = 0;
	*ret_state = '\0';
	if (!at || at[1] != ' ' || !at[2])
		return 0;
	at += 2;
	*ret_state = *at;
	for (unsigned i = 0; i < 6; i++) {
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	number_scan(&at, at + strlen(at), 10, &flags);
	return flags;
}

static bool has_pending_kill(const char *status)
{
	static const char *const lines[] = {"\nSigPnd:\t", "\nShdPnd:\t"};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *at = strstr(status, lines[i]);
		uint64_t signals = 0;
		if (!at)
			continue;
		at += strlen(lines[i]);
		if (number_scan(&at, at + strlen(at), 16, &signals) == 0 &&
		    signals & UINT64_C(1) << (SIGKILL - 1))
			return true;
	}
	return false;
}

bool process_parse_dying(const char *stat, const char *status)
{
	char state;
	uint64_t flags = flags_of(stat, &state);
	return flags & PF_EXITING || state == 'X' || has_pending_kill(status);
}

bool process_is_dying(const struct host *host, int32_t pid)
{
	char stat[1024], status[8192];
	if (host_read(host, stat, sizeof(stat), "proc/%d/stat", pid) < 0 ||
	    host_read(host, status, sizeof(status), "proc/%d/status", pid) < 0)
		return false;
	return process_parse_dying(stat, status);
}
