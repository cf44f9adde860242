/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was added is found by its hash, whatever stands in the way. */
#include "check.h"

#include "base/slots.h"
#include "base/table.h"

static bool has(const struct slots *slots, uint64_t hash, uint32_t number)
{
	uint32_t place;
	for (uint32_t i = slots_find(slots, hash, &place); i != SLOTS_NONE;
	     i = slots_next(slots, hash, &place))
		if (i == number)
			return true;
	return false;
}

static void every_number_is_found(unused_argument void **state)
{
	for (uint32_t n = 1; n <= 5000; n = n * 3 + 1) {
		struct slots slots;
		slots_init(&slots);
		assert_int_equal(slots_start(&slots, n, n), 0);
		for (uint32_t i = 0; i < n; i++) {
			assert_false(slots_is_full(&slots));
			slots_add(&slots, table_mix(i), i);
		}
		assert_true(slots_is_full(&slots));
		for (uint32_t i = 0; i < n; i++)
			assert_true(has(&slots, table_mix(i), i));
		slots_done(&slots);
	}
}

static void equal_hashes_are_all_found(unused_argument void **state)
{
	struct slots slots;
	slots_init(&slots);
	assert_int_equal(slots_start(&slots, 100, 1u << 20), 0);
	for (uint32_t i = 0; i < 100; i++)
		slots_add(&slots, UINT64_MAX, (1u << 20) - 1 - i);
	for (uint32_t i = 0; i < 100; i++)
		assert_true(has(&slots, UINT64_MAX, (1u << 20) - 1 - i));
	assert_false(has(&slots, 0, 0));
	slots_done(&slots);
}

static void few_strangers_are_compared(unused_argument void **state)
{
	struct slots slots;
	uint32_t place, strangers = 0;
	slots_init(&slots);
	assert_int_equal(slots_start(&slots, 10000, 10000), 0);
	for (uint32_t i = 0; i < 10000; i++)
		slots_add(&slots, table_mix(i), i);
	for (uint32_t i = 10000; i < 20000; i++)
		strangers += slots_find(&slots, table_mix(i), &place) != SLOTS_NONE;
	assert_true(strangers < 10);
	slots_done(&slots);
}

static void nothing_is_in_an_empty_one(unused_argument void **state)
{
	struct slots slots;
	uint32_t place;
	slots_init(&slots);
	assert_int_equal(slots_find(&slots, 1, &place), SLOTS_NONE);
	assert_int_equal(slots_start(&slots, 0, 0), 0);
	assert_int_equal(slots_find(&slots, 1, &place), SLOTS_NONE);
	slots_done(&slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_found),
		cmocka_unit_test(equal_hashes_are_all_found),
		cmocka_unit_test(few_strangers_are_compared),
		cmocka_unit_test(nothing_is_in_an_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
