/* All threads of one or more processes held still at once. */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "act/hold.h"
#include "act/traced.h"
#include "base/numbers.h"

#define STOP_LIMIT_NS UINT64_C(500000000)
#define ROUNDS_MAX 64 /* of looking for threads that came meanwhile */

void hold_init(struct hold *hold, const struct host *host)
{
	*hold = (struct hold){.host = host};
	vector_init(&hold->threads, sizeof(struct held_thread));
	vector_init(&hold->pids, sizeof(int32_t));
}

/* ---- which threads there are ---- */

/* The kernel lists threads in the order of their birth, so the @n-th is mostly the one we know. */
static bool is_known(const struct hold *hold, int32_t tid, uint32_t n)
{
	if (n < hold->threads.n && hold_thread(hold, n)->tid == tid)
		return true;
	for (uint32_t i = 0; i < hold->threads.n; i++)
		if (hold_thread(hold, i)->tid == tid)
			return true;
	return false;
}

/* It has ended, though its number is still there: a leader whose threads live on. */
static bool has_ended(const struct hold *hold, int32_t pid, int32_t tid)
{
	char text[1024];
	ssize_t n = host_read(hold->host, text, sizeof(text), "proc/%d/task/%d/stat", pid, tid);
	const char *close = n <= 0 ? NULL : memrchr(text, ')', (size_t)n);
	return !close || close + 2 >= text + n || close[2] == 'Z' || close[2] == 'X';
}

static int add_thread(struct hold *hold, int32_t pid, int32_t tid)
{
	int r = traced_seize(tid);
	if (r == -ESRCH || (r == -EPERM && has_ended(hold, pid, tid)))
		return 0;
	if (r < 0)
		return r;
	struct held_thread *thread = vector_add(&hold->threads);
	if (!thread)
		return -ENOMEM;
	*thread = (struct held_thread){.pid = pid, .tid = tid};
	return 1;
}

/* Seizes the threads of @pid that are not yet; @first: where its own begin. How many, or negative
 * errno. */
static int add_threads(struct hold *hold, int32_t pid, uint32_t first)
{
	int fd = host_openat(hold->host, O_RDONLY | O_DIRECTORY, "proc/%d/task", pid);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	int n_new = 0, r = 0;
	if (!directory) {
		closep(&fd);
		return -ESRCH;
	}
	uint32_t n = first;
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
		uint32_t tid;
		if (number_u32(entry->d_name, 1, INT32_MAX, &tid) < 0 ||
		    is_known(hold, (int32_t)tid, n++))
			continue;
		r = add_thread(hold, pid, (int32_t)tid);
		n_new += r > 0;
	}
	closedir(directory);
	return r < 0 ? r : n_new;
}

static uint32_t first_of(const struct hold *hold, int32_t pid)
{
	for (uint32_t i = 0; i < hold->threads.n; i++)
		if (hold_thread(hold, i)->pid == pid)
			return i;
	return hold->threads.n;
}

int hold_seize(struct hold *hold, int32_t pid, struct error *err)
{
	uint32_t first = hold->threads.n;
	int32_t *added = vector_add(&hold->pids);
	if (!added)
		return error_set(err, -ENOMEM, "hold pid %d", pid);
	*added = pid;
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		int r = add_threads(hold, pid, first);
		if (r < 0)
			return traced_explain(hold->host, pid, r, err);
		if (r == 0)
			break;
	}
	return hold->threads.n > first ? 0 : error_set(err, -ESRCH, "hold pid %d", pid);
}

/* ---- stopping ---- */

/* Which call the thread waits in: "NUMBER 0xFIRST ...", "running", or "-1 ..." (proc(5)). */
static void note_waiting(const struct hold *hold, struct held_thread *thread)
{
	char text[256];
	ssize_t n = host_read(hold->host, text, sizeof(text), "proc/%d/task/%d/syscall",
			      thread->pid, thread->tid);
	const char *at = text;
	uint64_t number;
	thread->waiting = (struct waiting){0};
	if (n <= 0 || number_scan(&at, text + n, 10, &number) < 0 || text + n - at < 4)
		return;
	at += 3; /* " 0x" */
	thread->waiting.number = (int64_t)number;
	thread->waiting.is_known =
		number_scan(&at, text + n, 16, &thread->waiting.first_argument) == 0;
}

