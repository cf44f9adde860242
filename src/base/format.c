/* Numbers, addresses and times as text. */
#include <stdio.h>
#include <string.h>

#include "base/format.h"

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
			    "3536373839404142434445"
			    "4647484950515253545556575859606162636465666768697071727374757677787980"
			    "8182838485868788899091"
			    "9293949596979899";

size_t format_u64(char *to, uint64_t number)
{
	char digits[20];
	unsigned at = sizeof(digits);
	while (number >= 100) {
		at -= 2;
		memcpy(digits + at, pairs + number % 100 * 2, 2);
		number /= 100;
	}
	if (number >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + number * 2, 2);
	} else {
		digits[--at] = (char)('0' + number);
	}
	memcpy(to, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

size_t format_i64(char *to, int64_t number)
{
	if (number >= 0)
		return format_u64(to, (uint64_t)number);
	*to = '-';
	return 1 + format_u64(to + 1, 0 - (uint64_t)number);
}

static size_t format_byte(char *to, uint8_t byte)
{
	if (byte >= 100) {
		to[0] = (char)('0' + byte / 100);
		memcpy(to + 1, pairs + byte % 100 * 2, 2);
		return 3;
	}
	if (byte >= 10) {
		memcpy(to, pairs + byte * 2, 2);
		return 2;
	}
	*to = (char)('0' + byte);
	return 1;
}

size_t format_ipv4(char *to, const uint8_t bytes[4])
{
	size_t n = format_byte(to, bytes[0]);
	for (unsigned i = 1; i < 4; i++) {
		to[n++] = '.';
		n += format_byte(to + n, bytes[i]);
	}
	return n;
}

static size_t format_group(char *to, unsigned group)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	for (int shift = 12; shift >= 0; shift -= 4)
		if (n || group >> shift & 15 || !shift)
			to[n++] = hex[group >> shift & 15];
	return n;
}

size_t format_ipv6(char *to, const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		memcpy(to, "::ffff:", 7);
		return 7 + format_ipv4(to + 7, bytes + 12);
	}

	unsigned groups[8], start = 8, length = 0;
	for (unsigned i = 0; i < 8; i++)
		groups[i] = (unsigned)bytes[i * 2] << 8 | bytes[i * 2 + 1];
	for (unsigned i = 0; i < 8;
	     i++) { /* the longest run of zeros, the first of equals, at least two */
		unsigned n = 0;
		while (i + n < 8 && !groups[i + n])
			n++;
		if (n > length && n > 1) {
			start = i;
			length = n;
		}
	}

	size_t n = 0;
	for (unsigned i = 0; i < 8; i++) {
		if (i == start) {
			to[n++] = ':';
			if (!i)
				to[n++] = ':';
			i += length - 1;
			continue;
		}
		n += format_group(to + n, groups[i]);
		if (i < 7)
			to[n++] = ':';
	}
	return n;
}

size_t format_duration(char *to, size_t size, uint64_t seconds)
{
	static const struct {
		uint64_t length;
		const char *one, *many;
	} units[] = {{86400, "day", "days"}, {3600, "h", "h"}, {60, "min", "min"}, {1, "s", "s"}};
	unsigned i = 0;
	while (i < 3 && seconds < units[i].length * (i == 0 ? 2 : 1))
		i++;
	uint64_t count = seconds / units[i].length;
	int n = snprintf(to, size, "%llu %s", (unsigned long long)count,
			 count == 1 ? units[i].one : units[i].many);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

size_t format_size(char *to, size_t size, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double amount = (double)bytes;
	unsigned i = 0;
	for (; amount >= 1024 && i < 6; i++)
		amount /= 1024;
	int n = snprintf(to, size, i ? "%.1f %s" : "%.0f %s", amount, units[i]);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
