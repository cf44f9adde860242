/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug: nothing unless the part is named. */
#include "check.h"

#include "base/debug.h"

static void test_a_word_that_is_none_is_told(unused_argument void **state)
{
	const char *wrong = NULL;
	assert_false(debug_enable("joins", &wrong));
	assert_string_equal(wrong, "joins");
	assert_false(debug_enable("join,,bpf", &wrong));
	for (unsigned i = 0; i < DEBUG_MAX; i++)
		assert_non_null(debug_words[i]);
}

static void test_only_named_parts_are_on(unused_argument void **state)
{
	const char *wrong = NULL;
	assert_false(debug_is_on(DEBUG_PLAN));
	assert_true(debug_enable("", &wrong));
	assert_true(debug_enable("plan,netns", &wrong));
	assert_true(debug_is_on(DEBUG_PLAN));
	assert_true(debug_is_on(DEBUG_NETNS));
	assert_false(debug_is_on(DEBUG_SOURCE));
	assert_true(debug_enable("all", &wrong));
	assert_true(debug_is_on(DEBUG_SOURCE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_named_parts_are_on),
		cmocka_unit_test(test_a_word_that_is_none_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
