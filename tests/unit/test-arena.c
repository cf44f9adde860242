/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arena: memory given back as a whole, strings kept once. */
#include "check.h"

#include <stdio.h>

#include "base/arena.h"

static void test_what_it_gives_is_zeroed_aligned_and_apart(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	char *given[500];
	arena_init(&arena);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		given[i] = arena_alloc(&arena, i);
		assert_non_null(given[i]);
		assert_int_equal((uintptr_t)given[i] % 8, 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(given[i][j], 0);
		memset(given[i], (int)i, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal((uint8_t)given[i][j], i % 256);
}

static void test_more_than_a_block_fits(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	arena_init(&arena);
	char *large = arena_alloc(&arena, 1 << 20), *small = arena_alloc(&arena, 8);
	assert_non_null(large);
	assert_non_null(small);
	memset(large, 1, 1 << 20);
	assert_int_equal(small[0], 0);
}

static void test_what_no_memory_holds_is_refused(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	arena_init(&arena);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 16));
	assert_non_null(arena_alloc(&arena, 1));
}

static void test_equal_strings_are_equal_pointers(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	const char *first[3000];
	char text[16];
	arena_init(&arena);
	for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
		snprintf(text, sizeof(text), "name-%u", i);
		first[i] = arena_intern_string(&arena, text);
		assert_string_equal(first[i], text);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
		snprintf(text, sizeof(text), "name-%u", i);
		assert_ptr_equal(arena_intern_string(&arena, text), first[i]);
	}
}

static void test_a_beginning_is_another_string(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	arena_init(&arena);
	const char *whole = arena_intern(&arena, "nginx", 5),
		   *part = arena_intern(&arena, "nginx", 3);
	assert_ptr_not_equal(whole, part);
	assert_string_equal(part, "ngi");
	assert_string_equal(arena_intern(&arena, "", 0), "");
}

static void test_a_nul_inside_ends_it(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	arena_init(&arena);
	assert_ptr_equal(arena_intern(&arena, "ab\0cd", 5), arena_intern(&arena, "ab", 2));
}

static void test_a_copy_has_its_own_nul(unused_argument void **state)
{
	cleanup(arena_done) struct arena arena;
	arena_init(&arena);
	char *copy = arena_copy(&arena, "a\0b", 3);
	assert_memory_equal(copy, "a\0b", 4);
	assert_ptr_not_equal(copy, arena_copy(&arena, "a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_gives_is_zeroed_aligned_and_apart),
		cmocka_unit_test(test_more_than_a_block_fits),
		cmocka_unit_test(test_what_no_memory_holds_is_refused),
		cmocka_unit_test(test_equal_strings_are_equal_pointers),
		cmocka_unit_test(test_a_beginning_is_another_string),
		cmocka_unit_test(test_a_nul_inside_ends_it),
		cmocka_unit_test(test_a_copy_has_its_own_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
