/* A command and all that it starts, watched with ptrace(2): every call stops at its beginning and
 * at its end, so nothing is left behind in the program when the watch goes (a seccomp filter would
 * be). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vector.h"
#include "why/watch.h"

#define PENDING_MAX 256 /* connects under way that are remembered */
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC)

struct thread {
	pid_t tid;
	struct entered entered;
};

/* A connect that said EINPROGRESS: its end is told by SO_ERROR. */
struct pending {
	struct failure failure;
	uint64_t fd;
};

struct watching {
	struct watch *watch;
	struct vector threads; /* struct thread */
	struct pending pending[PENDING_MAX];
	uint32_t next_pending;
	bool has_forwarded, is_letting_go;
};

static struct thread *find(struct watching *watching, pid_t tid)
{
	for (uint32_t i = 0; i < watching->threads.n; i++) {
		struct thread *thread = vector_at(&watching->threads, i);
		if (thread->tid == tid)
			return thread;
	}
	struct thread *added = vector_add(&watching->threads);
	if (added)
		*added = (struct thread){.tid = tid};
	return added;
}

static void forget(struct watching *watching, pid_t tid)
{
	struct thread *all = watching->threads.data;
	for (uint32_t i = 0; i < watching->threads.n; i++)
		if (all[i].tid == tid) {
			all[i] = all[--watching->threads.n];
			return;
		}
}

static void go_on(pid_t tid, int signal)
{
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(uintptr_t)signal);
}

/* ---- calls ---- */

static void remember(struct watching *watching, pid_t tid, const struct entered *entered)
{
	struct pending *pending = &watching->pending[watching->next_pending % PENDING_MAX];
	struct failure failure;
	if (call_read(tid, entered, ECONNREFUSED, &failure) < 0)
		return;
	*pending = (struct pending){failure, entered->arguments[0]};
	watching->next_pending++;
}

static int tell_late(struct watching *watching, pid_t tid, const struct entered *entered)
{
	int error = call_read_so_error(tid, entered);
	if (!error)
		return 0;
	pid_t pid = call_process(tid);
	for (uint32_t i = PENDING_MAX; i-- > 0;) {
		struct pending *pending = &watching->pending[i];
		if (pending->failure.pid != pid || pending->fd != entered->arguments[0])
			continue;
		struct failure failure = pending->failure;
		pending->failure.pid = 0;
		failure.error = error;
		failure.is_late = true;
		return watching->watch->failed(watching->watch->data, &failure);
	}
	return 0;
}

static int on_return(struct watching *watching, pid_t tid, const struct entered *entered,
		     int64_t value)
{
	struct failure failure;
	if (entered->call == CALL_GETSOCKOPT)
		return value == 0 ? tell_late(watching, tid, entered) : 0;
	if (entered->call == CALL_CONNECT && value == -EINPROGRESS)
		remember(watching, tid, entered);
	if (!call_has_failed(entered->call, value) ||
	    call_read(tid, entered, (int)-value, &failure) < 0)
		return 0;
	return watching->watch->failed(watching->watch->data, &failure);
}

static int on_call(struct watching *watching, struct thread *thread)
{
	struct __ptrace_syscall_info info = {0};
	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, (void *)sizeof(info), &info) <= 0)
		return 0;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		thread->entered.call = call_of(info.arch, info.entry.nr);
		for (unsigned i = 0; i < ARRAY_SIZE(thread->entered.arguments); i++)
			thread->entered.arguments[i] = info.entry.args[i];
		return 0;
	}
	struct entered entered = thread->entered;
	thread->entered.call = CALL_OTHER;
	if (info.op != PTRACE_SYSCALL_INFO_EXIT || entered.call == CALL_OTHER)
		return 0;
	return on_return(watching, thread->tid, &entered, info.exit.rval);
}

/* ---- stops ---- */

