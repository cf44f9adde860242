/* A scan by SYN packets. No state for a probe but the time when it was sent, kept where its answer
 * will stand: the sequence number shows that who answers has seen it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/finder.h"
#include "scan/icmp.h"
#include "scan/outbox.h"
#include "scan/pending.h"
#include "scan/sampler.h"
#include "scan/syn.h"

#define RECEIVED_MAX 192
#define SMALL 4096 /* doors that one thread does as fast */
#define RUNNERS_MAX 8
#define WAYS_LOOKED 64 /* targets whose ways are looked for before they have answered */

#define SAMPLE_PORT TIMING_PASSES_MAX
_Static_assert(SAMPLE_PORT + SAMPLER_PORTS <= SYN_PORTS, "a source port for each pass and sample");

/* Whether frames may go to a target. One thread finds the way, all take it. */
enum way_state { WAY_NONE, WAY_LOOKED_FOR, WAY_KNOWN, WAY_NEVER };

/* What is the same for all threads, and const while they run. */
struct course {
	const struct job *job;
	uint64_t key[PACKET_KEY];
	struct packet_form *forms; /* of each target */
	struct ip *from;
	union any_address *to;
	socklen_t n_to;
	struct rejects *rejects; /* of each target */
	struct link_way *ways;
	_Atomic uint8_t *way_states; /* enum way_state */
	struct finder finder;
	pthread_mutex_t lock;
	struct timing told[RUNNERS_MAX]; /* by each thread, of what it has seen so far */
};

struct runner {
	struct course *course;
	unsigned thread;
	struct syn_sockets sockets;
	struct pending pending;
	struct timing timing;
	uint32_t next, n_answered; /* in this pass */
	uint32_t n_batches;
	struct sampler sampler;
	struct outbox packets, frames;
};

/* @port: which of the source ports. */
static struct packet_ends ends_of(const struct runner *runner, uint32_t probe, unsigned port)
{
	const struct course *course = runner->course;
	uint32_t target = probe % course->job->n_targets;
	return (struct packet_ends){.to = course->job->targets[target].ip,
				    .from = course->from[target],
				    .to_port = probe_port(course->job, probe),
				    .from_port = (uint16_t)(runner->sockets.base + port)};
}

/* @is_heard: it has just answered. */
static void look_for_way(const struct runner *runner, uint32_t target, bool is_heard)
{
	struct course *course = runner->course;
	uint8_t none = WAY_NONE;
	if (runner->sockets.ways < 0 ||
	    !atomic_compare_exchange_strong(&course->way_states[target], &none, WAY_LOOKED_FOR))
		return;
	int r = link_way_find(runner->sockets.ways, &course->job->targets[target],
			      &course->from[target], is_heard, &course->ways[target]);
	/* who has answered without a way to him has none for frames */
	atomic_store(&course->way_states[target], r >= 0     ? WAY_KNOWN
						  : is_heard ? WAY_NEVER
							     : WAY_NONE);
}

/* Before anybody has answered: the first packets had the kernel ask for the neighbour. */
static void look_for_ways(const struct runner *runner)
{
	uint32_t n = runner->course->job->n_targets;
	for (uint32_t i = 0; i < n && n <= WAYS_LOOKED; i++)
		look_for_way(runner, i, false);
}

static void add_probe(struct runner *runner, uint32_t probe, unsigned port)
{
	struct course *course = runner->course;
	uint32_t target = probe % course->job->n_targets;
	bool has_way = atomic_load_explicit(&course->way_states[target], memory_order_acquire) ==
		       WAY_KNOWN;
	struct outbox *outbox = has_way ? &runner->frames : &runner->packets;
	struct packet_ends ends = ends_of(runner, probe, port);
	size_t n = packet_syn(&course->forms[target], &ends, packet_cookie(course->key, &ends),
			      outbox_room(outbox));
	if (has_way)
		outbox_add_frame(outbox, probe, n, &course->ways[target]);
	else
		outbox_add_packet(outbox, probe, n, &course->to[target], course->n_to);
}

/* The next ones that are silent, as packets. How many. */
static unsigned fill(struct runner *runner, unsigned n, uint64_t now)
{
	const struct job *job = runner->course->job;
	unsigned filled = 0;
	for (; runner->next < runner->pending.n && filled < n; runner->next++) {
		uint32_t probe = runner->pending.list[runner->next];
		struct answer *answer = probe_answer(job, probe);
		if (answer->state != DOOR_UNKNOWN)
			continue;
		answer->rtt_us = (uint32_t)now;
		add_probe(runner, probe, runner->timing.pass);
		filled++;
	}
	return filled;
}

