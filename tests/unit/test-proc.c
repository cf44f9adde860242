/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over descriptors: links, rings, threads; on a host of the test's own and on this one. */
#include "check.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "laid-out.h"
#include "source/proc.h"

static uint32_t parse(const char *text)
{
	return proc_parse_link(text, strlen(text));
}

static void test_only_a_socket_s_link_is_one(void **state)
{
	(void)state;
	assert_int_equal(parse("socket:[1]"), 1);
	assert_int_equal(parse("socket:[4294967295]"), UINT32_MAX);
	static const char *const others[] = {"",
					     "socket:[",
					     "socket:[]",
					     "socket:[12",
					     "socket:[12]x",
					     "socket:[x]",
					     "socket:[-1]",
					     "pipe:[12]",
					     "/tmp/socket:[12]",
					     "socket:[12] (deleted)",
					     "socket:[4294967296]",
					     "net:[12]",
					     "anon_inode:[io_uring]"};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(parse(others[i]), 0);
}

/* What a sink was told, as "inode:pid:fd " in the order of its coming. */
struct told {
	struct sink sink;
	char text[1024];
	uint64_t n_refused;
};

static int tell_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct told *told = (struct told *)sink;
	size_t n = strlen(told->text);
	snprintf(told->text + n, sizeof(told->text) - n, "%u:%d:%d ", inode, pid, fd);
	return 0;
}

static int tell_missing(struct sink *sink, const struct missing *missing)
{
	((struct told *)sink)->n_refused += missing->count;
	return 0;
}

static struct told walk(struct laid_out *laid, unsigned n_threads)
{
	struct told told = {.sink = {.holder = tell_holder, .missing = tell_missing}};
	struct error err = {0};
	struct query query = {0};
	assert_int_equal(proc_walk(&laid->host, &query, n_threads, &told.sink, &err), 0);
	return told;
}

static int keep_inode(void *data, uint32_t inode)
{
	char *text = data;
	snprintf(text + strlen(text), 16, "%u ", inode);
	return 0;
}

static int refuse_inode(void *data, uint32_t inode)
{
	(void)data;
	return inode == 7 ? -ECANCELED : 0;
}

static const char ring[] = "pos:\t0\nSqMask:\t0x3\nUserFiles:\t3\n    0: socket:[1234]\n"
			   "    1: /tmp/socket:[9]\n   12: socket:[7]\nUserBufs:\t0\n    0: x";

static void test_a_ring_lists_its_registered_files(void **state)
{
	(void)state;
	char text[64] = "";
	assert_int_equal(proc_parse_ring(ring, strlen(ring), keep_inode, text), 0);
	assert_string_equal(text, "1234 7 ");
	assert_int_equal(proc_parse_ring(ring, strlen(ring), refuse_inode, NULL), -ECANCELED);
}

static void test_sockets_of_processes_are_told(void **state)
{
	struct laid_out *laid = *state;
	laid_out_link(laid, "proc/7/fd/0", "/dev/null");
	laid_out_link(laid, "proc/7/fd/3", "socket:[30]");
	laid_out_link(laid, "proc/9/fd/5", "socket:[31]");
	laid_out_link(laid, "proc/self/fd/5", "socket:[99]");
	laid_out_text(laid, "proc/uptime", "1 1\n");
	struct told told = walk(laid, 1);
	assert_true(strstr(told.text, "30:7:3 ") && strstr(told.text, "31:9:5 "));
	assert_int_equal(strlen(told.text), strlen("30:7:3 31:9:5 "));
	assert_int_equal(told.n_refused, 0);
}

static void test_a_ring_s_files_are_its_owner_s(void **state)
{
	struct laid_out *laid = *state;
	laid_out_link(laid, "proc/7/fd/4", "anon_inode:[io_uring]");
	laid_out_text(laid, "proc/7/fdinfo/4", ring);
	assert_string_equal(walk(laid, 1).text, "1234:7:-1 7:7:-1 ");
}

static void test_a_thread_s_own_table_adds_what_it_alone_has(void **state)
{
	struct laid_out *laid = *state;
	laid_out_link(laid, "proc/7/fd/3", "socket:[30]");
	laid_out_link(laid, "proc/7/task/7/fd/3", "socket:[30]");
	laid_out_link(laid, "proc/7/task/8/fd/3", "socket:[30]");
	laid_out_link(laid, "proc/7/task/8/fd/4", "socket:[31]");
	laid_out_link(laid, "proc/7/task/9/fd/4", "socket:[31]");
	assert_string_equal(walk(laid, 1).text, "30:7:3 31:7:4 ");
}

static void test_two_threads_find_what_one_finds(void **state)
{
	struct laid_out *laid = *state;
	char path[64], link[64];
	for (int pid = 100; pid < 160; pid++) {
		snprintf(path, sizeof(path), "proc/%d/fd/3", pid);
		snprintf(link, sizeof(link), "socket:[%d]", pid);
		laid_out_link(laid, path, link);
	}
	struct told one = walk(laid, 1), two = walk(laid, 2);
	assert_int_equal(strlen(one.text), strlen(two.text));
	for (int pid = 100; pid < 160; pid++) {
		snprintf(link, sizeof(link), "%d:%d:3 ", pid, pid);
		assert_non_null(strstr(two.text, link));
	}
}

/* ---- this host ---- */

struct sought {
	struct sink sink;
	uint32_t inode;
	int fd;
	unsigned n;
};

static int seek_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct sought *sought = (struct sought *)sink;
	sought->n += inode == sought->inode && pid == getpid() && fd == sought->fd;
	return 0;
}

static int pass_missing(struct sink *sink, const struct missing *missing)
{
	(void)sink;
	(void)missing;
	return 0;
}

static void test_our_own_socket_is_found_once(void **state)
{
	(void)state;
	struct host host;
	struct error err = {0};
	struct stat status;
	struct sought sought = {.sink = {.holder = seek_holder, .missing = pass_missing}};
	sought.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(sought.fd >= 0 && fstat(sought.fd, &status) == 0);
	sought.inode = (uint32_t)status.st_ino;
	assert_int_equal(host_open(NULL, &host, &err), 0);
	assert_int_equal(proc_walk(&host, &(struct query){0}, 2, &sought.sink, &err), 0);
	assert_int_equal(sought.n, 1);
	assert_int_equal(proc_read_process(&host, getpid(), &sought.sink), 0);
	assert_int_equal(sought.n, 2);
	assert_true(proc_count_descriptors(&host, 1000000) >= 4);
	assert_true(proc_count_descriptors(&host, 1) >= 1);
	close(sought.fd);
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_socket_s_link_is_one),
		cmocka_unit_test(test_a_ring_lists_its_registered_files),
		LAID_OUT(test_sockets_of_processes_are_told),
		LAID_OUT(test_a_ring_s_files_are_its_owner_s),
		LAID_OUT(test_a_thread_s_own_table_adds_what_it_alone_has),
		LAID_OUT(test_two_threads_find_what_one_finds),
		cmocka_unit_test(test_our_own_socket_is_found_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
