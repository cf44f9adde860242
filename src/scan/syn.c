/* A scan by SYN packets. No state for a probe but the time when it was sent, kept where its answer
 * will stand: the sequence number shows that who answers has seen it. */
#include <errno.h>
#include <poll.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/finder.h"
#include "scan/icmp.h"
#include "scan/pending.h"
#include "scan/syn.h"

#define BATCH 128
#define RECEIVED_MAX 192
#define ICMP_AT_ONCE 6 /* errors that a Linux host sends before it waits (icmp(7)) */
#define SMALL 4096     /* doors that one thread does as fast */

/* What is the same for all threads, and const while they run. */
struct course {
	const struct job *job;
	uint64_t key[PACKET_KEY];
	struct packet_form *forms; /* of each target */
	struct ip *from;
	union any_address *to;
	socklen_t n_to;
	struct finder finder;
};

struct rejects {
	uint32_t n, n_late; /* all; those that came only when asked again */
};

struct runner {
	struct course *course;
	struct syn_sockets sockets;
	struct pending pending;
	struct timing timing;
	struct rejects *rejects;   /* of each target */
	uint32_t next, n_answered; /* in this pass */
	struct mmsghdr out[BATCH], in[BATCH];
	struct iovec out_parts[BATCH], in_parts[BATCH];
	uint32_t probes[BATCH];
	uint8_t packets[BATCH][PACKET_SYN_MAX], received[BATCH][RECEIVED_MAX];
};

static struct packet_ends ends_of(const struct runner *runner, uint32_t probe, unsigned pass)
{
	const struct course *course = runner->course;
	uint32_t target = probe % course->job->n_targets;
	return (struct packet_ends){.to = course->job->targets[target].ip,
				    .from = course->from[target],
				    .to_port = probe_port(course->job, probe),
				    .from_port = (uint16_t)(runner->sockets.base + pass)};
}

/* The next ones that are silent, as packets. How many. */
static unsigned fill(struct runner *runner, unsigned n, uint64_t now)
{
	const struct course *course = runner->course;
	unsigned filled = 0;
	for (; runner->next < runner->pending.n && filled < n; runner->next++) {
		uint32_t probe = runner->pending.list[runner->next];
		uint32_t target = probe % course->job->n_targets;
		struct answer *answer = probe_answer(course->job, probe);
		if (answer->state != DOOR_UNKNOWN)
			continue;
		struct packet_ends ends = ends_of(runner, probe, runner->timing.pass);
		uint32_t cookie = packet_cookie(course->key, &ends);
		answer->rtt_us = (uint32_t)now;
		runner->out_parts[filled].iov_len =
			packet_syn(&course->forms[target], &ends, cookie, runner->packets[filled]);
		runner->out[filled].msg_hdr.msg_name = &course->to[target];
		runner->probes[filled++] = probe;
	}
	return filled;
}

/* The packet that could not be sent: @error. True: go on with the next. */
static bool pass_over(struct runner *runner, uint32_t probe, int error)
{
	struct pollfd wait = {.fd = runner->sockets.send, .events = POLLOUT};
	if (error == EAGAIN || error == ENOBUFS || error == EINTR) {
		poll(&wait, 1, 1);
		return false;
	}
	probe_answer(runner->course->job, probe)->reason =
		error == EPERM || error == EACCES ? BECAUSE_REFUSED_HERE : BECAUSE_NO_ROUTE;
	return true;
}

static void send_batch(struct runner *runner, unsigned n, uint64_t now)
{
	const struct job *job = runner->course->job;
	n = fill(runner, n < BATCH ? n : BATCH, now);
	for (unsigned sent = 0; sent < n && !stop_wanted(job->stop);) {
		int r = sendmmsg(runner->sockets.send, runner->out + sent, n - sent, 0);
		if (r > 0)
			sent += (unsigned)r;
		else if (pass_over(runner, runner->probes[sent], errno))
			sent++;
	}
	if (!n)
		return;
	timing_sent(&runner->timing, n, now);
	atomic_fetch_add_explicit(&job->progress->n_sent, n, memory_order_relaxed);
}

static bool answer_from(const struct packet *packet, bool is_v4, struct answer *ret)
{
	*ret = (struct answer){.state = DOOR_OPEN, .reason = BECAUSE_SYN_ACK};
	if (packet->kind == PACKET_SYN_ACK)
		return true;
	*ret = (struct answer){.state = DOOR_CLOSED, .reason = BECAUSE_RST};
	if (packet->kind == PACKET_RST)
		return true;
	*ret = (struct answer){
		.state = icmp_state(is_v4, PROTO_TCP, packet->icmp_type, packet->icmp_code),
		.reason = BECAUSE_ICMP,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code};
	return ret->state != DOOR_UNKNOWN;
}

