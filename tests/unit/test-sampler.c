/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of the loss: each is sent once and counted once. */
#include "check.h"
#include "scan/sampler.h"

static void test_each_door_is_asked_again_from_each_port(void **state)
{
	(void)state;
	struct sampler sampler = {0};
	uint32_t probe;
	unsigned port;
	assert_false(sampler_next(&sampler, &probe, &port));
	for (uint32_t i = 0; i < 2 * SAMPLER_DOORS; i++)
		sampler_add(&sampler, 1000 + i);
	for (unsigned i = 0; i < SAMPLER_DOORS * SAMPLER_PORTS; i++) {
		assert_true(sampler_next(&sampler, &probe, &port));
		assert_int_equal(probe, 1000 + i / SAMPLER_PORTS);
		assert_int_equal(port, i % SAMPLER_PORTS);
	}
	assert_false(sampler_next(&sampler, &probe, &port));
}

static void test_an_answer_counts_once_and_only_to_what_was_sent(void **state)
{
	(void)state;
	struct sampler sampler = {0};
	uint32_t probe;
	unsigned port;
	sampler_add(&sampler, 7);
	sampler_add(&sampler, 9);
	assert_false(sampler_take(&sampler, 7, 0));
	for (unsigned i = 0; i < SAMPLER_PORTS + 1; i++)
		assert_true(sampler_next(&sampler, &probe, &port));
	assert_true(sampler_take(&sampler, 7, 1));
	assert_false(sampler_take(&sampler, 7, 1));
	assert_true(sampler_take(&sampler, 9, 0));
	assert_false(sampler_take(&sampler, 9, 1));
	assert_false(sampler_take(&sampler, 8, 0));
	assert_false(
		sampler_take(&sampler, 7, SAMPLER_PORTS)); /* no such port: that is 9's first */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_door_is_asked_again_from_each_port),
		cmocka_unit_test(test_an_answer_counts_once_and_only_to_what_was_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
