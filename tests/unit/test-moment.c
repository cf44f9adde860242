/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as people type them, held against what `date` and Python say of them; and calendars. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "model/moment.h"

/* Middle Europe in 2026: an hour ahead, two from 29 March 01:00 to 25 October 01:00 UTC. */
static int32_t europe_offset(int64_t when, char name[ZONE_NAME_MAX])
{
	bool is_summer = when >= 1774746000 && when < 1792890000;
	if (name)
		strncpy(name, is_summer ? "CEST" : "CET", ZONE_NAME_MAX);
	return is_summer ? 7200 : 3600;
}
static const struct zone europe = {.offset = europe_offset};

static int32_t newfoundland_offset(unused_argument int64_t when, unused_argument char *name)
{
	return -12600;
}
static const struct zone newfoundland = {.offset = newfoundland_offset};

/* 2026-03-04 15:30:20 UTC, a Wednesday. */
#define NOW 1772638220
#define NOW_NS ((uint64_t)NOW * NS_PER_SECOND + 500)

static void test_what_people_type_is_understood(unused_argument void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"now", NOW},
		{"10m", NOW - 600},
		{"10 min", NOW - 600},
		{"-10m", NOW - 600},
		{"90s ago", NOW - 90},
		{"2 hours ago", NOW - 7200},
		{"2 HOURS AGO", NOW - 7200},
		{"an hour ago", NOW - 3600},
		{"a week ago", NOW - 7 * 86400},
		{"2h30m", NOW - 9000},
		{"1 day 2 hours ago", NOW - 93600},
		{"7d", NOW - 7 * 86400},
		{"today", 1772582400},
		{"today 9:00", 1772582400 + 9 * 3600},
		{"yesterday", 1772496000},
		{"since yesterday", 1772496000},
		{"yesterday 14:00", 1772496000 + 14 * 3600},
		{"yesterday at 14:00", -1},
		{"14:00 yesterday", 1772496000 + 14 * 3600},
		{"tomorrow", 1772668800},
		{"14:00", 1772582400 + 14 * 3600},
		{"14:00:05", 1772582400 + 14 * 3600 + 5},
		{"2pm", 1772582400 + 14 * 3600},
		{"12 am", 1772582400},
		{"noon yesterday", 1772496000 + 12 * 3600},
		{"monday", 1772409600},
		{"last monday 08:15", 1772409600 + 8 * 3600 + 900},
		{"wed", 1771977600},
		{"2026-03-01", 1772323200},
		{"2026-03-01 03:00", 1772334000},
		{"2026-03-01 03:00:00", 1772334000},
		{"2026-03-01T03:00:00Z", 1772334000},
		{"2026-03-01t03:00:00z", 1772334000},
		{"2026-03-01T03:00:00+01:00", 1772330400},
		{"2026-03-01 03:00 -0330", 1772346600},
		{"2026-03-01 03:00 UTC", 1772334000},
		{"2024-02-29 00:00", 1709164800},
		{"@1772330400", 1772330400},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = 0;
		int r = moment_parse(cases[i].text, NOW_NS, &zone_utc, &ns, NULL);
		if (cases[i].seconds < 0) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		if (r < 0 || (int64_t)(ns / NS_PER_SECOND) != cases[i].seconds)
			fail_msg("%s: %d, %llu", cases[i].text, r, (unsigned long long)ns);
	}
}

static void test_fractions_are_kept(unused_argument void **state)
{
	uint64_t ns;
	assert_int_equal(moment_parse("@5.25", NOW_NS, &zone_utc, &ns, NULL), 0);
	assert_true(ns == 5250000000u);
	assert_int_equal(moment_parse("1970-01-01T00:00:01.123456789Z", NOW_NS, &europe, &ns, NULL),
			 0);
	assert_true(ns == 1123456789u);
	assert_int_equal(moment_parse("now", NOW_NS, &europe, &ns, NULL), 0);
	assert_true(ns == NOW_NS);
}

static uint64_t seconds_in(const char *text, const struct zone *zone)
{
	uint64_t ns = 0;
	assert_int_equal(moment_parse(text, NOW_NS, zone, &ns, NULL), 0);
	return ns / NS_PER_SECOND;
}

