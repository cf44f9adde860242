/* How fast to ask, how long to wait, how often to ask again. */
#include "scan/timing.h"

/* Less than 0.1 wrong answers in 20 scans. */
#define WRONG_EXPECTED 0.005
#define BURST_US 10000	    /* so much of the rate may be sent at once */
#define DOUBLE_US 1000000   /* a rate without loss is doubled after a second */
#define BETWEEN_MIN_US 2000 /* a wait between two passes is never shorter */
#define TIMEOUT_MAX_US 3000000
#define LOSS_TO_SLOW 0.1 /* of answers; below it is the path's, not ours */
#define SAMPLE_UP_TO 500 /* answers; more of them tell the loss well enough */
#define SAMPLE_FROM 1000 /* probes, of which nine in ten are silent */

struct timing_path timing_path_own(void)
{
	return (struct timing_path){.timeout_first_us = 100000,
				    .timeout_min_us = 60000,
				    .passes_min = 3,
				    .has_samples = true};
}

struct timing_path timing_path_other(void)
{
	return (struct timing_path){.rate_first = 1000,
				    .rate_max = 20000,
				    .window_first = 40000, /* all that two first time-outs hold */
				    .window_min = 200,
				    .timeout_first_us = 1000000,
				    .timeout_min_us = 100000,
				    .passes_min = 3};
}

void timing_init(struct timing *timing, const struct timing_path *path, uint64_t now)
{
	*timing = (struct timing){.path = *path,
				  .rate = path->rate_first,
				  .rate_since = now,
				  .tokens_at = now,
				  .tokens = 1,
				  .window = path->window_first,
				  .window_since = now,
				  .last_sent = now};
}

static uint64_t lost(const struct timing *timing)
{
	uint64_t n = 0;
	for (unsigned pass = 1; pass < TIMING_PASSES_MAX; pass++)
		n += pass * timing->answered[pass];
	return n;
}

static uint64_t answered(const struct timing *timing)
{
	uint64_t n = 0;
	for (unsigned pass = 0; pass < TIMING_PASSES_MAX; pass++)
		n += timing->answered[pass];
	return n;
}

/* Of round trips, as measured. Laplace's rule: with few answers the estimate stays on the safe
 * side. */
static double loss_of(const struct timing *timing)
{
	/* a sample that is under way counts as lost: the safe side, too */
	uint64_t n_lost = lost(timing) + timing->sampled - timing->sampled_answered;
	uint64_t n_answered = answered(timing) + timing->sampled_answered;
	return ((double)n_lost + 0.5) / ((double)(n_answered + n_lost) + 1);
}

bool timing_wants_sample(const struct timing *timing)
{
	uint64_t n = answered(timing);
	return timing->path.has_samples && n < SAMPLE_UP_TO && timing->n_sent >= SAMPLE_FROM &&
	       n < timing->n_sent / 10;
}

void timing_sampled(struct timing *timing)
{
	timing->sampled++;
}

void timing_sample_answered(struct timing *timing)
{
	timing->sampled_answered++;
}

/* Doubles while retransmissions show no loss, halves where they show that we are too fast. */
static void adapt_rate(struct timing *timing, uint64_t now)
{
	uint64_t n_lost = lost(timing) - timing->lost_before;
	if (now - timing->rate_since < DOUBLE_US)
		return;
	if (n_lost == 0)
		timing->rate *= 2;
	else if (loss_of(timing) > LOSS_TO_SLOW)
		timing->rate /= 2;
	if (timing->rate < timing->path.rate_first)
		timing->rate = timing->path.rate_first;
	if (timing->path.rate_max && timing->rate > timing->path.rate_max)
		timing->rate = timing->path.rate_max;
	timing->rate_since = now;
	timing->lost_before = lost(timing);
}

/* What was not answered within one to two time-outs is under way no more: silence neither grows nor
 * shrinks the window. */
static void forget_silent(struct timing *timing, uint64_t now)
{
	uint64_t timeout = timing_timeout(timing), passed = now - timing->window_since;
	if (passed <= timeout)
		return;
	timing->under_way_long = passed <= 2 * timeout ? timing->under_way : 0;
	timing->under_way = 0;
	timing->window_since = now;
}

uint32_t timing_allowance(struct timing *timing, uint64_t now, uint64_t *ret_next)
{
	uint64_t room = UINT32_MAX;
	*ret_next = now;
	if (timing->path.window_first) {
		forget_silent(timing, now);
		uint64_t n = timing->under_way + timing->under_way_long;
		room = n < timing->window ? timing->window - n : 0;
		if (!room)
			*ret_next = timing->window_since + timing_timeout(timing) + 1;
	}
	if (!timing->path.rate_first)
		return (uint32_t)room;
	adapt_rate(timing, now);
	double burst = (double)timing->rate * BURST_US / 1000000 + 1;
	timing->tokens += (double)(now - timing->tokens_at) * (double)timing->rate / 1000000;
	timing->tokens_at = now;
	if (timing->tokens > burst)
		timing->tokens = burst;
	uint64_t n = timing->tokens < 1 ? 0 : (uint64_t)timing->tokens;
	if (!n)
		*ret_next = now + 1000000 / timing->rate;
	return (uint32_t)(n < room ? n : room);
}

