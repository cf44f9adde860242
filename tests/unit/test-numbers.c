/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that came as text: the whole text, in range, or nothing. */
#include "check.h"

#include <errno.h>

#include "base/numbers.h"

static void test_a_number_is_the_whole_text(unused_argument void **state)
{
	static const char *const wrong[] = {"",	    " 1",  "1 ",    "+1", "-1",
					    "0x10", "1e3", "1,000", "ten"};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint64_t number = 77;
		assert_int_equal(number_u64(wrong[i], 0, UINT64_MAX, &number), -EINVAL);
		assert_int_equal(number, 77); /* untouched */
	}
}

static void test_a_number_is_in_its_range(unused_argument void **state)
{
	uint64_t number;
	uint32_t small;
	uint16_t port = 7;
	assert_int_equal(number_u64("18446744073709551615", 0, UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
	assert_int_equal(number_u64("18446744073709551616", 0, UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number_u64("99999999999999999999999", 0, UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number_u32("4294967296", 0, UINT32_MAX, &small), -ERANGE);
	assert_int_equal(number_u32("5", 6, 9, &small), -ERANGE);
	assert_int_equal(number_u32("6", 6, 9, &small), 0);
	assert_int_equal(small, 6);
	assert_int_equal(number_u16("65536", &port), -ERANGE);
	assert_int_equal(port, 7);
	assert_int_equal(number_u16("0000065535", &port), 0);
	assert_int_equal(port, 65535);
}

static void test_a_scan_stops_at_the_first_other(unused_argument void **state)
{
	static const char text[] = "1F90:zz";
	const char *at = text;
	uint64_t number;
	assert_int_equal(number_scan(&at, text + strlen(text), 16, &number), 0);
	assert_int_equal(number, 8080);
	assert_ptr_equal(at, text + 4);
	assert_int_equal(number_scan(&at, text + strlen(text), 16, &number), -EINVAL);
	at = text;
	assert_int_equal(number_scan(&at, text + 1, 10, &number), 0); /* the end is no NUL */
	assert_int_equal(number, 1);
}

static void test_a_duration_has_a_unit(unused_argument void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {{"500ms", 500},	{"10s", 10000},	      {"10", 10000},
		     {"2m", 120000},	{"1h", 3600000},      {"1d", 86400000},
		     {"10 s", 10000},	{"2h30m", 9000000},   {"2 Hours", 7200000},
		     {"1w", 604800000}, {"1h 5 min", 3900000}};
	uint64_t ms;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(number_duration(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
	assert_int_equal(number_duration("10 s ", &ms), -EINVAL);
	assert_int_equal(number_duration("s", &ms), -EINVAL);
	assert_int_equal(number_duration("1x", &ms), -EINVAL);
	assert_int_equal(number_duration("1h 30", &ms), -EINVAL);
	assert_int_equal(number_duration("18446744073709551615d", &ms), -ERANGE);
	assert_int_equal(number_duration("18446744073709551615ms 1ms", &ms), -ERANGE);
}

static void test_a_size_has_a_unit(unused_argument void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"500M", 524288000},   {"2GB", 2000000000},   {"2G", 2147483648},
		     {"2 GiB", 2147483648}, {"1.5kb", 1500},	   {"1048576", 1048576},
		     {"12 bytes", 12},	    {"1TB", 1000000000000}};
	static const char *const wrong[] = {"", "M", "2GX", "-1", "1.G", "2 G B", "1e3", "2MBs"};
	uint64_t bytes;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(number_size(cases[i].text, &bytes), 0);
		assert_true(bytes == cases[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(number_size(wrong[i], &bytes), -EINVAL);
	assert_int_equal(number_size("99999999999G", &bytes), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_is_the_whole_text),
		cmocka_unit_test(test_a_number_is_in_its_range),
		cmocka_unit_test(test_a_scan_stops_at_the_first_other),
		cmocka_unit_test(test_a_duration_has_a_unit),
		cmocka_unit_test(test_a_size_has_a_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
