/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privilege: what was given up is gone, for this process and for what it starts; checked against
 * /proc/self/status, in children. */
#include "check.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/privilege.h"

/* A line of capabilities of /proc/self/status. */
static uint64_t status(const char *name)
{
	cleanup(fclosep) FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			return strtoull(line + strlen(name) + 1, NULL, 16);
	return UINT64_MAX;
}

/* Runs @steps in a child: it ends with 0 where all was as wanted. */
static void check_in_child(int (*steps)(void))
{
	pid_t pid = fork();
	int how = -1;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(steps());
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

static int keep_some(void)
{
	uint64_t had = status("CapPrm");
	if (privilege_keep(CAP(NET_ADMIN) | CAP(SYS_PTRACE)) < 0)
		return 1;
	uint64_t wanted = had & (CAP(NET_ADMIN) | CAP(SYS_PTRACE));
	if (status("CapEff") != wanted || status("CapPrm") != wanted)
		return 2;
	if (status("CapInh") || status("CapAmb") || status("NoNewPrivs") != 1)
		return 3;
	return privilege_has(CAP_NET_ADMIN) == !!(wanted & CAP(NET_ADMIN)) &&
			       !privilege_has(CAP_SYS_ADMIN)
		       ? 0
		       : 4;
}

static int drop_all(void)
{
	if (privilege_keep(CAPS_SEE) < 0 || privilege_drop() < 0)
		return 1;
	return status("CapEff") || status("CapPrm") || privilege_sees_others() ? 2 : 0;
}

static int drop_and_start(void)
{
	if (privilege_keep(CAPS_SEE) < 0 || privilege_drop() < 0)
		return 1;
	execlp("grep", "grep", "-q", "^CapEff:\t0000000000000000$", "/proc/self/status",
	       (char *)NULL);
	return 2;
}

static void test_only_what_is_named_is_kept(unused_argument void **state)
{
	check_in_child(keep_some);
}

static void test_after_the_drop_nothing_is_left(unused_argument void **state)
{
	check_in_child(drop_all);
}

static void test_what_it_starts_has_nothing_either(unused_argument void **state)
{
	check_in_child(drop_and_start); /* as root too: a pager must not get it back */
}

static void test_what_is_no_capability_is_not_had(unused_argument void **state)
{
	assert_false(privilege_has(-1));
	assert_false(privilege_has(64));
	assert_int_equal(privilege_has(CAP_NET_ADMIN), !!(status("CapEff") & CAP(NET_ADMIN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_is_named_is_kept),
		cmocka_unit_test(test_after_the_drop_nothing_is_left),
		cmocka_unit_test(test_what_it_starts_has_nothing_either),
		cmocka_unit_test(test_what_is_no_capability_is_not_had),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