static void rewind_call(const struct held_thread *thread)
{
	struct registers registers;
	struct iovec iov = {.iov_base = registers.word, .iov_len = sizeof(registers.word)};
	if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)(uintptr_t)NT_PRSTATUS, &iov) < 0)
		return;
	registers.size = iov.iov_len;
	if (registers_are_native(&registers) && registers_rewind(&registers, &thread->waiting))
		ptrace(PTRACE_SETREGSET, thread->tid, (void *)(uintptr_t)NT_PRSTATUS, &iov);
}

/* Waits until the thread is held. Signals that come first are its own business. */
static int await_thread(struct held_thread *thread, uint64_t deadline)
{
	for (;;) {
		enum traced_stop stop;
		int number;
		int r = traced_wait(thread->tid, deadline, &stop, &number);
		if (r == 0 && stop == TRACED_HELD) {
			thread->is_stopped = true;
			rewind_call(thread);
			return 0;
		}
		r = r < 0 ? r : traced_go_on(thread->tid, number, false);
		if (r == -ESRCH) {
			thread->is_gone = true;
			return 0;
		}
		if (r < 0)
			return r;
	}
}

/* The last that was asked first: once it stands most others do, and nobody is waited for. One that
 * does not stop keeps none of the others from being seen stopped, and so from being put back
 * rightly. */
static int await_known(struct hold *hold, uint64_t deadline, struct error *err)
{
	int result = 0;
	for (uint32_t i = hold->threads.n; i-- > 0;) {
		struct held_thread *thread = hold_thread(hold, i);
		if (thread->is_stopped || thread->is_gone)
			continue;
		int r = await_thread(thread, deadline);
		if (r < 0 && result == 0) {
			result = error_set(err, r, "stop thread %d of pid %d", thread->tid,
					   thread->pid);
			error_hint(
				err,
				"it is frozen, as in a paused container, or deep in the kernel, as "
				"a parent in vfork() is");
		}
	}
	return result;
}

static int stop_known(struct hold *hold, uint64_t deadline, struct error *err)
{
	for (uint32_t i = 0; machine.needs_waiting && i < hold->threads.n; i++)
		if (!hold_thread(hold, i)->is_asked)
			note_waiting(hold, hold_thread(hold, i));
	if (!hold->stopped_at)
		hold->stopped_at = clock_ns();
	for (uint32_t i = 0; i < hold->threads.n; i++) {
		struct held_thread *thread = hold_thread(hold, i);
		if (!thread->is_asked && traced_interrupt(thread->tid) < 0)
			thread->is_gone = true;
		thread->is_asked = true;
	}
	return await_known(hold, deadline, err);
}

int hold_stop(struct hold *hold, struct error *err)
{
	uint64_t deadline = clock_ns() + STOP_LIMIT_NS;
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		int r = stop_known(hold, deadline, err), n_new = 0;
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < hold->pids.n; i++) {
			int32_t pid = *(int32_t *)vector_at(&hold->pids, i);
			r = add_threads(hold, pid, first_of(hold, pid));
			if (r < 0 && r != -ESRCH)
				return error_set(err, r, "hold a new thread of pid %d", pid);
			n_new += r > 0;
		}
		if (!n_new)
			return 0;
	}
	return error_text(err, -EAGAIN, "threads are started faster than they can be stopped");
}

/* ---- tables ---- */

/* A kernel without kcmp(2) tells us nothing: then each thread counts as one with a table of its
 * own, which costs time and is right all the same. */
void hold_find_tables(struct hold *hold)
{
	for (uint32_t i = hold->n_compared; i < hold->threads.n; i++) {
		struct held_thread *thread = hold_thread(hold, i);
		thread->table = i;
		for (uint32_t k = 0; k < i && !thread->is_gone; k++) {
			const struct held_thread *other = hold_thread(hold, k);
			if (other->table != k || other->is_gone)
				continue;
			if (syscall(SYS_kcmp, other->tid, thread->tid, KCMP_FILES, 0, 0) == 0) {
				thread->table = k;
				break;
			}
		}
	}
	hold->n_compared = hold->threads.n;
}

void hold_let_go(struct hold *hold)
{
	for (uint32_t i = 0; i < hold->threads.n; i++)
		if (hold_thread(hold, i)->is_stopped)
			traced_let_go(hold_thread(hold, i)->tid);
	hold->went_on_at = clock_ns();
	vector_done(&hold->threads);
	vector_done(&hold->pids);
}
