/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a process may not be traced. */
#include "check.h"
#include "laid-out.h"

#include <errno.h>

#include "act/traced.h"

static void say_status(const struct laid_out *laid, const char *tracer)
{
	char text[256];
	snprintf(text, sizeof(text), "Name:\tnginx\nTracerPid:\t%s\nUid:\t0\t0\t0\t0\n", tracer);
	laid_out_text(laid, "proc/812/task/812/status", text);
}

static void test_another_tracer_is_named(void **state)
{
	const struct laid_out *laid = *state;
	struct error err = {0};
	say_status(laid, "77");
	laid_out_text(laid, "proc/77/comm", "gdb\n");
	assert_int_equal(traced_explain(&laid->host, 812, -EPERM, &err), -EBUSY);
	assert_non_null(strstr(err.what, "by gdb, pid 77"));
	assert_non_null(strstr(err.hint, "end that tracer"));
}

static void test_yama_is_named(void **state)
{
	const struct laid_out *laid = *state;
	struct error err = {0};
	say_status(laid, "0");
	laid_out_text(laid, "proc/sys/kernel/yama/ptrace_scope", "1\n");
	assert_int_equal(traced_explain(&laid->host, 812, -EPERM, &err), -EPERM);
	assert_non_null(strstr(err.what, "yama forbids to trace pid 812 (ptrace_scope is 1)"));
	assert_non_null(strstr(err.hint, "sudo"));
}

static void test_yama_that_forbids_all_until_the_next_boot(void **state)
{
	const struct laid_out *laid = *state;
	struct error err = {0};
	say_status(laid, "0");
	laid_out_text(laid, "proc/sys/kernel/yama/ptrace_scope", "3\n");
	assert_int_equal(traced_explain(&laid->host, 812, -EPERM, &err), -EPERM);
	assert_non_null(strstr(err.what, "until the next boot"));
	assert_null(strstr(err.hint, "sudo"));
}

static void test_without_yama_it_is_a_right_that_lacks(void **state)
{
	const struct laid_out *laid = *state;
	struct error err = {0};
	say_status(laid, "0");
	laid_out_text(laid, "proc/sys/kernel/yama/ptrace_scope", "0\n");
	assert_int_equal(traced_explain(&laid->host, 812, -EPERM, &err), -EPERM);
	assert_non_null(strstr(err.what, "pid 812 may not be traced"));
}

static void test_a_number_of_a_status_file(void **state)
{
	const struct laid_out *laid = *state;
	laid_out_text(laid, "proc/5/task/6/status", "Name:\tx\nSeccomp:\t2\nEmpty:\t\n");
	assert_int_equal(traced_status(&laid->host, 5, 6, "Seccomp", 0), 2);
	assert_int_equal(traced_status(&laid->host, 5, 6, "Empty", -1), -1);
	assert_int_equal(traced_status(&laid->host, 5, 6, "Absent", -1), -1);
	assert_int_equal(traced_status(&laid->host, 9, 9, "Seccomp", -1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAID_OUT(test_another_tracer_is_named),
		LAID_OUT(test_yama_is_named),
		LAID_OUT(test_yama_that_forbids_all_until_the_next_boot),
		LAID_OUT(test_without_yama_it_is_a_right_that_lacks),
		LAID_OUT(test_a_number_of_a_status_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