/* How many: one or none. */
static unsigned add_sample(struct runner *runner)
{
	uint32_t probe;
	unsigned port;
	if (!timing_wants_sample(&runner->timing) || !sampler_next(&runner->sampler, &probe, &port))
		return 0;
	add_probe(runner, probe, SAMPLE_PORT + port);
	timing_sampled(&runner->timing);
	return 1;
}

/* The packet that could not be sent: @error. */
static void pass_over(struct runner *runner, struct outbox *outbox, int error)
{
	struct pollfd wait = {.fd = outbox->fd, .events = POLLOUT};
	if (error == EAGAIN || error == ENOBUFS || error == EINTR) {
		poll(&wait, 1, 1);
		return;
	}
	const struct course *course = runner->course;
	uint32_t probe = outbox->probes[outbox->sent++];
	bool is_refused = error == EPERM || error == EACCES;
	/* a rule of our own is not gone past by frames; and where an interface went, the kernel
	 * knows another way, or none */
	if (is_refused || outbox->is_link)
		atomic_store(&course->way_states[probe % course->job->n_targets], WAY_NEVER);
	struct answer *answer = probe_answer(course->job, probe);
	if (!outbox->is_link && answer->state == DOOR_UNKNOWN)
		answer->reason = is_refused ? BECAUSE_REFUSED_HERE : BECAUSE_NO_ROUTE;
}

static void empty(struct runner *runner, struct outbox *outbox)
{
	int error;
	while ((error = outbox_send(outbox)) != 0 && !stop_wanted(runner->course->job->stop))
		pass_over(runner, outbox, error);
}

static void send_batch(struct runner *runner, unsigned n, uint64_t now)
{
	const struct job *job = runner->course->job;
	n = fill(runner, n < OUTBOX_BATCH - 1 ? n : OUTBOX_BATCH - 1, now);
	if (!n)
		return;
	n += add_sample(runner);
	empty(runner, &runner->packets);
	empty(runner, &runner->frames);
	/* now and then, less and less often */
	if ((runner->n_batches & (runner->n_batches - 1)) == 0)
		look_for_ways(runner);
	runner->n_batches++;
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

static void take_sample(struct runner *runner, const struct packet *packet, uint32_t probe,
			unsigned port)
{
	if (packet->kind != PACKET_ERROR && sampler_take(&runner->sampler, probe, port))
		timing_sample_answered(&runner->timing);
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
	if (probe != NONE && pass >= SAMPLE_PORT)
		take_sample(runner, &packet, probe, pass - SAMPLE_PORT);
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
		rejects_count(&runner->course->rejects[probe % job->n_targets], pass);
	}
	probe_answered(job, probe, &answer);
	runner->n_answered++;
	if (answer.reason == BECAUSE_ICMP) /* which may be another's word */
		return;
	sampler_add(&runner->sampler, probe);
	look_for_way(runner, probe % job->n_targets, true);
}

static void receive_translated(struct runner *runner)
{
	uint8_t bytes[RECEIVED_MAX];
	for (;;) {
		ssize_t n = recv(runner->sockets.translated, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0)
			return;
		take(runner, bytes, (size_t)n, clock_us());
	}
}

static void receive(struct runner *runner)
{
	uint64_t now = clock_us();
	const uint8_t *bytes;
	size_t n;
	while ((bytes = ring_packet(&runner->sockets.ring, &n))) {
		take(runner, bytes, n, now);
		ring_free(&runner->sockets.ring);
	}
	if (runner->sockets.translated >= 0)
		receive_translated(runner);
}

static void wait_until(const struct runner *runner, uint64_t now, uint64_t until)
{
	const int fds[] = {runner->sockets.receive, runner->sockets.translated};
	job_await(runner->course->job, fds, ARRAY_SIZE(fds), now, until);
}

/* What all threads have seen of the path: the doors of one may all be silent. */
static struct timing pool(struct runner *runner)
{
	struct course *course = runner->course;
	struct timing all = runner->timing;
	pthread_mutex_lock(&course->lock);
	course->told[runner->thread] = runner->timing;
	for (unsigned i = 0; i < RUNNERS_MAX; i++)
		if (i != runner->thread)
			timing_pool(&all, &course->told[i]);
	pthread_mutex_unlock(&course->lock);
	return all;
}

