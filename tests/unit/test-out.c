/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Out: every byte arrives in its order, and a failed write is kept, not lost. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/out.h"

static void test_in_memory_it_grows(unused_argument void **state)
{
	cleanup(out_done) struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	for (unsigned i = 0; i < 100000; i++)
		out_char(&out, (char)('a' + i % 26));
	assert_int_equal(out.n, 100000);
	for (unsigned i = 0; i < out.n; i++)
		if (out.data[i] != (char)('a' + i % 26))
			fail_msg("byte %u changed", i);
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(out.n, 100000); /* kept: nobody took it */
}

static void test_all_pieces_arrive_in_order(unused_argument void **state)
{
	static const char wanted[] = "n -12 18446744073709551615    x 7%";
	cleanup(closep) int fd = memfd_create("out", MFD_CLOEXEC);
	cleanup(out_done) struct out out;
	char got[sizeof(wanted)] = {0};
	assert_int_equal(out_init(&out, fd), 0);
	out_string(&out, "n ");
	out_i64(&out, -12);
	out_char(&out, ' ');
	out_u64(&out, UINT64_MAX);
	out_spaces(&out, 4);
	out_bytes(&out, "x", 1);
	out_format(&out, " %d%%", 7);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0); /* nothing leaves before it must */
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(wanted) - 1);
	assert_string_equal(got, wanted);
}

static void test_more_than_the_buffer_is_written_whole(unused_argument void **state)
{
	static char large[300000];
	cleanup(closep) int fd = memfd_create("out", MFD_CLOEXEC);
	cleanup(out_done) struct out out;
	memset(large, 'y', sizeof(large));
	assert_int_equal(out_init(&out, fd), 0);
	out_char(&out, 'x');
	out_bytes(&out, large, sizeof(large));
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(large) + 1);
	char ends[2];
	assert_int_equal(pread(fd, ends, 2, 0), 2);
	assert_memory_equal(ends, "xy", 2);
}

static void test_a_full_device_is_told(unused_argument void **state)
{
	cleanup(closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cleanup(out_done) struct out out;
	if (fd < 0)
		skip();
	assert_int_equal(out_init(&out, fd), 0);
	out_string(&out, "lost");
	assert_int_equal(out_flush(&out), -ENOSPC);
	out_string(&out, "dropped");
	assert_int_equal(out_flush(&out), -ENOSPC); /* the first error stays */
	for (unsigned i = 0; i < 200000; i++)	    /* and nothing piles up */
		out_char(&out, 'x');
	assert_true(out.capacity <= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory_it_grows),
		cmocka_unit_test(test_all_pieces_arrive_in_order),
		cmocka_unit_test(test_more_than_the_buffer_is_written_whole),
		cmocka_unit_test(test_a_full_device_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
