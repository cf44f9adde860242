/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timing against a path that is made of numbers: loss, delay, reordering, silence. No socket, no
 * clock. */
#include "check.h"
#include "scan/timing.h"

#define DOORS 65535
#define NEVER UINT64_MAX

struct path {
	double loss; /* each way */
	uint64_t delay, jitter;
	uint32_t n_answering; /* of DOORS doors the first; the rest is silent */
	uint64_t seed;
};

struct outcome {
	uint64_t took, n_sent;
	uint32_t n_wrong;
	unsigned passes;
	uint64_t rate_max;
};

static double random_of(struct path *path)
{
	path->seed = path->seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(path->seed >> 11) / (double)(UINT64_C(1) << 53);
}

struct world {
	struct path *path;
	struct timing timing;
	uint64_t now;
	uint64_t *due; /* of each door: when its answer comes; NEVER */
	uint64_t *sent;
	uint8_t *by; /* of that pass */
	bool *is_answered;
	uint32_t n_doors;
};

static void send_one(struct world *world, uint32_t door, struct outcome *ret)
{
	struct path *path = world->path;
	ret->n_sent++;
	bool is_lost = random_of(path) < path->loss || random_of(path) < path->loss;
	uint64_t delay = path->delay + (uint64_t)(random_of(path) * (double)path->jitter);
	if (door >= path->n_answering || is_lost)
		return;
	if (world->due[door] != NEVER) /* an earlier answer is still under way, and counts */
		return;
	world->due[door] = world->now + delay;
	world->sent[door] = world->now;
	world->by[door] = (uint8_t)world->timing.pass;
}

static void receive(struct world *world)
{
	for (uint32_t i = 0; i < world->path->n_answering; i++) {
		if (world->is_answered[i] || world->due[i] > world->now)
			continue;
		world->is_answered[i] = true;
		timing_answered(&world->timing, world->by[i], world->due[i] - world->sent[i],
				world->now);
	}
}

static uint32_t n_silent(const struct world *world)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < world->n_doors; i++)
		n += !world->is_answered[i];
	return n;
}

static void pass(struct world *world, struct outcome *ret)
{
	uint64_t next, until;
	for (uint32_t i = 0; i < world->n_doors;) {
		uint32_t n = timing_allowance(&world->timing, world->now, &next), sent = 0;
		for (; i < world->n_doors && sent < n; i++) {
			if (world->is_answered[i])
				continue;
			send_one(world, i, ret);
			sent++;
		}
		if (sent)
			timing_sent(&world->timing, sent, world->now);
		if (world->timing.rate > ret->rate_max)
			ret->rate_max = world->timing.rate;
		if (i < world->n_doors)
			world->now = next > world->now ? next : world->now + 1;
		if (world->now % 64 == 0 || next > world->now)
			receive(world);
	}
	bool is_last = !timing_needs_pass(&world->timing, n_silent(world));
	for (;;) {
		receive(world);
		if (timing_pass_is_over(&world->timing, n_silent(world), is_last, world->now,
					&until))
			return;
		world->now = until < world->now + 500 ? until : world->now + 500;
	}
}

static struct outcome scan(struct path *path, const struct timing_path *how, uint32_t n_doors)
{
	struct outcome ret = {.passes = 1};
	struct world world = {.path = path,
			      .n_doors = n_doors,
			      .now = 1000,
			      .due = calloc(n_doors, sizeof(uint64_t)),
			      .sent = calloc(n_doors, sizeof(uint64_t)),
			      .by = calloc(n_doors, 1),
			      .is_answered = calloc(n_doors, sizeof(bool))};
	assert_true(world.due && world.sent && world.by && world.is_answered);
	memset(world.due, 0xff, n_doors * sizeof(uint64_t));
	timing_init(&world.timing, how, world.now);
	for (;;) {
		pass(&world, &ret);
		if (!timing_needs_pass(&world.timing, n_silent(&world)))
			break;
		timing_begin_pass(&world.timing);
		ret.passes++;
	}
	ret.took = world.now - 1000;
	for (uint32_t i = 0; i < path->n_answering; i++)
		ret.n_wrong += !world.is_answered[i];
	free(world.due);
	free(world.sent);
	free(world.by);
	free(world.is_answered);
	return ret;
}

