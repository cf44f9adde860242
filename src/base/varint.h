/* Numbers of variable length: seven bits a byte, the last without the eighth. */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#define VARINT_MAX 10 /* bytes */

/* Behind what it wrote. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*at++ = (uint8_t)(number | 0x80);
	*at++ = (uint8_t)number;
	return at;
}

/* Who reads it wrote it: there is no bound but the ten bytes of the largest. */
static inline uint64_t varint_take(const uint8_t **at)
{
	uint64_t number = 0;
	unsigned shift = 0;
	for (; **at & 0x80; shift += 7)
		number |= (uint64_t)(*(*at)++ & 0x7f) << shift;
	return number | (uint64_t) * (*at)++ << shift;
}

/* From bytes that may be anything; false: none ends before @end. */
static inline bool varint_take_within(const uint8_t **from, const uint8_t *end, uint64_t *ret)
{
	const uint8_t *at = *from;
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
		uint8_t byte = *at++;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*from = at;
		*ret = number;
		return true;
	}
	*ret = 0;
	return false;
}

/* A number below zero among those that are mostly small: the sign is the lowest bit. */
static inline uint64_t number_fold(int64_t number)
{
	return number < 0 ? ~((uint64_t)number << 1) : (uint64_t)number << 1;
}

static inline uint64_t number_unfold(uint64_t number)
{
	return number >> 1 ^ -(number & 1);
}

#endif
