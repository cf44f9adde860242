/* A scan that needs no right, where doors may be silent: many connects at once. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/connect.h"
#include "scan/pending.h"

#define SLOTS_MAX 9000 /* each thread's; more gained nothing */
#define KEPT_FREE 64   /* descriptors that are left for the rest of the program */
#define EVENTS 256
#define SEND_AT_ONCE 128

struct slot {
	int fd; /* -1: none yet */
	uint32_t probe;
	bool is_busy;
	uint64_t began;
	uint32_t turn; /* in the queue of what is under way */
};

struct many {
	const struct job *job;
	struct pending pending;
	struct timing timing;
	struct rejects *rejects; /* of each target, shared */
	struct slot *slots;
	uint32_t *free;	 /* those that may be used: a stack */
	uint32_t *queue; /* those under way by age: a ring of n_slots */
	uint32_t n_slots, n_free, head, n_queue, n_busy;
	uint32_t next; /* of pending */
	int epoll;
};

static void release(struct many *many, struct slot *slot, bool is_reusable)
{
	union any_address none = {.any.sa_family = AF_UNSPEC};
	/* a connect that is under way is taken back, and the socket serves again */
	if (probe_target(many->job, slot->probe)->interface)
		is_reusable = false; /* it is tied to that interface */
	if (slot->fd >= 0 && (!is_reusable || connect(slot->fd, &none.any, sizeof(none)) < 0)) {
		close(slot->fd);
		slot->fd = -1;
	}
	slot->is_busy = false;
	many->n_busy--;
	many->free[many->n_free++] = (uint32_t)(slot - many->slots);
}

static int open_slot(struct many *many, struct slot *slot)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET,
				    .data.u32 = (uint32_t)(slot - many->slots)};
	if (slot->fd >= 0)
		return 0;
	slot->fd = connect_socket(many->job, SOCK_NONBLOCK);
	if (slot->fd < 0)
		return slot->fd;
	return epoll_ctl(many->epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0 ? -errno : 0;
}

/* Calls connect again: the only way that gives the refusal and frees the socket for another. */
static void collect(struct many *many, struct slot *slot, int error, uint64_t now)
{
	const struct job *job = many->job;
	const struct scan_target *target = probe_target(job, slot->probe);
	uint16_t port = probe_port(job, slot->probe);
	union any_address address;
	struct answer answer;
	if (error == EINPROGRESS)
		error = connect(slot->fd, &address.any, address_of(target, port, &address)) < 0
				? errno
				: 0;
	if (!connect_answer(job, slot->fd, target, port, error, &answer)) {
		if (error != EALREADY && error != EINPROGRESS)
			release(many, slot, false);
		return;
	}
	if (job->is_own)
		now = clock_us(); /* it was answered while connect() was called */
	uint64_t rtt = now > slot->began ? now - slot->began : 1;
	if (answer.reason == BECAUSE_REFUSED_HERE || answer.reason == BECAUSE_NO_ROUTE)
		rtt = 0;
	answer.rtt_us = (uint32_t)rtt;
	if (answer.reason == BECAUSE_ICMP)
		rejects_count(&many->rejects[slot->probe % job->n_targets], many->timing.pass);
	timing_answered(&many->timing, many->timing.pass, rtt, now);
	probe_answered(job, slot->probe, &answer);
	release(many, slot, error == ECONNREFUSED || error == EALREADY);
}

/* 0; negative errno: no socket could be had, the rest waits. */
static int begin(struct many *many, uint32_t probe, uint64_t now)
{
	const struct job *job = many->job;
	struct slot *slot = &many->slots[many->free[many->n_free - 1]];
	union any_address address;
	socklen_t n = address_of(probe_target(job, probe), probe_port(job, probe), &address);
	int r = open_slot(many, slot);
	if (r < 0)
		return r;
	slot->probe = probe;
	slot->began = now;
	slot->is_busy = true;
	many->n_free--;
	many->n_busy++;
	slot->turn = (many->head + many->n_queue++) % (2 * many->n_slots);
	many->queue[slot->turn] = (uint32_t)(slot - many->slots);
	int error = connect(slot->fd, &address.any, n) < 0 ? errno : 0;
	if (error == EADDRNOTAVAIL || error == EAGAIN) { /* no source port is free now */
		release(many, slot, true);
		return -error;
	}
	if (error != EINPROGRESS || job->is_own)
		collect(many, slot, error, now);
	return 0;
}

/* Oldest first: those that were answered are passed over, those that are too old given up. */
static void expire(struct many *many, uint64_t now, bool all)
{
	uint64_t timeout = timing_timeout(&many->timing);
	while (many->n_queue) {
		struct slot *slot = &many->slots[many->queue[many->head]];
		bool is_its = slot->is_busy && slot->turn == many->head;
		if (is_its && !all && now - slot->began < timeout)
			break;
		if (is_its) {
			collect(many, slot, EALREADY, now); /* an error may lie in its queue */
			if (slot->is_busy)
				release(many, slot, true);
		}
		many->head = (many->head + 1) % (2 * many->n_slots);
		many->n_queue--;
	}
}