/* Whose probe it answers; NONE: nobody's, or one that its sender never saw. */
static uint32_t probe_of(const struct runner *runner, const struct packet *packet)
{
	const struct course *course = runner->course;
	uint32_t probe = finder_probe(&course->finder, &packet->ends.to, packet->ends.to_port);
	if (probe == NONE ||
	    !ip_equal(&packet->ends.from, &course->from[probe % course->job->n_targets]))
		return NONE;
	if ((packet->ends.from_port & ~(SYN_PORTS - 1)) != runner->sockets.base)
		return NONE;
	if (packet_cookie(course->key, &packet->ends) != packet->cookie)
		return NONE;
	return probe;
}

static void take(struct runner *runner, const uint8_t *bytes, size_t n, uint64_t now)
{
	const struct job *job = runner->course->job;
	struct packet packet;
	struct answer answer;
	if (!packet_parse(bytes, n, job->targets[0].is_v4, &packet))
		return;
	uint32_t probe = probe_of(runner, &packet);
	unsigned pass = packet.ends.from_port & (SYN_PORTS - 1);
	if (probe == NONE || pass > runner->timing.pass ||
	    !answer_from(&packet, job->targets[0].is_v4, &answer))
		return;
	const struct answer *before = probe_answer(job, probe);
	if (before->state != DOOR_UNKNOWN)
		return;
	/* the time that is kept is that of the last probe */
	if (pass == runner->timing.pass)
		answer.rtt_us = (uint32_t)now - before->rtt_us + ((uint32_t)now == before->rtt_us);
	timing_answered(&runner->timing, pass, answer.rtt_us, now);
	if (answer.reason == BECAUSE_ICMP) {
		runner->rejects[probe % job->n_targets].n++;
		runner->rejects[probe % job->n_targets].n_late += pass > 0;
	}
	probe_answered(job, probe, &answer);
	runner->n_answered++;
}

static void receive_from(struct runner *runner, int fd)
{
	int n;
	do {
		n = recvmmsg(fd, runner->in, BATCH, MSG_DONTWAIT, NULL);
		uint64_t now = clock_us();
		for (int i = 0; i < n; i++) {
			size_t length = runner->in[i].msg_len;
			take(runner, runner->received[i],
			     length < RECEIVED_MAX ? length : RECEIVED_MAX, now);
		}
	} while (n == BATCH);
}

static void receive(struct runner *runner)
{
	receive_from(runner, runner->sockets.receive);
	if (runner->sockets.translated >= 0)
		receive_from(runner, runner->sockets.translated);
}

static void wait_until(const struct runner *runner, uint64_t now, uint64_t until)
{
	const struct job *job = runner->course->job;
	struct pollfd wait[] = {{.fd = runner->sockets.receive, .events = POLLIN},
				{.fd = runner->sockets.translated, .events = POLLIN},
				{.fd = job->stop ? job->stop->fd : -1, .events = POLLIN}};
	if (job->deadline_us && until > job->deadline_us)
		until = job->deadline_us;
	uint64_t left = until > now ? until - now : 0;
	const struct timespec how_long = {.tv_sec = (time_t)(left / 1000000),
					  .tv_nsec = (long)(left % 1000000) * 1000};
	ppoll(wait, ARRAY_SIZE(wait), &how_long, NULL);
}

