/* System calls of another's thread.
 *
 * All signals are blocked meanwhile, so that no handler runs on registers that are ours. The
 * registers are put back in a stop of the kind in which they were taken (PTRACE_EVENT_STOP): only
 * on the way out of that one does the kernel look whether an interrupted call has to begin again.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "act/inject.h"
#include "act/traced.h"
#include "base/faults.h"
#include "base/numbers.h"

#define CALL_LIMIT_NS UINT64_C(1000000000) /* none of our calls waits */
#define RSEQ_CS_OFFSET 8		   /* struct rseq, linux/rseq.h */
#define SCAN_MAX (16 << 20)		   /* bytes of code that are searched */
#define DISPATCH_CONFIG 0x4211		   /* PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, Linux 6.4 */
#define SIGNALS_SIZE 8			   /* the kernel's sigset_t */

static int registers_get(int32_t tid, struct registers *ret)
{
	struct iovec iov = {.iov_base = ret->word, .iov_len = sizeof(ret->word)};
	if (ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)NT_PRSTATUS, &iov) < 0)
		return -errno;
	ret->size = iov.iov_len;
	return 0;
}

static int registers_set(int32_t tid, const struct registers *registers)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)registers->word,
			    .iov_len = registers->size};
	return ptrace(PTRACE_SETREGSET, tid, (void *)(uintptr_t)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

int inject_read(const struct injection *injection, uint64_t at, void *to, size_t n)
{
	for (size_t i = 0; i < n; i += sizeof(long)) {
		errno = 0;
		long word =
			ptrace(PTRACE_PEEKDATA, injection->tid, (void *)(uintptr_t)(at + i), NULL);
		if (errno)
			return -errno;
		memcpy((char *)to + i, &word, sizeof(word));
	}
	return 0;
}

int inject_write(const struct injection *injection, uint64_t at, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i += sizeof(long)) {
		long word;
		memcpy(&word, (const char *)from + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, injection->tid, (void *)(uintptr_t)(at + i),
			   (void *)word) < 0)
			return -errno;
	}
	return 0;
}

/* ---- where an instruction is that makes a call ---- */

static bool is_call(const struct injection *injection, uint64_t at)
{
	char bytes[8];
	return at && inject_read(injection, at, bytes, sizeof(bytes)) == 0 &&
	       memcmp(bytes, machine.instruction, machine.instruction_size) == 0;
}

/* The first in the code from @start to @end, read through /proc/PID/mem; 0: none. *@left: how many
 * bytes may still be searched. */
static uint64_t scan_code(int memory, uint64_t start, uint64_t end, uint64_t *left)
{
	char code[4096];
	unsigned step = machine.instruction_align, size = machine.instruction_size;
	for (uint64_t at = start; at < end && *left; at += sizeof(code)) {
		ssize_t n = pread(memory, code, sizeof(code), (off_t)at);
		if (n <= 0)
			return 0;
		*left -= *left < (uint64_t)n ? *left : (uint64_t)n;
		for (size_t i = 0; i + size <= (size_t)n; i += step)
			if (memcmp(code + i, machine.instruction, size) == 0)
				return at + i;
	}
	return 0;
}

/* A line of maps: "START-END r-xp OFFSET DEVICE INODE PATH". False: no code to be searched. */
static bool parse_code(const char *line, const char *end, uint64_t *ret_start, uint64_t *ret_end)
{
	const char *at = line;
	return number_scan(&at, end, 16, ret_start) == 0 && at < end && *at++ == '-' &&
	       number_scan(&at, end, 16, ret_end) == 0 && end - at > 4 && at[1] == 'r' &&
	       at[3] == 'x' && !memmem(at, (size_t)(end - at), "[vsyscall]", 10);
}

/* The vDSO has one in any program, a static one too; without a vDSO the code is searched. */
static uint64_t find_in_maps(const struct injection *injection, bool only_vdso)
{
	cleanup(freep) char *maps = NULL;
	uint64_t left = SCAN_MAX, found = 0;
	ssize_t n = host_read_all(injection->host, &maps, 64 << 20, "proc/%d/maps", injection->pid);
	cleanup(closep) int memory =
		host_openat(injection->host, O_RDONLY, "proc/%d/mem", injection->pid);
	if (n <= 0 || memory < 0)
		return 0;
	for (const char *line = maps, *next; !found && line < maps + n; line = next + 1) {
		uint64_t start, end;
		next = memchr(line, '\n', (size_t)(maps + n - line));
		if (!next)
			break;
		if (only_vdso && !memmem(line, (size_t)(next - line), "[vdso]", 6))
			continue;
		if (parse_code(line, next, &start, &end))
			found = scan_code(memory, start, end, &left);
	}
	return found;
}

static uint64_t find_instruction(const struct injection *injection)
{
	uint64_t at = registers_call_site(&injection->saved);
	if (is_call(injection, at))
		return at;
	at = find_in_maps(injection, true);
	return at ? at : find_in_maps(injection, false);
}

/* ---- what forbids it ---- */

/* A filter is suspended as long as we trace: only with CAP_SYS_ADMIN, and where we have no filter
 * ourselves (ptrace(2), PTRACE_O_SUSPEND_SECCOMP). */
