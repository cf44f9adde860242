/* The least of ptrace. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "act/traced.h"
#include "base/numbers.h"

#define TICK_US 20000
#define CALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

int traced_seize(int32_t tid)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACESYSGOOD) < 0 ? -errno : 0;
}

int traced_interrupt(int32_t tid)
{
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : 0;
}

static void on_tick(unused_argument int number)
{
}

/* A tick breaks off a wait that would not end: only its coming matters, so the handler does
 * nothing. */
void traced_start_ticks(void)
{
	struct sigaction action = {.sa_handler = on_tick};
	struct itimerval tick = {.it_interval.tv_usec = TICK_US, .it_value.tv_usec = TICK_US};
	sigset_t set;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
}

int traced_wait(int32_t tid, uint64_t deadline, enum traced_stop *ret, int *ret_signal)
{
	int status;
	*ret_signal = 0;
	for (;;) {
		pid_t pid = waitpid(tid, &status, __WALL); /* wakes for this one alone */
		if (pid == tid)
			break;
		if (errno != EINTR)
			return -ESRCH;
		if (clock_ns() > deadline)
			return -ETIMEDOUT;
	}
	if (!WIFSTOPPED(status))
		return -ESRCH;
	int number = WSTOPSIG(status);
	if (status >> 16 == PTRACE_EVENT_STOP)
		*ret = TRACED_HELD;
	else if (number == CALL_STOP)
		*ret = TRACED_CALL;
	else
		*ret = TRACED_SIGNAL, *ret_signal = number;
	return 0;
}

int traced_go_on(int32_t tid, int number, bool to_call)
{
	return ptrace(to_call ? PTRACE_SYSCALL : PTRACE_CONT, tid, NULL, (long)number) < 0 ? -errno
											   : 0;
}

void traced_let_go(int32_t tid)
{
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

int64_t traced_status(const struct host *host, int32_t pid, int32_t tid, const char *name,
		      int64_t missing)
{
	char text[4096], start[64];
	uint64_t value;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/task/%d/status", pid, tid);
	if (n <= 0)
		return missing;
	snprintf(start, sizeof(start), "\n%s:\t", name);
	const char *at = strstr(text, start);
	if (!at)
		return missing;
	at += strlen(start);
	return number_scan(&at, text + n, 10, &value) < 0 || value > INT64_MAX ? missing
									       : (int64_t)value;
}

static int64_t yama_scope(const struct host *host)
{
	char text[16];
	uint64_t value;
	const char *at = text;
	ssize_t n = host_read(host, text, sizeof(text), "proc/sys/kernel/yama/ptrace_scope");
	return n <= 0 || number_scan(&at, text + n, 10, &value) < 0 ? 0 : (int64_t)value;
}

int traced_explain(const struct host *host, int32_t pid, int code, struct error *err)
{
	char name[32] = "";
	int64_t tracer = traced_status(host, pid, pid, "TracerPid", 0), scope = yama_scope(host);
	if (code != -EPERM && code != -EACCES)
		return error_set(err, code, "trace pid %d", pid);
	if (tracer) {
		ssize_t n = host_read(host, name, sizeof(name), "proc/%d/comm", (int)tracer);
		if (n > 0)
			name[strcspn(name, "\n")] = '\0';
		error_text(err, -EBUSY, "pid %d is traced already, by %s, pid %d", pid,
			   *name ? name : "a process", (int)tracer);
		error_hint(err, "end that tracer first: a process has room for one");
		return -EBUSY;
	}
	error_text(err, code, "pid %d may not be traced", pid);
	if (scope == 3) {
		error_text(err, code,
			   "yama forbids all tracing until the next boot (ptrace_scope is 3)");
		error_hint(err, "use --by process");
	} else if (scope) {
		error_text(err, code, "yama forbids to trace pid %d (ptrace_scope is %d)", pid,
			   (int)scope);
		error_hint(err, "run it with sudo, or use --by process");
	} else if (privilege_hint()) {
		error_hint(err, "%s", privilege_hint());
	}
	return code;
}
