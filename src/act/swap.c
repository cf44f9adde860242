/* A socket replaced by its stand-in in all processes that hold it.
 *
 *     seize every thread of every holder, look for the numbers     they run
 *     stop them all; tables and threads once more
 *     choose a thread for each table: all that may refuse          nothing is altered
 *     bring the stand-in into each table                           all numbers are as before
 *     swap in each table; on failure back in each
 *     finish in each; all go on
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "act/guard.h"
#include "act/hold.h"
#include "act/swap-table.h"
#include "act/swap.h"
#include "act/traced.h"
#include "base/debug.h"

/* What the worker says at its end, through a pipe. */
struct report {
	int code;
	struct error err;
	struct swap_result result;
};

struct section {
	const struct swap_job *job;
	struct hold hold;
	struct vector tables; /* struct swap_table: those in which the socket stands */
	struct looks looks;
	int stand_in; /* -1: of AF_UNIX, made by the process */
	struct swap_result *result;
	struct error *err;
};

static struct swap_table *table_at(const struct section *section, uint32_t i)
{
	return vector_at(&section->tables, i);
}

/* ---- while they run ---- */

/* Once seized the pid is nobody else's, so what is compared then stays true. A holder that has
 * ended holds no longer. */
static int seize_holders(struct section *section)
{
	const struct swap_job *job = section->job;
	for (uint32_t i = 0; i < job->n_holders; i++) {
		const struct step_holder *holder = &job->holders[i];
		bool is_seized = false;
		for (uint32_t k = 0; k < section->hold.pids.n; k++)
			is_seized |= *(int32_t *)vector_at(&section->hold.pids, k) == holder->pid;
		if (is_seized || (holder->start_ticks &&
				  guard_start_ticks(job->host, holder->pid) != holder->start_ticks))
			continue;
		int r = hold_seize(&section->hold, holder->pid, section->err);
		if (r == -ESRCH)
			continue;
		if (r < 0)
			return r;
		if (holder->start_ticks &&
		    guard_start_ticks(job->host, holder->pid) != holder->start_ticks)
			return error_text(section->err, -ESTALE, "pid %d is another process by now",
					  holder->pid);
	}
	return 0;
}

/* The table of thread @i, if the socket stands in it. */
static int add_table(struct section *section, uint32_t i)
{
	const struct held_thread *thread = hold_thread(&section->hold, i);
	struct swap_table *table = vector_add(&section->tables);
	if (!table)
		return error_set(section->err, -ENOMEM, "look at the descriptors");
	*table = (struct swap_table){.host = section->job->host,
				     .number = i,
				     .pid = thread->pid,
				     .tid = thread->tid,
				     .has_leader = thread->pid == thread->tid,
				     .kept = -1,
				     .stand_in = -1};
	int r = swap_find(table, section->job->target->inode);
	if (!table->n_numbers)
		section->tables.n--;
	return r < 0 && r != -ESRCH ? error_set(section->err, r,
						"look at the descriptors of pid %d", thread->pid)
				    : 0;
}

