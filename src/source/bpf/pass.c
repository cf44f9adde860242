/* A BPF iterator run once. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privilege.h"
#include "source/bpf/pass.h"

/* include/linux/proc_ns.h: the host's own pid namespace; in another one pids would be the host's */
#define PROC_PID_INIT_INO 0xEFFFFFFCu

/* One read of a bpf_seq returns at most 8 pages (kernel/bpf/bpf_iter.c), and there whole records
 * where a page has 4 KiB. With larger pages one may be cut by the end of our buffer. */
#define READ_SIZE 32768
#define BUFFER_SIZE (2 * READ_SIZE)
#define RELAY_BUFFERS 4

bool pass_possible(const struct host *host, struct facility *ret)
{
	struct stat status;
	const char *reason = "";
#ifndef HAVE_BPF
	ret->is_built_in = false;
	reason = "built without BPF";
#else
	ret->is_built_in = true;
	if (!host->is_live)
		reason = "the host is not this one";
	else if (!privilege_has(CAP_SYS_ADMIN) &&
		 !(privilege_has(CAP_BPF) && privilege_has(CAP_PERFMON)))
		reason = "needs the capabilities CAP_BPF and CAP_PERFMON";
	else if (stat("/proc/self/ns/pid", &status) < 0 || status.st_ino != PROC_PID_INIT_INO)
		reason = "not in the host's pid namespace";
#endif
	ret->works = !reason[0];
	strncpy(ret->reason, reason, sizeof(ret->reason) - 1);
	(void)host;
	(void)status;
	return ret->works;
}

void pass_loaded(int result, struct facility *ret)
{
	ret->works = result >= 0;
	if (!ret->works)
		snprintf(ret->reason, sizeof(ret->reason), "the kernel refuses the program: %s",
			 error_reason(result));
}

