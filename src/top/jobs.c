/* A thread that does what a key asked for. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/background.h"
#include "top/jobs.h"

struct jobs {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	struct job *wanted, *done;
	bool is_busy, is_ended, is_forgotten;

	struct stop stop;
	struct host host; /* of the thread alone */
	struct looking looking;
	int fd;
};

struct job *job_new(enum job_kind kind)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->kind = kind;
	job->fd = -1;
	if (out_init(&job->text, -1) < 0) {
		free(job);
		return NULL;
	}
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	if (job->closing)
		closing_done(job->closing);
	free(job->closing);
	arrangement_release(job->shown);
	if (job->fd >= 0)
		close(job->fd);
	out_done(&job->text);
	free(job);
}

static bool acts(const struct job *job)
{
	return job->kind == JOB_CLOSE || job->kind == JOB_BLOCK || job->kind == JOB_UNBLOCK ||
	       job->kind == JOB_WRITE;
}

static void give(struct jobs *jobs, struct job *job)
{
	uint64_t one = 1;
	if (jobs->is_forgotten && !acts(job)) {
		job_free(job);
		return;
	}
	job_free(jobs->done);
	jobs->done = job;
	if (write(jobs->fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static void *run(void *data)
{
	struct jobs *jobs = data;
	pthread_setname_np(pthread_self(), "doorward-act");
	pthread_mutex_lock(&jobs->lock);
	while (!jobs->is_ended) {
		struct job *job = jobs->wanted;
		if (!job) {
			pthread_cond_wait(&jobs->change, &jobs->lock);
			continue;
		}
		jobs->wanted = NULL;
		jobs->is_busy = true;
		jobs->is_forgotten = false;
		jobs->stop.wanted = 0;
		pthread_mutex_unlock(&jobs->lock);
		job_do(job, &jobs->looking, &jobs->stop);
		pthread_mutex_lock(&jobs->lock);
		jobs->is_busy = false;
		give(jobs, job);
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static void done(struct jobs *jobs)
{
	job_free(jobs->wanted);
	job_free(jobs->done);
	pthread_cond_destroy(&jobs->change);
	pthread_mutex_destroy(&jobs->lock);
	host_close(&jobs->host);
	if (jobs->fd >= 0)
		close(jobs->fd);
	free(jobs);
}

int jobs_start(const struct looking *looking, struct jobs **ret, struct error *err)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	if (!jobs)
		return error_set(err, -ENOMEM, "start the screen");
	int r = host_open(NULL, &jobs->host, err);
	if (r < 0) {
		free(jobs);
		return r;
	}
	jobs->stop.fd = -1;
	jobs->host.stop = &jobs->stop;
	jobs->looking = *looking;
	jobs->looking.host = &jobs->host;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->change, NULL);
	jobs->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = jobs->fd < 0 ? -errno : background_start(&jobs->thread, run, jobs);
	if (r < 0) {
		done(jobs);
		return error_set(err, r, "start a thread");
	}
	*ret = jobs;
	return 0;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->is_ended = true;
	jobs->stop.wanted = SIGTERM;
	pthread_cond_signal(&jobs->change);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);
	done(jobs);
}

bool jobs_add(struct jobs *jobs, struct job *job)
{
	pthread_mutex_lock(&jobs->lock);
	bool is_free = !jobs->wanted && (!jobs->is_busy || jobs->is_forgotten);
	if (is_free) {
		jobs->wanted = job;
		pthread_cond_signal(&jobs->change);
	}
	pthread_mutex_unlock(&jobs->lock);
	return is_free;
}

bool jobs_forget(struct jobs *jobs)
{
	pthread_mutex_lock(&jobs->lock);
	bool is_undone = jobs->wanted && acts(jobs->wanted);
	job_free(jobs->wanted);
	jobs->wanted = NULL;
	jobs->is_forgotten = true;
	jobs->stop.wanted = SIGTERM; /* what has begun to act finishes its step */
	pthread_mutex_unlock(&jobs->lock);
	return is_undone;
}

int jobs_fd(const struct jobs *jobs)
{
	return jobs->fd;
}

struct job *jobs_take(struct jobs *jobs)
{
	uint64_t count;
	if (read(jobs->fd, &count, sizeof(count)) < 0)
		return NULL;
	pthread_mutex_lock(&jobs->lock);
	struct job *taken = jobs->done;
	jobs->done = NULL;
	pthread_mutex_unlock(&jobs->lock);
	return taken;
}
