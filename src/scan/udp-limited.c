/* UDP doors of a host that says only now and then which of them are closed.
 *
 * Linux sends six port-unreachables to one host at once, and then one a second (icmp(7),
 * icmp_ratelimit; IPv6: ten a second). So the doors are asked in a known order, in bursts. The
 * error that comes is of the first closed door of the burst: those before it are silent, those
 * behind it have not been heard. Then the next burst begins behind it, when the host may speak
 * again. A burst that brings no error costs no time: all of it is silent. So a scan takes a second
 * for each closed door beyond the six, however many are filtered.
 *
 * What is silent is asked once more at the end, which costs one burst: a datagram may get lost, and
 * somebody else may have used up what the host may say. */
#include <errno.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/udp.h"

#define TOKENS 6
#define PERIOD_V4_US 1000000 /* and a tick of its kernel, which counts in them */
#define TICK_US 10000	     /* the longest that is built (HZ 100) */
#define PERIOD_V6_US 110000
#define BURST_FIRST 256
#define BURST_MAX 2048
#define BURST_NEAR 4096	   /* where no rate holds it: from the first on */
#define NEAR_US 30000	   /* of a path within this host, until it was measured */
#define NEAR_LEAST_US 6000 /* and so long at least, however fast an echo was: */
#define ECHOES 8	   /* as many times as it took */
#define AT_ONCE 32
#define ROUNDS_MAX 4 /* over what is silent */

struct talk {
	uint32_t target;
	uint32_t *list;		     /* probes whose answer is not known: in the order of asking */
	uint32_t n, at, burst, sent; /* the burst is [at, at + burst), of which sent are out */
	uint32_t last;	   /* index in list behind the last that an error came for, in this burst */
	uint32_t n_errors; /* in this burst */
	uint32_t n_heard;  /* errors in this round */
	uint32_t size;	   /* of the next burst */
	double tokens;	   /* that the host has left, as far as we know */
	double sure;	   /* that it has at least: none before we began */
	uint64_t tokens_at, sure_at, wait_until, sent_at;
	bool is_out, is_free, is_done;
	unsigned round;
};

struct talks {
	struct udp_channel *channel;
	struct talk *each;
	uint32_t *where; /* probe to its index in the list */
	struct timing timing;
	uint64_t period;
	uint32_t burst_first, burst_max;
	bool is_near; /* no rate holds it: it is within this host */
};

static double grown(const struct talks *talks, double tokens, uint64_t since, uint64_t now)
{
	tokens += (double)(now - since) / (double)talks->period;
	return tokens > TOKENS ? TOKENS : tokens;
}

static void refill(const struct talks *talks, struct talk *talk, uint64_t now)
{
	talk->sure = grown(talks, talk->sure, talk->sure_at, now);
	talk->sure_at = now;
	if (now < talk->tokens_at)
		return;
	talk->tokens = grown(talks, talk->tokens, talk->tokens_at, now);
	talk->tokens_at = now;
}

static void hear(void *data, uint32_t probe, const struct answer *answer)
{
	struct talks *talks = data;
	struct talk *talk = &talks->each[probe % talks->channel->job->n_targets];
	timing_answered(&talks->timing, talks->timing.pass, answer->rtt_us, clock_us());
	if (answer->reason != BECAUSE_ICMP)
		return;
	uint32_t behind = talks->where[probe] + 1;
	if (behind > talk->last)
		talk->last = behind;
	talk->n_errors++;
	talk->n_heard++;
}

/* Nothing is known of what is left: it is asked again from the start of the list. */
static void begin_round(struct talks *talks, struct talk *talk)
{
	const struct job *job = talks->channel->job;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < talk->n; i++) {
		if (probe_answer(job, talk->list[i])->state != DOOR_UNKNOWN)
			continue;
		talks->where[talk->list[i]] = kept;
		talk->list[kept++] = talk->list[i];
	}
	talk->n = kept;
	talk->at = talk->n_heard = 0;
	talk->size = talk->round ? talks->burst_max : talks->burst_first;
	talk->is_out = false;
}

