/* Numbers that came as text: the whole text, in range, or nothing. */
#ifndef BASE_NUMBERS_H
#define BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits only. 0, -EINVAL (not a number), -ERANGE (outside @min..@max). */
int number_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
int number_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret);
int number_u16(const char *text, uint16_t *ret);

/* For parsers of kernel text: digits of @base (10 or 16) at *@at, before @end. Moves *@at behind
 * them. 0, -EINVAL (no digit), -ERANGE (does not fit). */
int number_scan(const char **at, const char *end, unsigned base, uint64_t *ret);

/* "10s", "2m", "1h", "500ms", "1d" or bare seconds, to milliseconds. */
int number_duration(const char *text, uint64_t *ret_ms);

#endif
