/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and addresses as text, against the C library's. */
#include "check.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/format.h"

/* A sequence that is the same in every run (SplitMix64). */
static uint64_t next(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void check_u64(uint64_t number)
{
	char got[FORMAT_NUMBER_MAX + 1], wanted[32];
	got[format_u64(got, number)] = '\0';
	snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)number);
	assert_string_equal(got, wanted);
	got[format_i64(got, (int64_t)number)] = '\0';
	snprintf(wanted, sizeof(wanted), "%lld", (long long)number);
	assert_string_equal(got, wanted);
}

static void test_numbers_are_those_of_the_library(unused_argument void **state)
{
	uint64_t seed = 1;
	for (uint64_t i = 0; i < 20000; i++)
		check_u64(i);
	for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10)
		for (int around = -1; around <= 1; around++)
			check_u64(power + (uint64_t)around);
	for (unsigned i = 0; i < 20000; i++)
		check_u64(next(&seed) >> i % 64);
	check_u64(UINT64_MAX);
	check_u64(UINT64_C(1) << 63); /* the least of the signed */
}

static void test_ipv4_is_that_of_the_library(unused_argument void **state)
{
	uint64_t seed = 2;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t random = next(&seed);
		uint8_t bytes[4];
		char got[FORMAT_IP_MAX], wanted[FORMAT_IP_MAX];
		memcpy(bytes, &random, 4);
		for (unsigned j = 0; j < 4; j++)
			bytes[j] = (uint8_t)(bytes[j] >> (random >> (40 + 3 * j) & 7));
		got[format_ipv4(got, bytes)] = '\0';
		assert_string_equal(got, inet_ntop(AF_INET, bytes, wanted, sizeof(wanted)));
	}
}

/* ::a.b.c.d, which the library writes with dots and RFC 5952 does not ask for. */
static bool is_compatible(const uint8_t bytes[16])
{
	static const uint8_t zeros[12];
	return memcmp(bytes, zeros, 12) == 0 && (bytes[12] || bytes[13]);
}

static void test_ipv6_is_that_of_the_library(unused_argument void **state)
{
	uint64_t seed = 3;
	for (unsigned i = 0; i < 50000; i++) {
		uint64_t random = next(&seed);
		uint8_t bytes[16];
		char got[FORMAT_IP_MAX], wanted[FORMAT_IP_MAX];
		for (unsigned group = 0; group < 8; group++) { /* half of them zero, some small */
			uint64_t value = next(&seed) >> (random >> (8 + 2 * group) & 3) * 4;
			bool is_zero = random >> group & 1;
			bytes[group * 2] = is_zero ? 0 : (uint8_t)(value >> 8);
			bytes[group * 2 + 1] = is_zero ? 0 : (uint8_t)value;
		}
		if (is_compatible(bytes))
			continue;
		got[format_ipv6(got, bytes)] = '\0';
		assert_string_equal(got, inet_ntop(AF_INET6, bytes, wanted, sizeof(wanted)));
	}
}

static void test_ipv6_is_as_rfc_5952_has_it(unused_argument void **state)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"2001:db8::1",
		"2001:db8:0:1:1:1:1:1",
		"2001:db8::1:0:0:1",
		"fe80::1",
		"::ffff:10.1.2.3",
		"::ffff:0.0.0.0",
		"1:0:2:0:3:0:4:0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"0:1:2:3:4:5:6:7",
		"1:2:3:4:5:6::",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint8_t bytes[16];
		char got[FORMAT_IP_MAX];
		assert_int_equal(inet_pton(AF_INET6, texts[i], bytes), 1);
		got[format_ipv6(got, bytes)] = '\0';
		assert_string_equal(got, texts[i]);
	}
}

static void test_lengths_of_time_are_for_people(unused_argument void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0 s"},	  {59, "59 s"},	      {60, "1 min"},
		{3599, "59 min"}, {3600, "1 h"},      {86400, "24 h"},
		{172799, "47 h"}, {172800, "2 days"}, {864000, "10 days"},
	};
	char text[32];
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(format_duration(text, sizeof(text), cases[i].seconds),
				 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
	assert_int_equal(format_duration(text, 4, 172800), 3); /* cut, and says how much is there */
}

static void test_sizes_are_for_people(unused_argument void **state)
{
	char text[32];
	format_size(text, sizeof(text), 512);
	assert_string_equal(text, "512 B");
	format_size(text, sizeof(text), 1258291);
	assert_string_equal(text, "1.2 MiB");
	format_size(text, sizeof(text), UINT64_MAX);
	assert_string_equal(text, "16.0 EiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_those_of_the_library),
		cmocka_unit_test(test_ipv4_is_that_of_the_library),
		cmocka_unit_test(test_ipv6_is_that_of_the_library),
		cmocka_unit_test(test_ipv6_is_as_rfc_5952_has_it),
		cmocka_unit_test(test_lengths_of_time_are_for_people),
		cmocka_unit_test(test_sizes_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