/* All that are silent are asked once. False: it must end. @ret_is_last: no pass need follow. */
static bool one_pass(struct runner *runner, bool *ret_is_last)
{
	const struct job *job = runner->course->job;
	uint64_t now = clock_us(), next;
	runner->next = runner->n_answered = 0;
	while (runner->next < runner->pending.n) {
		uint32_t n = job_allowance(job, &runner->timing, now, &next);
		if (n)
			send_batch(runner, n, now);
		else
			wait_until(runner, now, next);
		receive(runner);
		pool(runner);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
	for (;;) {
		uint64_t until;
		receive(runner);
		now = clock_us();
		uint32_t n_silent = runner->pending.n - runner->n_answered;
		struct timing all = pool(runner);
		*ret_is_last = !timing_needs_pass(&all, n_silent);
		if (timing_pass_is_over(&all, n_silent, *ret_is_last, now, &until))
			return true;
		if (job_must_end(job, now))
			return false;
		wait_until(runner, now, until);
	}
}

static int work(void *data)
{
	struct runner *runner = *(struct runner **)data;
	const struct job *job = runner->course->job;
	bool is_proof = false;
	timing_init(&runner->timing, &job->path, clock_us());
	for (bool is_last = false; !is_last;) {
		if (!one_pass(runner, &is_last))
			return 0;
		pending_keep(&runner->pending, job);
		if (is_last && !is_proof && runner->timing.pass + 1 < TIMING_PASSES_MAX &&
		    rejects_want_proof(&runner->pending, job, runner->course->rejects)) {
			job_wait(job, REJECTS_WAIT_US);
			is_proof = true;
			is_last = false;
		}
		if (!is_last)
			timing_begin_pass(&runner->timing);
	}
	pending_limited(&runner->pending, job, runner->course->rejects);
	pending_silent(&runner->pending, job,
		       (struct answer){.state = DOOR_FILTERED, .reason = BECAUSE_TIME_OUT});
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
	*course = (struct course){.job = job, .lock = PTHREAD_MUTEX_INITIALIZER};
	course->forms = calloc(job->n_targets, sizeof(*course->forms));
	course->from = calloc(job->n_targets, sizeof(*course->from));
	course->to = calloc(job->n_targets, sizeof(*course->to));
	course->rejects = calloc(job->n_targets, sizeof(*course->rejects));
	course->ways = calloc(job->n_targets, sizeof(*course->ways));
	course->way_states = calloc(job->n_targets, sizeof(*course->way_states));
	int r = finder_init(&course->finder, job);
	if (r < 0 || !course->forms || !course->from || !course->to || !course->rejects ||
	    !course->ways || !course->way_states)
		return -ENOMEM;
	if (getrandom(course->key, sizeof(course->key), 0) < 0)
		return -errno;
	for (uint32_t i = 0; i < job->n_targets; i++) {
		find_source(course, i);
		if (!job->ways || !job->ways[i].interface)
			continue;
		course->ways[i] = job->ways[i];
		course->way_states[i] = WAY_KNOWN;
	}
	return 0;
}

static void course_done(struct course *course)
{
	free(course->forms);
	free(course->from);
	free(course->to);
	free(course->rejects);
	free(course->ways);
	free(course->way_states);
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
	runner->thread = thread;
	*ret = syn_open(&runner->sockets, course->job->targets[0].is_v4, course->job->is_own);
	if (*ret >= 0)
		*ret = pending_init(&runner->pending, course->job, thread, n_threads);
	outbox_init(&runner->packets, runner->sockets.send, false);
	outbox_init(&runner->frames, runner->sockets.send_frames, true);
	return runner;
}

static void runner_free(struct runner *runner)
{
	if (!runner)
		return;
	syn_close(&runner->sockets);
	pending_done(&runner->pending);
	free(runner);
}

int syn_scan(const struct job *all, struct error *err)
{
	struct job job = *all;
	struct course course;
	unsigned n_threads = job_n(&job) < SMALL ? 1 : job_threads(&job);
	struct runner *runners[RUNNERS_MAX] = {0};
	if (n_threads > ARRAY_SIZE(runners))
		n_threads = ARRAY_SIZE(runners);
	job.path = job_path_share(all, n_threads);
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
