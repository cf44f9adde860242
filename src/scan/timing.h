/* How fast to ask, how long to wait, how often to ask again. Pure: no clock, no socket; `now` is an
 * argument, in microseconds, so that loss, delay and reordering are unit tests.
 *
 * All doors are asked in passes; each asks again those that are silent, from another source port,
 * so that an answer tells which probe it belongs to. Loss is proven by one kind of answer only: to
 * a repeated probe whose earlier ones stayed without. Silence alone proves nothing. */
#ifndef SCAN_TIMING_H
#define SCAN_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#define TIMING_PASSES_MAX 12

/* What is known of the way before the first answer. */
struct timing_path {
	uint32_t rate_first, rate_max; /* probes a second, at first and at most; 0: no limit */
	uint32_t window_first;	       /* probes under way at first; 0: no limit */
	uint32_t window_min;	       /* loss takes no more than leaves this */
	uint32_t timeout_first_us;     /* while no round trip was measured */
	uint32_t timeout_min_us;       /* never less for the last wait, whatever was measured */
	uint8_t passes_min;	       /* for who never answers */
	bool has_samples;	       /* doors that have answered may be asked again */
};

/* This host and its namespaces; a neighbour or any other host. */
struct timing_path timing_path_own(void);
struct timing_path timing_path_other(void);

struct timing {
	struct timing_path path;
	uint64_t rtt_smooth, rtt_variance, rtt_max; /* 0: none measured (RFC 6298) */
	uint64_t answered[TIMING_PASSES_MAX];	    /* by the probe of that pass */
	uint64_t sampled, sampled_answered;	    /* samples of the loss */
	uint64_t rate, rate_since;		    /* probes a second now; when it was set */
	uint64_t lost_before;			    /* proven losses when it was set */
	uint64_t tokens_at;			    /* up to when tokens were given, */
	double tokens;				    /* and how many are left */
	uint64_t window, n_sent;
	uint64_t window_since;		    /* the younger ones under way were sent since then, */
	uint64_t under_way, under_way_long; /* the older in the time-out before */
	uint64_t last_sent;
	unsigned pass; /* from 0 */
};

void timing_init(struct timing *timing, const struct timing_path *path, uint64_t now);

/* How many may be sent now; and where it is 0 for want of tokens, when to ask again. */
uint32_t timing_allowance(struct timing *timing, uint64_t now, uint64_t *ret_next);
void timing_sent(struct timing *timing, uint32_t n, uint64_t now);

/* The probe of @pass was answered; @rtt 0: unknown. */
void timing_answered(struct timing *timing, unsigned pass, uint64_t rtt, uint64_t now);

/* Whether a sample would tell more than all that has answered: where nearly all are silent. One was
 * sent; one was answered. */
bool timing_wants_sample(const struct timing *timing);
void timing_sampled(struct timing *timing);
void timing_sample_answered(struct timing *timing);

/* All of the pass are out and @n_silent have not answered: the pass is over, or must be waited for
 * until *@ret_until. The wait between passes is short, the last one long enough for the slowest
 * answer that was seen. */
bool timing_pass_is_over(const struct timing *timing, uint64_t n_silent, bool is_last, uint64_t now,
			 uint64_t *ret_until);

/* Another pass is needed for @n_silent: with those done so far, more than so few wrong answers are
 * expected that they hardly matter. */
bool timing_needs_pass(const struct timing *timing, uint64_t n_silent);
void timing_begin_pass(struct timing *timing);

/* What another thread has seen of the same path is as good as what this one has. */
void timing_pool(struct timing *timing, const struct timing *other);

/* When a probe that was not answered is given up. */
uint64_t timing_timeout(const struct timing *timing);

#endif