static void send_some(struct many *many, uint64_t now, uint64_t *ret_next)
{
	uint32_t n = job_allowance(many->job, &many->timing, now, ret_next), sent = 0;
	if (n > SEND_AT_ONCE)
		n = SEND_AT_ONCE;
	while (sent < n && many->n_free && many->next < many->pending.n &&
	       many->n_queue < 2 * many->n_slots) {
		uint32_t probe = many->pending.list[many->next];
		if (begin(many, probe, now) < 0) {
			if (!many->n_busy) /* nothing will be freed by waiting */
				many->next++;
			break;
		}
		many->next++;
		sent++;
	}
	if (!sent)
		return;
	timing_sent(&many->timing, sent, now);
	atomic_fetch_add_explicit(&many->job->progress->n_sent, sent, memory_order_relaxed);
}

/* Until something may be sent, the oldest is too old, or @limit_ms. */
static int wait_ms(const struct many *many, uint64_t now, uint64_t next)
{
	uint64_t until = now + 50000;
	if (many->next < many->pending.n && many->n_free) {
		if (next <= now)
			return 0;
		until = next < until ? next : until;
	}
	if (many->n_queue) {
		const struct slot *oldest = &many->slots[many->queue[many->head]];
		uint64_t end = oldest->began + timing_timeout(&many->timing);
		if (!oldest->is_busy || oldest->turn != many->head)
			end = now;
		until = end < until ? end : until;
	}
	return until <= now ? 0 : (int)((until - now + 999) / 1000);
}

/* All of the list once. */
static void one_pass(struct many *many)
{
	struct epoll_event events[EVENTS];
	uint64_t now = clock_us(), next = now;
	many->next = 0;
	while ((many->next < many->pending.n || many->n_busy) && !job_must_end(many->job, now)) {
		send_some(many, now, &next);
		int n = epoll_wait(many->epoll, events, EVENTS, wait_ms(many, now, next));
		now = clock_us();
		for (int i = 0; i < n; i++) {
			struct slot *slot = &many->slots[events[i].data.u32];
			if (slot->is_busy)
				collect(many, slot, EINPROGRESS, now);
		}
		expire(many, now, false);
	}
	expire(many, now, true);
}

static int work(void *data)
{
	struct many *many = data;
	const struct job *job = many->job;
	many->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (many->epoll < 0)
		return -errno;
	bool is_proof = false;
	timing_init(&many->timing, &job->path, clock_us());
	for (;;) {
		one_pass(many);
		uint32_t n = pending_keep(&many->pending, job);
		if (job_must_end(job, clock_us()))
			return 0;
		if (!timing_needs_pass(&many->timing, n)) {
			if (is_proof || many->timing.pass + 1 >= TIMING_PASSES_MAX ||
			    !rejects_want_proof(&many->pending, job, many->rejects))
				break;
			job_wait(job, REJECTS_WAIT_US);
			is_proof = true;
		}
		timing_begin_pass(&many->timing);
	}
	pending_limited(&many->pending, job, many->rejects);
	pending_silent(&many->pending, job,
		       (struct answer){.state = DOOR_FILTERED, .reason = BECAUSE_TIME_OUT});
	return 0;
}

static int init(struct many *many, const struct job *job, unsigned thread, unsigned n_threads,
		uint32_t n_slots)
{
	*many = (struct many){.job = job, .epoll = -1, .n_slots = n_slots};
	many->slots = calloc(n_slots, sizeof(*many->slots));
	many->free = calloc(n_slots, sizeof(*many->free));
	many->queue = calloc(2 * (size_t)n_slots, sizeof(*many->queue));
	if (!many->slots || !many->free || !many->queue)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_slots; i++) {
		many->slots[i].fd = -1;
		many->free[many->n_free++] = n_slots - 1 - i;
	}
	return pending_init(&many->pending, job, thread, n_threads);
}

static void done(struct many *many)
{
	for (uint32_t i = 0; many->slots && i < many->n_slots; i++)
		closep(&many->slots[i].fd);
	closep(&many->epoll);
	free(many->slots);
	free(many->free);
	free(many->queue);
	pending_done(&many->pending);
}

/* How many sockets each thread may have: the limit is raised as far as it goes. */
static uint32_t slots_for(const struct job *job, unsigned n_threads)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 128;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	uint64_t n = limit.rlim_cur > 2 * KEPT_FREE ? limit.rlim_cur - KEPT_FREE : KEPT_FREE;
	n /= n_threads;
	if (n > SLOTS_MAX)
		n = SLOTS_MAX;
	uint64_t needed = job_n(job) / n_threads + 1;
	return (uint32_t)(n < needed ? n : needed);
}

int connect_many(const struct job *job, unsigned n_threads)
{
	uint32_t n_slots = slots_for(job, n_threads);
	struct many *each = calloc(n_threads, sizeof(*each));
	cleanup(freep) struct rejects *rejects = calloc(job->n_targets, sizeof(*rejects));
	int r = each && rejects ? 0 : -ENOMEM;
	for (unsigned i = 0; i < n_threads && r >= 0; i++) {
		r = init(&each[i], job, i, n_threads, n_slots);
		each[i].rejects = rejects;
	}
	if (r >= 0)
		r = job_run(job, n_threads, work, each, sizeof(*each));
	for (unsigned i = 0; each && i < n_threads; i++)
		done(&each[i]);
	free(each);
	return r;
}