static void end_round(struct talks *talks, struct talk *talk)
{
	const struct job *job = talks->channel->job;
	uint32_t n_heard = talk->n_heard;
	talk->round++;
	begin_round(talks, talk);
	if (talk->n && (talk->round == 1 || (n_heard && talk->round < ROUNDS_MAX))) {
		/* heard only where the host is sure to have a word left: somebody else may have
		 * used them up before us */
		if (!talk->is_free && talk->sure < 1) {
			talk->wait_until = talk->sure_at +
					   (uint64_t)((1 - talk->sure) * (double)talks->period) + 1;
			talk->tokens_at = talk->wait_until;
			talk->tokens = 1;
		}
		return;
	}
	talk->is_done = true;
	for (uint32_t i = 0; i < talk->n; i++) {
		const struct answer silent = {.state = DOOR_OPEN_FILTERED,
					      .reason = BECAUSE_NO_ANSWER};
		probe_answered(job, talk->list[i], &silent);
	}
}

/* The burst has been out long enough: what does it say? */
static void end_burst(struct talks *talks, struct talk *talk, uint64_t now)
{
	double before = talk->tokens;
	talk->is_out = false;
	talk->tokens -= talk->n_errors;
	talk->sure = talk->sure > talk->n_errors ? talk->sure - talk->n_errors : 0;
	if (talk->n_errors > TOKENS + 1)
		talk->is_free = true; /* it has no such limit */
	if (talk->tokens < 0)
		talk->tokens = 0;
	bool is_all_heard = talk->is_free || !talk->n_errors || talk->n_errors + 1 <= before;
	talk->at = is_all_heard ? talk->at + talk->burst : talk->last;
	if (!talk->n_errors && talk->size < talks->burst_max)
		talk->size *= 2;
	if (!is_all_heard && talk->tokens < 1)
		talk->wait_until = now + talks->period;
	if (talk->at >= talk->n)
		end_round(talks, talk);
}

static void begin_burst(struct talk *talk)
{
	uint32_t left = talk->n - talk->at;
	talk->burst = talk->size < left ? talk->size : left;
	talk->sent = talk->n_errors = 0;
	talk->last = talk->at;
	talk->is_out = true;
}

/* How long after a burst the last of its answers is there. */
static uint64_t patience(const struct talks *talks, const struct talk *talk)
{
	const struct udp_channel *channel = talks->channel;
	uint64_t wait = 2 * timing_timeout(&talks->timing) / 3;
	if (talks->timing.rtt_smooth)
		return wait;
	if (!talks->is_near)
		return channel->job->path.timeout_first_us;
	/* all within this host: what was sent behind the burst is back, so was the burst handed on,
	 * and an answer to it is behind ours */
	wait = NEAR_LEAST_US + ECHOES * channel->echo_took_us;
	return channel->echo_sent_us >= talk->sent_at && wait < NEAR_US ? wait : NEAR_US;
}

/* Moves one host on; when it wants to be looked at again. */
static uint64_t step(struct talks *talks, struct talk *talk, uint64_t now)
{
	const struct job *job = talks->channel->job;
	uint64_t next = now;
	if (talk->is_done)
		return UINT64_MAX;
	refill(talks, talk, now);
	if (now < talk->wait_until)
		return talk->wait_until;
	if (!talk->is_out)
		begin_burst(talk);
	uint32_t n = job_allowance(talks->channel->job, &talks->timing, now, &next), sent = 0;
	while (talk->sent < talk->burst && sent < n && sent < AT_ONCE) {
		uint32_t probe = talk->list[talk->at + talk->sent];
		if (probe_answer(job, probe)->state == DOOR_UNKNOWN &&
		    !udp_ask(talks->channel, probe))
			break;
		talk->sent++;
		sent++;
	}
	if (sent) {
		timing_sent(&talks->timing, sent, now);
		talk->sent_at = now;
		if (talks->is_near && talk->sent == talk->burst)
			udp_echo(talks->channel);
	}
	if (talk->sent < talk->burst)
		return next > now ? next : now + 100;
	uint64_t until = talk->sent_at + patience(talks, talk);
	if (now < until)
		return until;
	end_burst(talks, talk, now);
	return now;
}