static int suspend_filter(const struct injection *injection, struct error *err)
{
	if (traced_status(injection->host, injection->pid, injection->tid, "Seccomp", 0) == 0 ||
	    ptrace(PTRACE_SETOPTIONS, injection->tid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_SUSPEND_SECCOMP) == 0)
		return 0;
	error_text(err, -EPERM, "pid %d has a seccomp filter, which may not be suspended here",
		   injection->pid);
	error_hint(err, "run it with sudo, outside of any container; or use --by process");
	return -EPERM;
}

/* A program that catches the system calls of its own code, as Wine does (prctl(2),
 * PR_SET_SYSCALL_USER_DISPATCH). */
static bool catches_calls(int32_t tid)
{
	uint64_t config[4] = {0}; /* mode, selector, offset, length */
	return ptrace(DISPATCH_CONFIG, tid, (void *)(uintptr_t)sizeof(config), config) >= 0 &&
	       config[0];
}

/* A thread that is in a restartable sequence (rseq(2)) must not come back to it as if it had not
 * been away, so what says that it is in one is put back as well. */
static void note_section(struct injection *injection)
{
	struct __ptrace_rseq_configuration rseq = {0};
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, injection->tid, (void *)(uintptr_t)sizeof(rseq),
		   &rseq) < 0 ||
	    !rseq.rseq_abi_pointer)
		return;
	uint64_t at = rseq.rseq_abi_pointer + RSEQ_CS_OFFSET;
	if (inject_read(injection, at, &injection->section_was, 8) == 0)
		injection->section = injection->section_was ? at : 0;
}

int inject_prepare(const struct host *host, int32_t pid, int32_t tid, struct injection *ret,
		   struct error *err)
{
	*ret = (struct injection){.host = host, .pid = pid, .tid = tid};
	if (!machine.name)
		return error_text(err, -ENOTSUP,
				  "system calls are injected on x86-64 and arm64 only");
	int r = registers_get(tid, &ret->saved);
	if (r < 0)
		return error_set(err, r, "read the registers of pid %d", pid);
	if (!registers_are_native(&ret->saved))
		return error_text(err, -ENOTSUP, "pid %d is no %s program", pid, machine.name);
	if (catches_calls(tid))
		return error_text(err, -ENOTSUP, "pid %d catches its own system calls", pid);
	if (ptrace(PTRACE_GETSIGMASK, tid, (void *)SIGNALS_SIZE, &ret->signals) < 0)
		return error_set(err, -errno, "read the signals of pid %d", pid);
	ret->instruction = find_instruction(ret);
	if (!ret->instruction)
		return error_text(err, -ENOEXEC, "pid %d has no system call in its code", pid);
	note_section(ret);
	return suspend_filter(ret, err);
}

/* ---- calls ---- */

/* Up to the next stop of kind @wanted. A stop signal is kept for later; all others are blocked. */
static int go_to(struct injection *injection, enum traced_stop wanted)
{
	uint64_t deadline = clock_ns() + CALL_LIMIT_NS;
	for (;;) {
		enum traced_stop stop;
		int number;
		int r = traced_go_on(injection->tid, 0, wanted == TRACED_CALL);
		r = r < 0 ? r : traced_wait(injection->tid, deadline, &stop, &number);
		if (r < 0)
			return r;
		if (stop == wanted)
			return 0;
		if (stop == TRACED_SIGNAL)
			injection->signal = number;
	}
}

/* The thread neither does the call nor stops: it is frozen. Once we ask, it stops all the same. */
static int give_up(struct injection *injection)
{
	enum traced_stop stop;
	int number;
	traced_interrupt(injection->tid);
	return traced_wait(injection->tid, clock_ns() + CALL_LIMIT_NS, &stop, &number);
}

int inject_call(struct injection *injection, int64_t number, const uint64_t arguments[6],
		int64_t *ret)
{
	static const uint64_t all = UINT64_MAX;
	struct registers registers = injection->saved;
	if (fault_is_due(FAULT_INJECT))
		return -EIO;
	if (!injection->is_begun &&
	    ptrace(PTRACE_SETSIGMASK, injection->tid, (void *)SIGNALS_SIZE, &all) < 0)
		return -errno;
	injection->is_begun = true;
	registers_call(&registers, injection->instruction, number, arguments);
	int r = registers_set(injection->tid, &registers);
	r = r < 0 ? r : go_to(injection, TRACED_CALL); /* before */
	r = r < 0 ? r : go_to(injection, TRACED_CALL); /* after */
	if (r == -ETIMEDOUT)
		give_up(injection);
	r = r < 0 ? r : registers_get(injection->tid, &registers);
	if (r < 0)
		return r;
	*ret = registers_result(&registers);
	return 0;
}

int inject_end(struct injection *injection)
{
	if (!injection->is_begun)
		return 0;
	int r = traced_interrupt(injection->tid);
	r = r < 0 ? r : go_to(injection, TRACED_HELD);
	if (r == -ETIMEDOUT)
		r = give_up(injection);
	if (r < 0)
		return r;
	if (injection->section)
		inject_write(injection, injection->section, &injection->section_was, 8);
	r = registers_set(injection->tid, &injection->saved);
	ptrace(PTRACE_SETSIGMASK, injection->tid, (void *)SIGNALS_SIZE, &injection->signals);
	if (injection->signal) /* it waits there until the thread goes on */
		syscall(SYS_tgkill, injection->pid, injection->tid, injection->signal);
	injection->is_begun = false;
	return r;
}