static void test_no_door_is_asked_twice_where_all_answer(void **state)
{
	(void)state;
	struct path path = {.delay = 100, .jitter = 50, .n_answering = DOORS};
	const struct timing_path how = timing_path_own();
	struct outcome got = scan(&path, &how, DOORS);
	assert_int_equal(got.n_wrong, 0);
	assert_int_equal(got.n_sent, DOORS);
}

static unsigned wrong_in(unsigned runs, struct path path, uint32_t n_doors)
{
	const struct timing_path how = timing_path_own();
	unsigned n = 0;
	for (unsigned i = 0; i < runs; i++) {
		path.seed = i * 7919 + 17;
		n += scan(&path, &how, n_doors).n_wrong;
	}
	return n;
}

/* Less than 0.1 wrong answers in 20 scans: of 200 at most a few */
static void test_loss_is_made_up_for(void **state)
{
	(void)state;
	const struct path light = {.loss = 0.01, .delay = 300, .jitter = 300, .n_answering = 2000};
	const struct path heavy = {.loss = 0.05, .delay = 300, .jitter = 300, .n_answering = 2000};
	const struct path few = {.loss = 0.05, .delay = 300, .jitter = 300, .n_answering = 20};
	assert_true(wrong_in(200, light, 2000) <= 3);
	assert_true(wrong_in(200, heavy, 2000) <= 3);
	assert_true(wrong_in(200, few, 2000) <= 3);
}

static void test_reordering_and_delay_are_no_loss(void **state)
{
	(void)state;
	/* answers overtake each other by twice the round trip */
	struct path path = {.delay = 20000, .jitter = 40000, .n_answering = 1000, .seed = 3};
	const struct timing_path how = timing_path_other();
	struct outcome got = scan(&path, &how, 1000);
	assert_int_equal(got.n_wrong, 0);
}

static void test_who_never_answers_is_asked_three_times_and_one_time_out(void **state)
{
	(void)state;
	struct path path = {.delay = 100};
	const struct timing_path how = timing_path_own();
	struct outcome got = scan(&path, &how, 1000);
	assert_int_equal(got.passes, 3);
	assert_true(got.took < 2 * how.timeout_first_us);
}

static void test_a_host_that_drops_all_but_a_few_costs_one_time_out(void **state)
{
	(void)state;
	struct path path = {.delay = 200, .jitter = 100, .n_answering = 20};
	const struct timing_path how = timing_path_own();
	struct outcome got = scan(&path, &how, DOORS);
	assert_int_equal(got.n_wrong, 0);
	assert_true(got.passes <= 3);
	assert_true(got.took < how.timeout_min_us + 100000);
}

/* Few doors prove little; samples of them prove as much as that many doors. */
static void test_samples_tell_the_loss_where_few_answer(void **state)
{
	(void)state;
	const struct timing_path how = timing_path_own();
	for (unsigned n_lost = 0; n_lost <= 5; n_lost += 5) {
		struct timing timing;
		timing_init(&timing, &how, 0);
		for (unsigned i = 0; i < 10; i++)
			timing_answered(&timing, 0, 100, 1000);
		for (unsigned i = 0; i < 40; i++)
			timing_sampled(&timing);
		timing_begin_pass(&timing);
		assert_true(timing_needs_pass(&timing, 1000)); /* none has come back */
		for (unsigned i = 0; i < 40 - n_lost; i++)
			timing_sample_answered(&timing);
		assert_int_equal(timing_needs_pass(&timing, 1000), n_lost > 0);
	}
	assert_false(timing_path_other().has_samples);
}

