/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between plan and act: a real process and its real socket, and what is none of them any more. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "act/guard.h"

struct holding {
	struct host host;
	struct identity target;
	struct step_holder holder;
	int other; /* a socket that the child does not have */
};

static int start(void **state)
{
	struct holding *holding = calloc(1, sizeof(*holding));
	struct error err = {0};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct stat status;
	socklen_t n = sizeof(holding->target.cookie);
	int ends[2];
	char byte;
	assert_non_null(holding);
	assert_int_equal(host_open("/", &holding->host, &err), 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, 57, &holding->target.cookie, &n), 0);
	assert_int_equal(fstat(fd, &status), 0);
	holding->target.inode = (uint32_t)status.st_ino;
	assert_int_equal(pipe(ends), 0);
	int32_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, 77);
		close(fd);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	close(fd);
	holding->other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	holding->holder = (struct step_holder){
		.pid = pid, .fd = 77, .start_ticks = guard_start_ticks(&holding->host, pid)};
	assert_int_not_equal(holding->holder.start_ticks, 0);
	*state = holding;
	return 0;
}

static int end(void **state)
{
	struct holding *holding = *state;
	kill(holding->holder.pid, SIGKILL);
	waitpid(holding->holder.pid, NULL, 0);
	close(holding->other);
	host_close(&holding->host);
	free(holding);
	return 0;
}

static int open_it(const struct holding *holding)
{
	int fd = guard_open(&holding->host, &holding->target, &holding->holder);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void test_the_same_is_the_same_under_any_number(void **state)
{
	struct holding *holding = *state;
	assert_int_equal(open_it(holding), 0);
	holding->holder.fd = 5; /* it has moved it meanwhile */
	assert_int_equal(open_it(holding), 0);
	holding->target.inode = 0; /* unknown: the cookie is enough */
	holding->holder.fd = 77;
	int r = open_it(holding);
	assert_true(r == 0 || r == -EPERM); /* a cookie takes the right to trace */
}

static void test_another_process_with_the_pid_is_not_hit(void **state)
{
	struct holding *holding = *state;
	holding->holder.start_ticks++;
	assert_int_equal(open_it(holding), -ESRCH);
}

static void test_a_process_that_has_ended_is_gone(void **state)
{
	struct holding *holding = *state;
	kill(holding->holder.pid, SIGKILL);
	waitpid(holding->holder.pid, NULL, 0);
	assert_int_equal(open_it(holding), -ESRCH);
	assert_int_equal(guard_start_ticks(&holding->host, holding->holder.pid), 0);
	holding->holder.pid = fork(); /* for end() */
	if (holding->holder.pid == 0)
		_exit(0);
}

static void test_another_socket_is_not_hit(void **state)
{
	struct holding *holding = *state;
	struct stat status;
	uint32_t inode = holding->target.inode;
	assert_int_equal(fstat(holding->other, &status), 0);
	holding->target.inode = (uint32_t)status.st_ino;
	assert_int_equal(open_it(holding), -ENOENT);
	holding->target.inode = inode;
	holding->target.cookie++; /* the inode was given to another socket meanwhile */
	int r = open_it(holding);
	assert_true(r == -ENOENT || (r == 0 && geteuid() != 0));
}

#define HOLDING(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOLDING(test_the_same_is_the_same_under_any_number),
		HOLDING(test_another_process_with_the_pid_is_not_hit),
		HOLDING(test_a_process_that_has_ended_is_gone),
		HOLDING(test_another_socket_is_not_hit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