static bool stops_a_group(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* One that was started is known from here on, whenever its own first stop comes; a thread that
 * execs takes its leader's number. */
static void on_event(struct watching *watching, pid_t tid, int event)
{
	unsigned long other = 0;
	if (event == PTRACE_EVENT_STOP || ptrace(PTRACE_GETEVENTMSG, tid, NULL, &other) < 0)
		return;
	if (event != PTRACE_EVENT_EXEC)
		find(watching, (pid_t)other);
	else if ((pid_t)other != tid)
		forget(watching, (pid_t)other);
}

static int on_stop(struct watching *watching, pid_t tid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16, r = 0;
	struct thread *thread = find(watching, tid);
	if (!thread)
		return -ENOMEM;
	if (watching->is_letting_go) {
		bool is_signal = !event && signal != (SIGTRAP | 0x80);
		ptrace(PTRACE_DETACH, tid, NULL, (void *)(uintptr_t)(is_signal ? signal : 0));
		forget(watching, tid);
		return 0;
	}
	if (signal == (SIGTRAP | 0x80)) {
		r = on_call(watching, thread);
		go_on(tid, 0);
	} else if (event == PTRACE_EVENT_STOP && stops_a_group(signal)) {
		ptrace(PTRACE_LISTEN, tid, NULL, NULL);
	} else if (event) {
		on_event(watching, tid, event);
		go_on(tid, 0);
	} else {
		go_on(tid, signal);
	}
	return r;
}

static void on_end(struct watching *watching, pid_t tid, int status)
{
	forget(watching, tid);
	if (tid != watching->watch->launch->child)
		return;
	watching->watch->has_ended = true;
	watching->watch->status = status;
}

/* ---- being broken off ---- */

/* A terminal sends its interrupt to the command as well as to us. */
static bool came_from_terminal(int signal)
{
	return signal == SIGINT && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void let_go(struct watching *watching)
{
	watching->is_letting_go = true;
	watching->watch->n_let_go = watching->threads.n;
	for (uint32_t i = 0; i < watching->threads.n; i++)
		ptrace(PTRACE_INTERRUPT, ((struct thread *)vector_at(&watching->threads, i))->tid,
		       NULL, NULL);
}

/* The command is told as we were; what is left when it has ended goes on unwatched. */
static void on_wish_to_stop(struct watching *watching)
{
	struct watch *watch = watching->watch;
	if (watch->has_ended) {
		if (!watching->is_letting_go)
			let_go(watching);
	} else if (!watching->has_forwarded) {
		watching->has_forwarded = true;
		if (!came_from_terminal(watch->stop->wanted))
			kill(watch->launch->child, watch->stop->wanted);
	}
}

static int follow(struct watching *watching)
{
	for (;;) {
		int status, r = 0;
		if (stop_wanted(watching->watch->stop))
			on_wish_to_stop(watching);
		if (watching->watch->has_ended && !watching->threads.n)
			return 0;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return errno == ECHILD ? 0 : -errno;
		if (WIFSTOPPED(status))
			r = on_stop(watching, tid, status);
		else
			on_end(watching, tid, status);
		if (r < 0) {
			let_go(watching);
			return r;
		}
	}
}

int watch_run(struct watch *watch, struct error *err)
{
	struct watching *watching = calloc(1, sizeof(*watching));
	pid_t child = watch->launch->child;
	if (!watching)
		return error_set(err, -ENOMEM, "watch the command");
	watching->watch = watch;
	vector_init(&watching->threads, sizeof(struct thread));
	int r = 0;
	if (ptrace(PTRACE_SEIZE, child, NULL, (void *)OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, child, NULL, NULL) < 0)
		r = -errno;
	if (r < 0) {
		error_set(err, r, "watch the command");
		error_hint(err,
			   "another tracer, a container or kernel.yama.ptrace_scope=3 forbids it");
	} else {
		find(watching, child);
		launch_go(watch->launch);
		r = follow(watching);
		if (r < 0 && !(err && err->code))
			error_set(err, r, "watch the command");
	}
	vector_done(&watching->threads);
	free(watching);
	return r;
}