static int bpf_call(int command, union bpf_attr *attributes)
{
	int r = (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
	return r < 0 ? -errno : r;
}

/* What was read, handed on; a record that the end of a read has cut waits for the next. */
struct feed {
	pass_take *take;
	void *data;
	size_t n_cut;
	char cut[BUFFER_SIZE];
};

static int feed_bytes(struct feed *feed, const char *bytes, size_t n)
{
	if (feed->n_cut) {
		if (n > sizeof(feed->cut) - feed->n_cut)
			return -EBADMSG;
		memcpy(feed->cut + feed->n_cut, bytes, n);
		bytes = feed->cut;
		n += feed->n_cut;
	}
	ssize_t taken = feed->take(feed->data, bytes, n);
	if (taken < 0)
		return (int)taken;
	feed->n_cut = n - (size_t)taken;
	memmove(feed->cut, bytes + taken, feed->n_cut);
	return 0;
}

/* Bytes, 0 at the end, negative errno. */
static ssize_t read_some(int iterator, char *buffer, const struct stop *stop)
{
	for (;;) {
		ssize_t n = read(iterator, buffer, READ_SIZE);
		/* EAGAIN: a million objects in a row without a record (bpf_iter.c) */
		if (n < 0 && (errno == EAGAIN || (errno == EINTR && !stop_wanted(stop))))
			continue;
		return n < 0 ? -errno : n;
	}
}

static int read_all(int iterator, struct feed *feed, const struct stop *stop)
{
	char buffer[READ_SIZE];
	ssize_t n;
	int r = 0;
	while (r >= 0 && (n = read_some(iterator, buffer, stop)) != 0)
		r = n < 0 ? (int)n : feed_bytes(feed, buffer, (size_t)n);
	return r;
}

/* The iterator of a program, or negative errno. */
static int open_iterator(int program)
{
	union bpf_attr attributes = {
		.link_create = {.prog_fd = (uint32_t)program, .attach_type = BPF_TRACE_ITER}};
	cleanup(closep) int link = bpf_call(BPF_LINK_CREATE, &attributes);
	if (link < 0)
		return link;
	attributes = (union bpf_attr){.iter_create = {.link_fd = (uint32_t)link}};
	return bpf_call(BPF_ITER_CREATE, &attributes);
}

int pass_run(int program, pass_take *take, void *data, const struct stop *stop)
{
	cleanup(closep) int iterator = open_iterator(program);
	if (iterator < 0)
		return iterator;
	cleanup(freep) struct feed *feed = malloc(sizeof(*feed));
	if (!feed)
		return -ENOMEM;
	feed->take = take;
	feed->data = data;
	feed->n_cut = 0;
	int r = read_all(iterator, feed, stop);
	return r < 0 ? r : feed->n_cut ? -EBADMSG : 0;
}

/* A thread that loads and reads while another takes what was read before. */
struct pass {
	pthread_t thread;
	bool is_running;
	pass_load *load;
	void *data;
	const struct stop *stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n_read, n_taken; /* buffers since the start */
	bool is_unwanted, is_loaded;
	ssize_t sizes[RELAY_BUFFERS]; /* as read_some() gave it: what is not positive is the last */
	char buffers[RELAY_BUFFERS][READ_SIZE];
};

/* False: it is not wanted any more. */
static bool wait_for_room(struct pass *pass, unsigned *ret_at)
{
	pthread_mutex_lock(&pass->lock);
	while (pass->n_read - pass->n_taken == RELAY_BUFFERS && !pass->is_unwanted)
		pthread_cond_wait(&pass->changed, &pass->lock);
	bool is_wanted = !pass->is_unwanted;
	*ret_at = pass->n_read % RELAY_BUFFERS;
	pthread_mutex_unlock(&pass->lock);
	return is_wanted;
}

static void *read_ahead(void *data)
{
	struct pass *pass = data;
	int program = pass->load(pass->data);
	pass->is_loaded = program >= 0;
	cleanup(closep) int iterator = program < 0 ? program : open_iterator(program);
	unsigned at;
	for (ssize_t n = 1; n > 0 && wait_for_room(pass, &at);) {
		n = pass->sizes[at] = iterator < 0
					      ? iterator
					      : read_some(iterator, pass->buffers[at], pass->stop);
		pthread_mutex_lock(&pass->lock);
		pass->n_read++;
		pthread_cond_signal(&pass->changed);
		pthread_mutex_unlock(&pass->lock);
	}
	return NULL;
}

struct pass *pass_start(pass_load *load, void *data, const struct stop *stop)
{
	struct pass *pass = malloc(sizeof(*pass));
	if (!pass)
		return NULL;
	pass->load = load;
	pass->data = data;
	pass->stop = stop;
	pass->n_read = pass->n_taken = 0;
	pass->is_unwanted = pass->is_loaded = false;
	pthread_mutex_init(&pass->lock, NULL);
	pthread_cond_init(&pass->changed, NULL);
	pass->is_running = pthread_create(&pass->thread, NULL, read_ahead, pass) == 0;
	return pass;
}

static int take_all(struct pass *pass, struct feed *feed)
{
	for (int r = 0;;) {
		pthread_mutex_lock(&pass->lock);
		while (pass->n_read == pass->n_taken)
			pthread_cond_wait(&pass->changed, &pass->lock);
		unsigned at = pass->n_taken % RELAY_BUFFERS;
		pthread_mutex_unlock(&pass->lock);
		ssize_t n = pass->sizes[at];
		if (n > 0)
			r = feed_bytes(feed, pass->buffers[at], (size_t)n);
		pthread_mutex_lock(&pass->lock);
		pass->n_taken++;
		pass->is_unwanted = n <= 0 || r < 0;
		bool is_over = pass->is_unwanted;
		pthread_cond_signal(&pass->changed);
		pthread_mutex_unlock(&pass->lock);
		if (is_over)
			return n < 0 ? (int)n : r;
	}
}

static void end(struct pass *pass)
{
	if (pass->is_running)
		pthread_join(pass->thread, NULL);
	pthread_cond_destroy(&pass->changed);
	pthread_mutex_destroy(&pass->lock);
	free(pass);
}

/* Where there was no thread for it: loaded and read here. */
static int run_late(struct pass *pass, pass_take *take, void *data)
{
	int program = pass->load(pass->data);
	pass->is_loaded = program >= 0;
	return program < 0 ? program : pass_run(program, take, data, pass->stop);
}

int pass_finish(struct pass *pass, pass_take *take, void *data, bool *ret_is_loaded)
{
	int r;
	if (pass->is_running) {
		cleanup(freep) struct feed *feed = malloc(sizeof(*feed));
		if (!feed) {
			pass_abandon(pass);
			return -ENOMEM;
		}
		feed->take = take;
		feed->data = data;
		feed->n_cut = 0;
		r = take_all(pass, feed);
		r = r < 0 ? r : feed->n_cut ? -EBADMSG : 0;
	} else {
		r = run_late(pass, take, data);
	}
	*ret_is_loaded = pass->is_loaded;
	end(pass);
	return r;
}

void pass_abandon(struct pass *pass)
{
	pthread_mutex_lock(&pass->lock);
	pass->is_unwanted = true;
	pthread_cond_signal(&pass->changed);
	pthread_mutex_unlock(&pass->lock);
	end(pass);
}
