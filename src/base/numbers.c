/* Numbers that came as text. */
#include <errno.h>
#include <string.h>

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

int number_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"", 1000},   {"ms", 1},	   {"s", 1000},
		     {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	uint64_t number;
	const char *at = text;
	int r = number_scan(&at, text + strlen(text), 10, &number);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(at, units[i].unit) == 0)
			return __builtin_mul_overflow(number, units[i].ms, ret_ms) ? -ERANGE : 0;
	return -EINVAL;
}
