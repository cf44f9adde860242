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

/* Lengths of time, one behind another, at *@at, before @end: "500ms", "10s", "2h30m",
 * "2 hours 5 min", "30d", "2 weeks". Moves *@at behind the last. 0, -EINVAL (no number, or no unit
 * behind it: then *@at stands there), -ERANGE. */
int number_span(const char **at, const char *end, uint64_t *ret_ms);

/* The whole text as such lengths, or bare seconds, to milliseconds. */
int number_duration(const char *text, uint64_t *ret_ms);

/* "500M", "2GB", "1.5 GiB", "1048576", to bytes: KB, MB, GB, TB count in thousands, KiB and bare K
 * in 1,024s, as with dd and du. 0, -EINVAL, -ERANGE. */
int number_size(const char *text, uint64_t *ret_bytes);

#endif
