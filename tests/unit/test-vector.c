/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector: what was put in stays, on the heap, in a mapping, and from one to the other. */
#include "check.h"

#include "base/memory.h"
#include "base/vector.h"

static void fill(struct vector *vector, uint32_t n)
{
	for (uint32_t i = vector->n; i < n; i++) {
		uint32_t *place = vector_add(vector);
		assert_non_null(place);
		*place = i * 7;
	}
}

static void check(const struct vector *vector, uint32_t n)
{
	assert_int_equal(vector->n, n);
	for (uint32_t i = 0; i < n; i++)
		if (*(uint32_t *)vector_at(vector, i) != i * 7)
			fail_msg("element %u changed", i);
}

static void test_elements_stay_while_it_grows(unused_argument void **state)
{
	cleanup(vector_done) struct vector vector;
	vector_init(&vector, sizeof(uint32_t));
	for (uint32_t n = 1; n <= 1000000; n *= 10) {
		fill(&vector, n);
		check(&vector, n);
	}
}

static void test_trimming_keeps_the_elements(unused_argument void **state)
{
	cleanup(vector_done) struct vector vector;
	vector_init(&vector, sizeof(uint32_t));
	assert_int_equal(vector_reserve(&vector, 4000000), 0);
	fill(&vector, 300000);
	vector_trim(&vector);
	assert_int_equal(vector.capacity, MEMORY_PAGE / sizeof(uint32_t)); /* whole large pages */
	check(&vector, 300000);
	fill(&vector, 700000);
	check(&vector, 700000);
}

static void test_pieces_are_put_behind_each_other(unused_argument void **state)
{
	cleanup(vector_done) struct vector vector;
	uint32_t pieces[5000];
	vector_init(&vector, sizeof(uint32_t));
	assert_int_equal(vector_append(&vector, pieces, 0), 0);
	for (uint32_t n = 0; n < 200000; n += 5000) {
		for (uint32_t i = 0; i < 5000; i++)
			pieces[i] = (n + i) * 7;
		assert_int_equal(vector_append(&vector, pieces, 5000), 0);
	}
	check(&vector, 200000);
}

static void test_memory_is_zero_small_and_large(unused_argument void **state)
{
	static const size_t sizes[] = {
		0, 1, 4096, MEMORY_LARGE_FROM - 1, MEMORY_LARGE_FROM, 3 * MEMORY_PAGE + 5};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *bytes = memory_zeroed(sizes[i]);
		assert_non_null(bytes);
		for (size_t k = 0; k < sizes[i]; k++)
			if (bytes[k])
				fail_msg("byte %zu of %zu", k, sizes[i]);
		if (sizes[i])
			memset(bytes, 0xa5, sizes[i]);
		memory_free(bytes, sizes[i]);
	}
	memory_free(NULL, MEMORY_PAGE);
}

static void test_a_small_one_is_not_trimmed_away(unused_argument void **state)
{
	cleanup(vector_done) struct vector vector;
	vector_init(&vector, sizeof(uint32_t));
	vector_trim(&vector);
	fill(&vector, 3);
	vector_trim(&vector);
	check(&vector, 3);
	vector_reserve(&vector, 100000); /* mapped though little is used */
	vector_trim(&vector);
	check(&vector, 3);
	fill(&vector, 10);
	check(&vector, 10);
}

static void test_room_that_was_reserved_does_not_move(unused_argument void **state)
{
	cleanup(vector_done) struct vector vector;
	vector_init(&vector, sizeof(uint32_t));
	assert_int_equal(vector_reserve(&vector, 90000), 0);
	const void *data = vector.data;
	fill(&vector, 90000);
	assert_ptr_equal(vector.data, data);
	check(&vector, 90000);
}

static void test_it_may_be_used_again_after_its_end(unused_argument void **state)
{
	struct vector vector;
	vector_init(&vector, sizeof(uint32_t));
	fill(&vector, 200000);
	vector_done(&vector);
	fill(&vector, 5);
	check(&vector, 5);
	vector_done(&vector);
	vector_done(&vector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements_stay_while_it_grows),
		cmocka_unit_test(test_trimming_keeps_the_elements),
		cmocka_unit_test(test_pieces_are_put_behind_each_other),
		cmocka_unit_test(test_memory_is_zero_small_and_large),
		cmocka_unit_test(test_a_small_one_is_not_trimmed_away),
		cmocka_unit_test(test_room_that_was_reserved_does_not_move),
		cmocka_unit_test(test_it_may_be_used_again_after_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
