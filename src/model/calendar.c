/* Days and clocks of the proleptic Gregorian calendar. */
#include <stdio.h>

#include "model/calendar.h"

#define DAY 86400

static int32_t utc_offset(int64_t unix_seconds, char name[ZONE_NAME_MAX])
{
	(void)unix_seconds;
	if (name)
		snprintf(name, ZONE_NAME_MAX, "UTC");
	return 0;
}

const struct zone zone_utc = {.offset = utc_offset};

/* Howard Hinnant, "chrono-compatible low-level date algorithms": years that begin in March, in
 * eras of 400 years, so that the leap day is a year's last. */
int64_t civil_days(int year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned of_era = (unsigned)(y - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, struct civil *ret)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;
	ret->day = of_year - (153 * month + 2) / 5 + 1;
	ret->month = month < 10 ? month + 3 : month - 9;
	ret->year = (int)(year + era * 400) + (ret->month <= 2);
}

static unsigned days_in(int year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

bool civil_is_valid(const struct civil *civil)
{
	return civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
	       civil->day <= days_in(civil->year, civil->month) && civil->hour < 24 &&
	       civil->minute < 60 && civil->second < 60;
}

int64_t civil_seconds(const struct civil *civil)
{
	return civil_days(civil->year, civil->month, civil->day) * DAY + civil->hour * 3600 +
	       civil->minute * 60 + civil->second;
}

void civil_from_seconds(int64_t seconds, struct civil *ret)
{
	int64_t days = seconds / DAY - (seconds % DAY < 0);
	unsigned of_day = (unsigned)(seconds - days * DAY);
	civil_from_days(days, ret);
	ret->hour = of_day / 3600;
	ret->minute = of_day / 60 % 60;
	ret->second = of_day % 60;
}

unsigned civil_weekday(int64_t days)
{
	return (unsigned)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* The clocks are moved at most once within a day: the offsets of the day before and of the day
 * after are the two that may hold. */
int64_t zone_resolve(const struct zone *zone, int64_t local)
{
	int32_t before = zone->offset(local - DAY, NULL), after = zone->offset(local + DAY, NULL);
	int64_t early = local - (before > after ? before : after),
		late = local - (before > after ? after : before);
	if (zone->offset(early, NULL) == local - early)
		return early;
	if (zone->offset(late, NULL) == local - late)
		return late;
	/* left out: between the two lies the jump, which is found by halves */
	int32_t old = zone->offset(early, NULL);
	while (late - early > 1) {
		int64_t middle = early + (late - early) / 2;
		if (zone->offset(middle, NULL) == old)
			early = middle;
		else
			late = middle;
	}
	return late;
}

static void split(uint64_t unix_ns, int32_t offset, struct civil *ret)
{
	civil_from_seconds((int64_t)(unix_ns / NS_PER_SECOND) + offset, ret);
}

size_t calendar_rfc3339(char to[RFC3339_MAX], uint64_t unix_ns, const struct zone *zone,
			unsigned digits)
{
	int32_t offset = zone->offset((int64_t)(unix_ns / NS_PER_SECOND), NULL);
	struct civil civil;
	split(unix_ns, offset, &civil);
	int n = snprintf(to, RFC3339_MAX, "%04d-%02u-%02uT%02u:%02u:%02u", civil.year, civil.month,
			 civil.day, civil.hour, civil.minute, civil.second);
	if (digits) {
		n += snprintf(to + n, RFC3339_MAX - (size_t)n, ".%09u",
			      (unsigned)(unix_ns % NS_PER_SECOND));
		n -= 9 - (digits > 9 ? 9 : (int)digits);
	}
	if (!offset)
		return (size_t)(n + snprintf(to + n, RFC3339_MAX - (size_t)n, "Z"));
	unsigned minutes = (unsigned)(offset < 0 ? -offset : offset) / 60;
	n += snprintf(to + n, RFC3339_MAX - (size_t)n, "%c%02u:%02u", offset < 0 ? '-' : '+',
		      minutes / 60 % 100, minutes % 60);
	return (size_t)n;
}

size_t calendar_plain(char to[RFC3339_MAX], uint64_t unix_ns, const struct zone *zone)
{
	struct civil civil;
	split(unix_ns, zone->offset((int64_t)(unix_ns / NS_PER_SECOND), NULL), &civil);
	return (size_t)snprintf(to, RFC3339_MAX, "%04d-%02u-%02u %02u:%02u:%02u", civil.year,
				civil.month, civil.day, civil.hour, civil.minute, civil.second);
}
