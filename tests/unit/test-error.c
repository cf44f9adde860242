/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors: what a person reads of a call that failed. */
#include "check.h"

#include <errno.h>

#include "base/error.h"

static void test_an_error_says_what_and_why(unused_argument void **state)
{
	struct error err = {.code = 0};
	assert_int_equal(error_set(&err, -EPERM, "close tcp/%u", 8080u), -EPERM);
	assert_string_equal(err.what, "close tcp/8080: not permitted");
	assert_int_equal(err.code, -EPERM);
	assert_string_equal(err.hint, "");
}

static void test_a_text_stands_alone(unused_argument void **state)
{
	struct error err = {.code = 0};
	assert_int_equal(error_text(&err, -EINVAL, "%s is no port", "x"), -EINVAL);
	assert_string_equal(err.what, "x is no port");
}

static void test_a_new_error_has_no_old_hint(unused_argument void **state)
{
	struct error err = {.code = 0};
	error_text(&err, -EINVAL, "first");
	error_hint(&err, "run it with %s", "sudo");
	assert_string_equal(err.hint, "run it with sudo");
	error_text(&err, -EINVAL, "second");
	assert_string_equal(err.hint, "");
}

static void test_nobody_need_ask(unused_argument void **state)
{
	assert_int_equal(error_set(NULL, -EIO, "read"), -EIO);
	assert_int_equal(error_text(NULL, -EIO, "read"), -EIO);
	error_hint(NULL, "x");
}

static void test_a_long_text_is_cut_not_overrun(unused_argument void **state)
{
	struct error err = {.code = 0};
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.what), sizeof(err.what) - 1);
	text[sizeof(err.what) - 5] = '\0'; /* the reason does not fit whole */
	error_set(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.what), sizeof(err.what) - 1);
	error_hint(&err, "%s", text);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void test_every_reason_has_words(unused_argument void **state)
{
	assert_string_equal(error_reason(-EACCES), "permission denied");
	assert_non_null(error_reason(-ENOTTY));
	assert_non_null(error_reason(-99999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_says_what_and_why),
		cmocka_unit_test(test_a_text_stands_alone),
		cmocka_unit_test(test_a_new_error_has_no_old_hint),
		cmocka_unit_test(test_nobody_need_ask),
		cmocka_unit_test(test_a_long_text_is_cut_not_overrun),
		cmocka_unit_test(test_every_reason_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