static void tell_rest(struct talks *talks)
{
	const struct job *job = talks->channel->job;
	for (uint64_t i = 0; i < job_n(job); i++)
		if (job->answers[i].state == DOOR_UNKNOWN)
			job->answers[i] = (struct answer){.reason = BECAUSE_ICMP_LIMITED};
}

/* The kernel's own clock tick, which is also that of a neighbour within this host. */
static uint64_t own_tick(void)
{
	struct timespec tick;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_sec)
		return TICK_US;
	return (uint64_t)tick.tv_nsec / 1000 + 1;
}

/* Since when nobody but us has it speak: words grow again also while we look for our targets. */
static uint64_t quiet_since(const struct job *job, uint64_t now)
{
	return atomic_load(&job->progress->n_sent) ? now : job->progress->began_us;
}

static int init(struct talks *talks, struct udp_channel *channel)
{
	const struct job *job = channel->job;
	*talks = (struct talks){.channel = channel,
				.period = job->targets[0].is_v4 ? PERIOD_V4_US : PERIOD_V6_US,
				.burst_first = BURST_FIRST,
				.burst_max = BURST_MAX,
				.is_near = !job->path.rate_first};
	if (job->targets[0].is_v4)
		talks->period += talks->is_near ? own_tick() : TICK_US;
	if (talks->is_near)
		talks->burst_first = talks->burst_max = BURST_NEAR;
	talks->each = calloc(job->n_targets, sizeof(*talks->each));
	talks->where = calloc(job_n(job), sizeof(*talks->where));
	if (!talks->each || !talks->where)
		return -ENOMEM;
	uint64_t now = clock_us();
	timing_init(&talks->timing, &job->path, now);
	talks->timing.path.window_first = 0; /* the rate is what holds it */
	for (uint32_t t = 0; t < job->n_targets; t++) {
		struct talk *talk = &talks->each[t];
		*talk = (struct talk){.target = t,
				      .tokens = TOKENS,
				      .tokens_at = now,
				      .sure_at = quiet_since(job, now)};
		talk->list = malloc(job->n_ports * sizeof(*talk->list));
		if (!talk->list)
			return -ENOMEM;
		for (uint32_t p = 0; p < job->n_ports; p++)
			talk->list[talk->n++] = p * job->n_targets + t;
		begin_round(talks, talk);
		talk->is_done = !talk->n;
	}
	return 0;
}

static void done(struct talks *talks)
{
	for (uint32_t t = 0; talks->each && t < talks->channel->job->n_targets; t++)
		free(talks->each[t].list);
	free(talks->each);
	free(talks->where);
}

int udp_limited(struct udp_channel *channel)
{
	const struct job *job = channel->job;
	struct talks talks;
	int r = init(&talks, channel);
	uint64_t now = clock_us(), next = 0;
	while (r >= 0 && next != UINT64_MAX && !job_must_end(job, now)) {
		next = UINT64_MAX;
		for (uint32_t t = 0; t < job->n_targets; t++) {
			uint64_t its = step(&talks, &talks.each[t], now);
			next = its < next ? its : next;
		}
		uint64_t echoed = channel->echo_sent_us;
		udp_receive(channel, hear, &talks);
		now = clock_us();
		if (echoed != channel->echo_sent_us) {
			next = now; /* patience is shorter now */
		} else if (next != UINT64_MAX && next > now) {
			udp_wait(channel, now, next);
			udp_receive(channel, hear, &talks);
			now = clock_us();
		}
	}
	if (r >= 0 && !stop_wanted(job->stop))
		tell_rest(&talks);
	done(&talks);
	return r;
}
