/* Numbers that came as text. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/attributes.h"
#include "base/numbers.h"

int number_scan(const char **at, const char *end, unsigned base, uint64_t *ret)
{
	uint64_t number = 0;
	const char *start = *at;
	for (; *at < end; (*at)++) {
		char c = **at;
		unsigned digit = c >= '0' && c <= '9'		      ? (unsigned)(c - '0')
				 : base == 16 && c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : base == 16 && c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
								      : 99;
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return -ERANGE;
	}
	if (*at == start)
		return -EINVAL;
	*ret = number;
	return 0;
}

int number_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t number;
	const char *at = text, *end = text + strlen(text);
	int r = number_scan(&at, end, 10, &number);
	if (r == -ERANGE && strspn(text, "0123456789") == strlen(text))
		return r;
	if (r < 0 || at != end)
		return -EINVAL;
	if (number < min || number > max)
		return -ERANGE;
	*ret = number;
	return 0;
}

int number_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t number;
	int r = number_u64(text, min, max, &number);
	if (r == 0)
		*ret = (uint32_t)number;
	return r;
}

int number_u16(const char *text, uint16_t *ret)
{
	uint64_t number;
	int r = number_u64(text, 0, UINT16_MAX, &number);
	if (r == 0)
		*ret = (uint16_t)number;
	return r;
}

static const char *skip_spaces(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	return at;
}

static size_t letters(const char *at, const char *end)
{
	size_t n = 0;
	while (at + n < end && ((at[n] | 32) >= 'a' && (at[n] | 32) <= 'z'))
		n++;
	return n;
}

/* In letters of either case, but for the short ones: 500M is a size. */
static uint64_t ms_of_unit(const char *unit, size_t n)
{
	enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
	static const struct {
		const char *words[5];
		uint64_t ms;
	} units[] = {
		{{"ms", "msec", "millisecond", "milliseconds"}, 1},
		{{"s", "sec", "secs", "second", "seconds"}, SECOND},
		{{"m", "min", "mins", "minute", "minutes"}, MINUTE},
		{{"h", "hr", "hrs", "hour", "hours"}, HOUR},
		{{"d", "day", "days"}, DAY},
		{{"w", "week", "weeks"}, UINT64_C(7) * DAY},
		{{"mo", "month", "months"}, UINT64_C(30) * DAY},
		{{"y", "year", "years"}, UINT64_C(365) * DAY},
	};
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		for (size_t k = 0; k < ARRAY_SIZE(units[i].words) && units[i].words[k]; k++)
			if (strlen(units[i].words[k]) == n &&
			    (n <= 2 ? strncmp : strncasecmp)(units[i].words[k], unit, n) == 0)
				return units[i].ms;
	return 0;
}

int number_span(const char **at, const char *end, uint64_t *ret_ms)
{
	uint64_t sum = 0, number;
	const char *behind = *at;
	do {
		const char *place = skip_spaces(behind, end);
		int r = number_scan(&place, end, 10, &number);
		if (r < 0)
			return r;
		const char *unit = skip_spaces(place, end);
		size_t n = letters(unit, end);
		uint64_t ms = ms_of_unit(unit, n);
		if (!ms) {
			*at = unit;
			return -EINVAL;
		}
		if (__builtin_mul_overflow(number, ms, &number) ||
		    __builtin_add_overflow(sum, number, &sum))
			return -ERANGE;
		behind = unit + n;
		const char *next = skip_spaces(behind, end);
		if (next == end || *next < '0' || *next > '9')
			break;
	} while (true);
	*at = behind;
	*ret_ms = sum;
	return 0;
}

int number_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t number;
	const char *at = text, *end = text + strlen(text);
	int r = number_scan(&at, end, 10, &number);
	if (r < 0)
		return r;
	if (at == end)
		return __builtin_mul_overflow(number, 1000, ret_ms) ? -ERANGE : 0;
	at = text;
	r = number_span(&at, end, &number);
	if (r < 0)
		return r;
	if (at != end)
		return -EINVAL;
	*ret_ms = number;
	return 0;
}

/* 2^10n or 10^3n; 0: no such unit. */
static uint64_t bytes_of_unit(const char *unit)
{
	static const char prefixes[] = "kmgt";
	if (!*unit || strcasecmp(unit, "b") == 0 || strcasecmp(unit, "bytes") == 0)
		return 1;
	const char *prefix = strchr(prefixes, *unit | 32);
	bool is_binary = !unit[1] || strcasecmp(unit + 1, "ib") == 0;
	if (!prefix || (!is_binary && strcasecmp(unit + 1, "b") != 0))
		return 0;
	uint64_t bytes = 1;
	for (const char *p = prefixes; p <= prefix; p++)
		bytes *= is_binary ? 1024 : 1000;
	return bytes;
}

int number_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t whole, part = 0, of = 1, sum;
	const char *at = text, *end = text + strlen(text);
	int r = number_scan(&at, end, 10, &whole);
	if (r < 0)
		return r;
	if (*at == '.') {
		const char *from = ++at;
		r = number_scan(&at, at + 6 < end ? at + 6 : end, 10, &part);
		if (r < 0)
			return r;
		for (; from < at; from++)
			of *= 10;
	}
	uint64_t unit = bytes_of_unit(skip_spaces(at, end));
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, &sum) ||
	    __builtin_add_overflow(sum, part * unit / of, &sum))
		return -ERANGE;
	*ret_bytes = sum;
	return 0;
}
