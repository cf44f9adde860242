/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table: every index under its key, also when keys meet. */
#include "check.h"

#include "base/table.h"

#define N 20000

static uint64_t keys[N];

static uint64_t key_of(const void *owner, uint32_t index)
{
	return ((const uint64_t *)owner)[index];
}

static unsigned count(const struct table *table, uint64_t key, uint32_t index)
{
	uint32_t place, n = 0;
	for (uint32_t at = table_find(table, key, &place); at != TABLE_NONE;
	     at = table_next(table, key, &place))
		n += at == index;
	return n;
}

static void test_an_empty_one_finds_nothing(unused_argument void **state)
{
	struct table table;
	uint32_t place;
	table_init(&table, key_of, keys);
	assert_int_equal(table_find(&table, 0, &place), TABLE_NONE);
	assert_int_equal(table_reserve(&table, 0), 0);
	assert_int_equal(table_find(&table, 0, &place), TABLE_NONE);
	table_done(&table);
}

static void check_keys(uint64_t step)
{
	cleanup(table_done) struct table table;
	table_init(&table, key_of, keys);
	for (uint32_t i = 0; i < N; i++) {
		keys[i] = i * step;
		assert_int_equal(table_add(&table, keys[i], i), 0);
	}
	for (uint32_t i = 0; i < N; i++)
		if (count(&table, keys[i], i) != 1)
			fail_msg("index %u under its key, steps of %llu", i,
				 (unsigned long long)step);
}

static void test_each_is_found_under_its_key_once(unused_argument void **state)
{
	check_keys(1);
	check_keys(UINT64_C(1) << 32); /* the low half alone would not tell them apart */
	check_keys(UINT64_C(0x9e3779b97f4a7c15));
}

static void test_several_share_a_key(unused_argument void **state)
{
	cleanup(table_done) struct table table;
	table_init(&table, key_of, keys);
	for (uint32_t i = 0; i < 300; i++) {
		keys[i] = i / 100;
		assert_int_equal(table_add(&table, keys[i], i), 0);
	}
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(count(&table, keys[i], i), 1);
}

static void test_what_was_reserved_does_not_grow(unused_argument void **state)
{
	cleanup(table_done) struct table table;
	table_init(&table, key_of, keys);
	assert_int_equal(table_reserve(&table, N), 0);
	const uint32_t *slots = table.slots;
	for (uint32_t i = 0; i < N; i++)
		table_add(&table, keys[i] = i, i);
	assert_ptr_equal(table.slots, slots);
	assert_int_equal(table_reserve(&table, 10), 0); /* never shrinks */
	assert_ptr_equal(table.slots, slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one_finds_nothing),
		cmocka_unit_test(test_each_is_found_under_its_key_once),
		cmocka_unit_test(test_several_share_a_key),
		cmocka_unit_test(test_what_was_reserved_does_not_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
