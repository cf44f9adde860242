/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stop: a signal sets the flag and wakes whoever waits. */
#include "check.h"

#include <poll.h>

#include "base/stop.h"

static void test_a_signal_sets_the_flag_and_wakes(unused_argument void **state)
{
	const struct stop *stop = stop_install();
	struct pollfd waited = {.fd = stop->fd, .events = POLLIN};
	assert_false(stop_wanted(NULL));
	assert_false(stop_wanted(stop));
	assert_int_equal(poll(&waited, 1, 0), 0);
	raise(SIGTERM);
	assert_true(stop_wanted(stop));
	assert_int_equal(stop->wanted, SIGTERM);
	assert_int_equal(poll(&waited, 1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_signal_sets_the_flag_and_wakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