static void test_the_zone_counts(unused_argument void **state)
{
	assert_true(seconds_in("2026-03-01 03:00", &europe) == 1772330400);
	assert_true(seconds_in("2026-07-01 03:00", &europe) == 1782867600);
	assert_true(seconds_in("2026-03-01 03:00", &newfoundland) == 1772346600);
	/* 15:30 UTC is 12:00 there: the day is the same; half a day later it is not */
	assert_true(seconds_in("today", &newfoundland) == 1772582400 + 12600);
	/* the hour that is left out: when the clocks jump; the one that comes twice: the first */
	assert_true(seconds_in("2026-03-29 02:30", &europe) == 1774746000);
	assert_true(seconds_in("2026-10-25 02:30", &europe) == 1792888200);
	assert_true(seconds_in("2026-10-25 03:00", &europe) == 1792893600);
}

static void test_what_is_wrong_is_shown(unused_argument void **state)
{
	static const struct {
		const char *text;
		unsigned place;
		const char *hint;
	} cases[] = {
		{"yestrday 14:00", 1, "did you mean yesterday?"},
		{"10", 3, "such as 10s"},
		{"10 hurs ago", 4, "did you mean hours?"},
		{"2026-02-30", 1, ""},
		{"2026-03-01 25:00", 12, ""},
		{"2026-03-01 03:7", 15, ""},
		{"2026-03-01 03:00 xyz", 18, ""},
		{"14:00 14:00", 7, ""},
		{"", 1, ""},
		{"@", 2, ""},
		{"13pm", 1, ""},
		{"1969-12-31", 1, ""},
		{"90000 days ago", 1, ""},
		{"99999999999999999999d", 1, ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {0};
		uint64_t ns = 7;
		assert_int_equal(moment_parse(cases[i].text, NOW_NS, &zone_utc, &ns, &err),
				 -EINVAL);
		assert_true(ns == 7);
		if (err.place != cases[i].place ||
		    strncmp(err.hint, cases[i].hint, strlen(cases[i].hint)) != 0)
			fail_msg("%s: place %u, %s (%s)", cases[i].text, err.place, err.what,
				 err.hint);
		assert_non_null(strchr(err.what, '^'));
	}
}

static void test_days_go_round(unused_argument void **state)
{
	struct civil civil;
	for (int64_t day = -200000; day < 200000; day += 7) {
		civil_from_seconds(day * 86400 + 86399, &civil);
		assert_int_equal(civil_days(civil.year, civil.month, civil.day), day);
		assert_true(civil_is_valid(&civil));
		assert_int_equal(civil.second, 59);
	}
	assert_int_equal(civil_weekday(civil_days(2026, 3, 4)), 3);
	assert_int_equal(civil_weekday(-5), 6);
}

static void test_moments_are_written(unused_argument void **state)
{
	char to[RFC3339_MAX];
	calendar_rfc3339(to, NOW_NS, &zone_utc, 9);
	assert_string_equal(to, "2026-03-04T15:30:20.000000500Z");
	size_t n = calendar_rfc3339(to, NOW_NS, &europe, 0);
	assert_int_equal(n, strlen(to));
	assert_string_equal(to, "2026-03-04T16:30:20+01:00");
	calendar_rfc3339(to, NOW_NS, &newfoundland, 3);
	assert_string_equal(to, "2026-03-04T12:00:20.000-03:30");
	calendar_plain(to, NOW_NS, &europe);
	assert_string_equal(to, "2026-03-04 16:30:20");
	uint64_t ns;
	assert_int_equal(
		moment_parse("2026-03-04T12:00:20.000000500-03:30", 0, &zone_utc, &ns, NULL), 0);
	assert_true(ns == NOW_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_people_type_is_understood),
		cmocka_unit_test(test_fractions_are_kept),
		cmocka_unit_test(test_the_zone_counts),
		cmocka_unit_test(test_what_is_wrong_is_shown),
		cmocka_unit_test(test_days_go_round),
		cmocka_unit_test(test_moments_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
