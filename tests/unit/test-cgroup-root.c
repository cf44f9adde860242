/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the tree of control groups is mounted. */
#include "check.h"

#include "source/cgroup-root.h"

static void assert_point(const char *line, const char *expected)
{
	size_t n = 0;
	const char *point = cgroup_root_parse(line, strlen(line), &n);
	if (!expected) {
		assert_null(point);
		return;
	}
	assert_non_null(point);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(point, expected, n);
}

static void test_a_mount_of_the_root_is_found(unused_argument void **state)
{
	assert_point("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw",
		     "/sys/fs/cgroup");
	assert_point("30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 none rw",
		     "/sys/fs/cgroup/unified");
}

static void test_others_are_not(unused_argument void **state)
{
	assert_point("30 23 0:26 /a /mnt rw - cgroup2 cgroup2 rw", NULL);
	assert_point("30 23 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids", NULL);
	assert_point("30 23 0:26 / /mnt rw - tmpfs cgroup2 rw", NULL);
	assert_point("", NULL);
	assert_point("30", NULL);
	assert_point("30 23 0:26 / ", NULL);
	assert_point("30 23 0:26 /  - cgroup2 x", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mount_of_the_root_is_found),
		cmocka_unit_test(test_others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
