/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the process of a plan still is that process: this one, which holds a socket. */
#include "check.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/guard.h"

struct plan_of_us {
	struct host host;
	int fd;
	struct identity target;
	struct step_holder holder;
};

static int start(void **state)
{
	static struct plan_of_us us;
	struct stat stat;
	assert_int_equal(host_open(NULL, &us.host, NULL), 0);
	us.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(us.fd >= 0);
	assert_int_equal(fstat(us.fd, &stat), 0);
	us.target = (struct identity){.inode = (uint32_t)stat.st_ino};
	us.holder = (struct step_holder){.pid = getpid(), .fd = us.fd};
	us.holder.start_ticks = guard_start_ticks(&us.host, us.holder.pid);
	us.holder.program = guard_program(&us.host, us.holder.pid);
	assert_true(us.holder.start_ticks && us.holder.program);
	*state = &us;
	return 0;
}

static int end(void **state)
{
	struct plan_of_us *us = *state;
	close(us->fd);
	host_close(&us->host);
	return 0;
}

static int opened(const struct plan_of_us *us)
{
	int r = guard_open(&us->host, &us->target, &us->holder);
	if (r < 0)
		return r;
	close(r);
	return 0;
}

static void test_it_is_the_same(void **state)
{
	struct plan_of_us *us = *state;
	assert_int_equal(opened(us), 0);
	us->holder.fd = 0; /* it has it under another number by now */
	assert_int_equal(opened(us), 0);
}

/* Who got its pid may have got the socket too: by a parent that starts it anew. */
static void test_another_start_is_another_process(void **state)
{
	struct plan_of_us *us = *state;
	us->holder.start_ticks++;
	assert_int_equal(opened(us), -ESRCH);
}

static void test_another_program_is_not_the_one_of_the_plan(void **state)
{
	struct plan_of_us *us = *state;
	us->holder.program++;
	assert_int_equal(opened(us), -ESRCH);
}

static void test_another_socket_is_not_the_target(void **state)
{
	struct plan_of_us *us = *state;
	us->target.inode++;
	assert_int_equal(opened(us), -ENOENT);
}

static void test_a_pid_of_nobody(void **state)
{
	struct plan_of_us *us = *state;
	us->holder.pid = INT32_MAX;
	assert_int_equal(opened(us), -ESRCH);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_it_is_the_same),
		ONE(test_another_start_is_another_process),
		ONE(test_another_program_is_not_the_one_of_the_plan),
		ONE(test_another_socket_is_not_the_target),
		ONE(test_a_pid_of_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
