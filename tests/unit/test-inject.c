/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a thread whose call was broken off by our stop alone. */
#include "check.h"

#include <errno.h>
#include <sys/syscall.h>

#include "act/registers.h"

#ifdef __x86_64__
enum { RAX = 10, ORIG_RAX = 15, RIP = 16, CS = 17 };

static struct registers after(int64_t number, int64_t result)
{
	struct registers registers = {.size = machine.registers_size};
	registers.word[ORIG_RAX] = (uint64_t)number;
	registers.word[RAX] = (uint64_t)result;
	registers.word[RIP] = 0x401002;
	registers.word[CS] = 0x33;
	return registers;
}

static void test_calls_that_say_EINTR_begin_again(void **state)
{
	static const int64_t calls[] = {SYS_epoll_wait,	    SYS_epoll_pwait, SYS_epoll_pwait2,
					SYS_io_uring_enter, SYS_accept,	     SYS_accept4};
	static const struct waiting waiting;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct registers registers = after(calls[i], -EINTR);
		assert_true(registers_rewind(&registers, &waiting));
		/* ERESTARTNOHAND: a handler that is due makes EINTR of it all the same */
		assert_int_equal((int64_t)registers.word[RAX], -514);
		assert_int_equal(registers.word[RIP], 0x401002);
	}
}

static void test_other_results_stay(void **state)
{
	static const struct waiting waiting;
	struct registers registers = after(SYS_epoll_wait, 1);
	(void)state;
	assert_false(registers_rewind(&registers, &waiting));
	registers = after(SYS_epoll_wait, -EBADF);
	assert_false(registers_rewind(&registers, &waiting));
	registers = after(SYS_close, -EINTR); /* it has been done, and must not be done twice */
	assert_false(registers_rewind(&registers, &waiting));
	registers = after(-1, -EINTR); /* not in a call: it is the program's own number */
	assert_false(registers_rewind(&registers, &waiting));
	assert_int_equal((int64_t)registers.word[RAX], -EINTR);
}

static void test_32_bit_programs_are_told(void **state)
{
	struct registers registers = after(SYS_epoll_wait, 1);
	(void)state;
	assert_true(registers_are_native(&registers));
	registers.word[CS] = 0x23;
	assert_false(registers_are_native(&registers));
	registers = after(SYS_epoll_wait, 1);
	registers.size = 68;
	assert_false(registers_are_native(&registers));
}

static void test_what_was_broken_off_does_not_begin_in_our_call(void **state)
{
	struct registers registers = after(SYS_epoll_wait, -514);
	const uint64_t arguments[6] = {1, 2, 3, 4, 5, 6};
	(void)state;
	registers_call(&registers, 0x7000, SYS_dup3, arguments);
	assert_int_equal(registers.word[RAX], SYS_dup3);
	assert_int_equal((int64_t)registers.word[ORIG_RAX], -1);
	assert_int_equal(registers.word[RIP], 0x7000);
	assert_int_equal(registers.word[14], 1); /* rdi */
	assert_int_equal(registers.word[7], 4);	 /* r10 */
	assert_int_equal(registers.word[8], 6);	 /* r9 */
}
#endif

int main(void)
{
#ifdef __x86_64__
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_that_say_EINTR_begin_again),
		cmocka_unit_test(test_other_results_stay),
		cmocka_unit_test(test_32_bit_programs_are_told),
		cmocka_unit_test(test_what_was_broken_off_does_not_begin_in_our_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
#else
	return 77;
#endif
}