/* All that are silent are asked once. False: it must end. */
static bool one_pass(struct runner *runner)
{
	const struct job *job = runner->course->job;
	uint64_t now = clock_us(), next;
	runner->next = runner->n_answered = 0;
	while (runner->next < runner->pending.n) {
		uint32_t n = timing_allowance(&runner->timing, now, &next);
		if (n)
			send_batch(runner, n, now);
		else
			wait_until(runner, now, next);
		receive(runner);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
	for (;;) {
		uint64_t until;
		receive(runner);
		now = clock_us();
		uint32_t n_silent = runner->pending.n - runner->n_answered;
		bool is_last = !timing_needs_pass(&runner->timing, n_silent);
		if (timing_pass_is_over(&runner->timing, n_silent, is_last, now, &until))
			return true;
		if (job_must_end(job, now))
			return false;
		wait_until(runner, now, until);
	}
}

/* Silent doors of a host that rejects others, as fast as it may, are rejected too. */
static void tell_silent(struct runner *runner)
{
	const struct job *job = runner->course->job;
	for (uint32_t i = 0; i < runner->pending.n; i++) {
		uint32_t probe = runner->pending.list[i];
		const struct rejects *rejects = &runner->rejects[probe % job->n_targets];
		if (rejects->n < ICMP_AT_ONCE || !rejects->n_late)
			continue;
		const struct answer limited = {.state = DOOR_FILTERED,
					       .reason = BECAUSE_ICMP_LIMITED};
		probe_answered(job, probe, &limited);
	}
	pending_silent(&runner->pending, job,
		       (struct answer){.state = DOOR_FILTERED, .reason = BECAUSE_TIME_OUT});
}

static int work(void *data)
{
	struct runner *runner = *(struct runner **)data;
	const struct job *job = runner->course->job;
	timing_init(&runner->timing, &job->path, clock_us());
	for (;;) {
		if (!one_pass(runner))
			return 0;
		uint32_t n = pending_keep(&runner->pending, job);
		if (!timing_needs_pass(&runner->timing, n))
			break;
		timing_begin_pass(&runner->timing);
	}
	tell_silent(runner);
	return 0;
}

/* Where no way leads nothing is sent. */
static void find_source(struct course *course, uint32_t target)
{
	const struct job *job = course->job;
	if (syn_source(&job->targets[target], &course->from[target]) < 0) {
		const struct answer answer = {.state = DOOR_FILTERED, .reason = BECAUSE_NO_ROUTE};
		for (uint32_t p = 0; p < job->n_ports; p++)
			probe_answered(job, p * job->n_targets + target, &answer);
		return;
	}
	packet_form(job->targets[target].is_v4, &course->from[target], &job->targets[target].ip,
		    &course->forms[target]);
	course->n_to = address_of(&job->targets[target], 0, &course->to[target]);
}

static int course_init(struct course *course, const struct job *job)
{
	*course = (struct course){.job = job};
	course->forms = calloc(job->n_targets, sizeof(*course->forms));
	course->from = calloc(job->n_targets, sizeof(*course->from));
	course->to = calloc(job->n_targets, sizeof(*course->to));
	int r = finder_init(&course->finder, job);
	if (r < 0 || !course->forms || !course->from || !course->to)
		return -ENOMEM;
	if (getrandom(course->key, sizeof(course->key), 0) < 0)
		return -errno;
	for (uint32_t i = 0; i < job->n_targets; i++)
		find_source(course, i);
	return 0;
}

static void course_done(struct course *course)
{
	free(course->forms);
	free(course->from);
	free(course->to);
	finder_done(&course->finder);
}

static struct runner *runner_new(struct course *course, unsigned thread, unsigned n_threads,
				 int *ret)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	*ret = -ENOMEM;
	if (!runner)
		return NULL;
	runner->course = course;
	runner->rejects = calloc(course->job->n_targets, sizeof(*runner->rejects));
	for (unsigned i = 0; i < BATCH; i++) {
		runner->out_parts[i].iov_base = runner->packets[i];
		runner->in_parts[i] = (struct iovec){runner->received[i], RECEIVED_MAX};
		runner->out[i].msg_hdr = (struct msghdr){.msg_iov = &runner->out_parts[i],
							 .msg_iovlen = 1,
							 .msg_namelen = course->n_to};
		runner->in[i].msg_hdr =
			(struct msghdr){.msg_iov = &runner->in_parts[i], .msg_iovlen = 1};
	}
	*ret = syn_open(&runner->sockets, course->job->targets[0].is_v4, course->job->is_own);
	if (*ret >= 0 && !runner->rejects)
		*ret = -ENOMEM;
	if (*ret >= 0)
		*ret = pending_init(&runner->pending, course->job, thread, n_threads);
	return runner;
}

static void runner_free(struct runner *runner)
{
	if (!runner)
		return;
	syn_close(&runner->sockets);
	pending_done(&runner->pending);
	free(runner->rejects);
	free(runner);
}

int syn_scan(const struct job *all, struct error *err)
{
	struct job job = *all;
	struct course course;
	unsigned n_threads = job_n(&job) < SMALL ? 1 : job_threads();
	struct runner *runners[8] = {0};
	if (n_threads > ARRAY_SIZE(runners))
		n_threads = ARRAY_SIZE(runners);
	job.path.rate_first = (job.path.rate_first + n_threads - 1) / n_threads;
	job.path.rate_max = (job.path.rate_max + n_threads - 1) / n_threads;
	int r = course_init(&course, &job);
	for (unsigned i = 0; i < n_threads && r >= 0; i++)
		runners[i] = runner_new(&course, i, n_threads, &r);
	if (r >= 0)
		r = job_run(&job, n_threads, work, runners, sizeof(runners[0]));
	for (unsigned i = 0; i < n_threads; i++)
		runner_free(runners[i]);
	course_done(&course);
	if (r < 0)
		error_set(err, r, "send packets of our own");
	if (r == -EPERM)
		error_hint(err, "it needs CAP_NET_RAW; --method connect needs nothing");
	return r;
}