void timing_sent(struct timing *timing, uint32_t n, uint64_t now)
{
	timing->under_way += n;
	timing->n_sent += n;
	timing->last_sent = now;
	if (timing->path.rate_first)
		timing->tokens -= n;
}

static void measure(struct timing *timing, uint64_t rtt)
{
	if (!timing->rtt_smooth) {
		timing->rtt_smooth = rtt;
		timing->rtt_variance = rtt / 2;
	} else {
		uint64_t smooth = timing->rtt_smooth;
		uint64_t away = rtt > smooth ? rtt - smooth : smooth - rtt;
		timing->rtt_variance = (3 * timing->rtt_variance + away) / 4;
		timing->rtt_smooth = (7 * smooth + rtt) / 8;
	}
	if (rtt > timing->rtt_max)
		timing->rtt_max = rtt;
}

void timing_answered(struct timing *timing, unsigned pass, uint64_t rtt, uint64_t now)
{
	(void)now;
	if (pass >= TIMING_PASSES_MAX)
		return;
	timing->answered[pass]++;
	uint64_t *under_way = timing->under_way_long ? &timing->under_way_long : &timing->under_way;
	if (*under_way)
		--*under_way;
	if (rtt)
		measure(timing, rtt);
	if (!timing->path.window_first)
		return;
	if (pass == 0)
		timing->window++;
	else if (loss_of(timing) > LOSS_TO_SLOW && timing->window > timing->path.window_min) {
		uint64_t less = timing->window - timing->window / 4,
			 least = timing->path.window_min;
		timing->window = less > least ? less : least;
	}
}

uint64_t timing_timeout(const struct timing *timing)
{
	if (!timing->rtt_smooth)
		return timing->path.timeout_first_us;
	uint64_t timeout = timing->rtt_smooth + 4 * timing->rtt_variance;
	if (timeout < 2 * timing->rtt_max)
		timeout = 2 * timing->rtt_max;
	if (timeout < timing->path.timeout_min_us)
		timeout = timing->path.timeout_min_us;
	return timeout > TIMEOUT_MAX_US ? TIMEOUT_MAX_US : timeout;
}

/* Between passes no answer is thrown away: one that comes late is still taken. So it need be no
 * longer than that most answers are there. */
static uint64_t between(const struct timing *timing)
{
	if (!timing->rtt_smooth)
		return timing->path.timeout_first_us / 4;
	uint64_t wait = timing->rtt_smooth + 4 * timing->rtt_variance;
	if (wait < BETWEEN_MIN_US)
		wait = BETWEEN_MIN_US;
	return wait > TIMEOUT_MAX_US ? TIMEOUT_MAX_US : wait;
}

bool timing_pass_is_over(const struct timing *timing, uint64_t n_silent, bool is_last, uint64_t now,
			 uint64_t *ret_until)
{
	*ret_until = timing->last_sent + (is_last ? timing_timeout(timing) : between(timing));
	return !n_silent || now >= *ret_until;
}

bool timing_needs_pass(const struct timing *timing, uint64_t n_silent)
{
	unsigned done = timing->pass + 1;
	uint64_t n_answered = answered(timing);
	if (!n_silent || done >= TIMING_PASSES_MAX)
		return false;
	if (!n_answered)
		return done < timing->path.passes_min;
	/* of those that answer at all, how many have been missed so far */
	double loss = loss_of(timing), missed = 1;
	for (unsigned i = 0; i < done; i++)
		missed *= loss;
	return missed * (double)n_answered > WRONG_EXPECTED;
}

void timing_begin_pass(struct timing *timing)
{
	timing->pass++;
	timing->under_way = timing->under_way_long = 0;
}

static void take_larger(uint64_t *to, uint64_t other)
{
	*to = other > *to ? other : *to;
}

void timing_pool(struct timing *timing, const struct timing *other)
{
	for (unsigned pass = 0; pass < TIMING_PASSES_MAX; pass++)
		timing->answered[pass] += other->answered[pass];
	timing->sampled += other->sampled;
	timing->sampled_answered += other->sampled_answered;
	take_larger(&timing->rtt_smooth, other->rtt_smooth);
	take_larger(&timing->rtt_variance, other->rtt_variance);
	take_larger(&timing->rtt_max, other->rtt_max);
}