static void test_samples_are_asked_for_where_nearly_all_are_silent(void **state)
{
	(void)state;
	const struct timing_path how = timing_path_own();
	struct timing timing;
	timing_init(&timing, &how, 0);
	timing_sent(&timing, 128, 10);
	assert_false(timing_wants_sample(&timing));
	timing_sent(&timing, 2000, 20);
	assert_true(timing_wants_sample(&timing));
	for (unsigned i = 0; i < 300; i++)
		timing_answered(&timing, 0, 100, 1000);
	assert_false(timing_wants_sample(&timing));
}

static void test_what_one_thread_saw_counts_for_all(void **state)
{
	(void)state;
	const struct timing_path how = timing_path_own();
	struct timing deaf, other;
	timing_init(&deaf, &how, 0);
	timing_init(&other, &how, 0);
	for (unsigned i = 0; i < 1000; i++)
		timing_answered(&other, 0, 700, 1000);
	timing_begin_pass(&deaf);
	assert_true(timing_needs_pass(&deaf, 1000));
	timing_pool(&deaf, &other);
	assert_false(timing_needs_pass(&deaf, 1000));
	assert_int_equal(timing_timeout(&deaf), how.timeout_min_us);
}

static void test_silence_alone_slows_nothing(void **state)
{
	(void)state;
	struct path path = {.delay = 1000, .n_answering = 10, .seed = 5};
	const struct timing_path how = timing_path_other();
	struct outcome got = scan(&path, &how, 20000);
	assert_int_equal(got.n_wrong, 0);
	assert_true(got.rate_max > how.rate_first); /* it doubled although nearly all was silent */
}

static void test_others_get_no_more_than_the_rate(void **state)
{
	(void)state;
	struct path path = {.delay = 1000, .n_answering = DOORS};
	const struct timing_path how = timing_path_other();
	struct outcome got = scan(&path, &how, DOORS);
	assert_true(got.rate_max <= how.rate_max);
	/* 1,000 + 2,000 + 4,000 + ... in the first seconds */
	assert_true(got.took > 5000000 && got.took < 9000000);
}

/* A host that says nothing at all gets what the rate gives: 1,000, 2,000, 4,000, ... a second. */
static void test_who_says_nothing_is_asked_at_the_whole_rate(void **state)
{
	(void)state;
	struct path path = {.delay = 1000};
	const struct timing_path how = timing_path_other();
	struct outcome got = scan(&path, &how, DOORS);
	assert_int_equal(got.passes, 3);
	assert_int_equal(got.rate_max, how.rate_max);
	assert_true(got.took < UINT64_C(1000000) * (5 + 3 * DOORS / how.rate_max + 2));
}

static void test_proven_loss_shrinks_the_window_and_silence_does_not(void **state)
{
	(void)state;
	const struct timing_path how = timing_path_other();
	struct timing timing;
	uint64_t next;
	timing_init(&timing, &how, 0);
	timing_sent(&timing, 1000, 10);
	timing_allowance(&timing, 5000000, &next);
	assert_int_equal(timing.window, how.window_first);
	for (unsigned i = 0; i < 100; i++)
		timing_answered(&timing, 1, 100, 5000000);
	assert_int_equal(timing.window, how.window_min);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_door_is_asked_twice_where_all_answer),
		cmocka_unit_test(test_loss_is_made_up_for),
		cmocka_unit_test(test_reordering_and_delay_are_no_loss),
		cmocka_unit_test(test_who_never_answers_is_asked_three_times_and_one_time_out),
		cmocka_unit_test(test_a_host_that_drops_all_but_a_few_costs_one_time_out),
		cmocka_unit_test(test_samples_tell_the_loss_where_few_answer),
		cmocka_unit_test(test_samples_are_asked_for_where_nearly_all_are_silent),
		cmocka_unit_test(test_what_one_thread_saw_counts_for_all),
		cmocka_unit_test(test_silence_alone_slows_nothing),
		cmocka_unit_test(test_others_get_no_more_than_the_rate),
		cmocka_unit_test(test_who_says_nothing_is_asked_at_the_whole_rate),
		cmocka_unit_test(test_proven_loss_shrinks_the_window_and_silence_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
