/* What one protocol asks: time, threads, progress. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/privilege.h"
#include "scan/job.h"

#define SHOW_EVERY_MS 200

bool job_must_end(const struct job *job, uint64_t now)
{
	return stop_wanted(job->stop) || (job->deadline_us && now >= job->deadline_us);
}

uint32_t job_allowance(const struct job *job, struct timing *timing, uint64_t now,
		       uint64_t *ret_next)
{
	uint32_t n = timing_allowance(timing, now, ret_next);
	if (!n || !job->tracking)
		return n;
	return tracking_allows(job->tracking, atomic_load(&job->progress->n_sent), n, now,
			       ret_next);
}

void job_await(const struct job *job, const int *fds, unsigned n, uint64_t now, uint64_t until)
{
	struct pollfd wait[JOB_FDS_MAX + 1] = {
		{.fd = job->stop ? job->stop->fd : -1, .events = POLLIN}};
	for (unsigned i = 0; i < n && i < JOB_FDS_MAX; i++)
		wait[1 + i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	if (job->deadline_us && until > job->deadline_us)
		until = job->deadline_us;
	uint64_t left = until > now ? until - now : 0;
	const struct timespec how_long = {.tv_sec = (time_t)(left / 1000000),
					  .tv_nsec = (long)(left % 1000000) * 1000};
	ppoll(wait, 1 + (n < JOB_FDS_MAX ? n : JOB_FDS_MAX), &how_long, NULL);
}

void job_wait(const struct job *job, uint64_t us)
{
	uint64_t now = clock_us();
	job_await(job, NULL, 0, now, now + us);
}

#define RATE_OF_ONE 100000 /* probes a second that one thread sends with ease */

unsigned job_threads(const struct job *job)
{
	cpu_set_t set;
	if (job->path.rate_first && job->path.rate_first <= RATE_OF_ONE &&
	    job->path.rate_max <= RATE_OF_ONE)
		return 1;
	int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : n > JOB_THREADS_MAX ? JOB_THREADS_MAX : (unsigned)n;
}

struct timing_path job_path_share(const struct job *job, unsigned n)
{
	struct timing_path path = job->path;
	path.rate_first = (path.rate_first + n - 1) / n;
	path.rate_max = (path.rate_max + n - 1) / n;
	return path;
}

struct worker {
	int (*work)(void *);
	void *data;
	int ended; /* eventfd: one more thread is through */
	int r;
	pthread_t thread;
	bool is_running;
};

static void *run_worker(void *data)
{
	struct worker *worker = data;
	uint64_t one = 1;
	/* the sockets are there: what reads a stranger's packets needs no right any more */
	privilege_drop();
	worker->r = worker->work(worker->data);
	if (write(worker->ended, &one, sizeof(one)) < 0)
		worker->r = -errno;
	return NULL;
}

static void await(const struct job *job, int ended, unsigned n)
{
	struct pollfd wait = {.fd = ended, .events = POLLIN};
	struct progress *progress = job->progress;
	while (n) {
		uint64_t count = 0;
		if (poll(&wait, 1, SHOW_EVERY_MS) > 0 &&
		    read(ended, &count, sizeof(count)) == sizeof(count))
			n -= count < n ? (unsigned)count : n;
		else if (progress && progress->show)
			progress->show(progress, progress->data);
	}
}

int job_run(const struct job *job, unsigned n, int (*work)(void *), void *data, size_t size)
{
	struct worker workers[JOB_THREADS_MAX];
	sigset_t all, before;
	unsigned n_running = 0;
	int r = 0;
	cleanup(closep) int ended = eventfd(0, EFD_CLOEXEC);
	if (ended < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	for (unsigned i = 0; i < n && i < JOB_THREADS_MAX; i++) {
		workers[i] = (struct worker){
			.work = work, .data = (char *)data + i * size, .ended = ended};
		int failed = pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
		if (failed)
			r = -failed;
		workers[i].is_running = !failed;
		n_running += !failed;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	await(job, ended, n_running);
	for (unsigned i = 0; i < n && i < JOB_THREADS_MAX; i++) {
		if (!workers[i].is_running)
			continue;
		pthread_join(workers[i].thread, NULL);
		if (workers[i].r < 0 && r >= 0)
			r = workers[i].r;
	}
	return r;
}