/* The tables of the threads that were not yet looked at, in which the socket stands. */
static int find_tables(struct section *section)
{
	uint32_t first = section->hold.n_compared;
	hold_find_tables(&section->hold);
	for (uint32_t i = first; i < section->hold.threads.n; i++) {
		const struct held_thread *thread = hold_thread(&section->hold, i);
		int r = thread->table != i || thread->is_gone ? 0 : add_table(section, i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What changed between the look and the stop. */
static void look_again(struct section *section)
{
	uint32_t n_left = 0;
	for (uint32_t i = 0; i < section->tables.n; i++) {
		struct swap_table *table = table_at(section, i);
		if (swap_look_again(table, section->job->target->inode))
			*table_at(section, n_left++) = *table;
	}
	section->tables.n = n_left;
}

/* A copy of the socket tells how it looks; ours is closed again before anything else. */
static void look_at_socket(struct section *section)
{
	looks_of_target(section->job->target, &section->looks);
	for (uint32_t i = 0; i < section->tables.n; i++) {
		const struct swap_table *table = table_at(section, i);
		if (!table->has_leader)
			continue;
		cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, table->pid, 0);
		cleanup(closep) int copy =
			(int)syscall(SYS_pidfd_getfd, pidfd, table->numbers[0].fd, 0);
		if (copy >= 0) {
			looks_of_socket(copy, &section->looks);
			return;
		}
	}
}

static void make_stand_in(struct section *section)
{
	struct error why = {0};
	section->stand_in = stand_in_make(&section->looks, &why);
	if (section->stand_in < 0)
		debug(ACT, "no stand-in in an empty network namespace: %s", why.what);
}

/* ---- while they are held ---- */

static void set_nonblocking(int fd, bool is_nonblocking)
{
	int flags = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
	fcntl(fd, F_SETFL, is_nonblocking ? flags | O_NONBLOCK : flags);
}

/* Under the stop the numbers are looked at again; which file they are the cookie says. */
static int choose_all(struct section *section)
{
	for (uint32_t i = 0; i < section->tables.n; i++) {
		struct swap_table *table = table_at(section, i);
		if (table->is_cut)
			return error_text(section->err, -E2BIG,
					  "pid %d has it under more than %d descriptors",
					  table->pid, TABLE_NUMBERS_MAX);
		int r = swap_choose(table, &section->hold, section->err);
		if (r < 0)
			return r;
		section->looks.is_nonblocking = table->numbers[0].is_nonblocking;
	}
	if (section->stand_in >= 0)
		set_nonblocking(section->stand_in, section->looks.is_nonblocking);
	return 0;
}

static int swap_all(struct section *section)
{
	int r = choose_all(section);
	if (r < 0)
		return r;
	for (uint32_t i = 0; r >= 0 && i < section->tables.n; i++)
		r = swap_bring(table_at(section, i), section->job->target->cookie,
			       section->stand_in, &section->looks, section->err);
	for (uint32_t i = 0; r >= 0 && i < section->tables.n; i++)
		r = swap_take(table_at(section, i), section->err);
	for (uint32_t i = 0; r < 0 && i < section->tables.n; i++)
		swap_give_back(table_at(section, i));
	for (uint32_t i = 0; i < section->tables.n; i++) {
		struct swap_table *table = table_at(section, i);
		if (table->injection.is_begun)
			swap_finish(table);
		section->result->n_tables += table->n_numbers > 0;
		section->result->n_numbers += table->n_numbers;
		section->result->is_unix |= table->is_unix;
	}
	return r;
}

/* As long as others stand still nobody comes between, where we may have it so (CAP_SYS_NICE): on a
 * busy machine they stand a third of the time. */
static void go_first(void)
{
	struct sched_param param = {.sched_priority = 1};
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
		debug(ACT, "at the usual priority: %s", error_reason(-errno));
}

static int run_section(struct section *section)
{
	int r = seize_holders(section);
	r = r < 0 ? r : find_tables(section);
	if (r < 0 || !section->tables.n)
		return r;
	look_at_socket(section);
	make_stand_in(section);
	go_first();
	r = hold_stop(&section->hold, section->err);
	r = r < 0 ? r : find_tables(section);
	if (r >= 0)
		look_again(section);
	r = r < 0 ? r : swap_all(section);
	section->result->n_threads = section->hold.threads.n;
	return r;
}

/* ---- the worker ---- */

/* Signals wait until it is done: it ends by itself, for each wait of its has a limit. */
static void shut_off(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	traced_start_ticks();
	setsid();
	prctl(PR_SET_NAME, "doorward:hold");
}

_Noreturn static void run_worker(const struct swap_job *job, int to)
{
	struct report report = {0};
	struct section section = {
		.job = job, .stand_in = -1, .result = &report.result, .err = &report.err};
	shut_off();
	hold_init(&section.hold, job->host);
	vector_init(&section.tables, sizeof(struct swap_table));
	report.code = run_section(&section);
	hold_let_go(&section.hold);
	report.result.stopped_ns =
		section.hold.stopped_at ? section.hold.went_on_at - section.hold.stopped_at : 0;
	_exit(write(to, &report, sizeof(report)) == sizeof(report) ? 0 : 1);
}

int swap_run(const struct swap_job *job, struct swap_result *ret, struct error *err)
{
	struct report report;
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set(err, -errno, "make a pipe");
	pid_t worker = fork();
	if (worker == 0)
		run_worker(job, pipes[1]);
	int code = worker < 0 ? -errno : 0;
	close(pipes[1]);
	ssize_t n = -1;
	while (worker > 0 && (n = read(pipes[0], &report, sizeof(report))) < 0 && errno == EINTR)
		;
	close(pipes[0]);
	while (worker > 0 && waitpid(worker, NULL, 0) < 0 && errno == EINTR)
		;
	if (code < 0)
		return error_set(err, code, "start a process that holds them still");
	if (n != sizeof(report))
		return error_text(err, -EINTR, "the process that held them still was killed");
	*ret = report.result;
	if (report.code < 0 && err)
		*err = report.err;
	debug(ACT, "%u threads stood still for %llu us", ret->n_threads,
	      (unsigned long long)ret->stopped_ns / 1000);
	return report.code;
}
