/* Numbers of variable length: seven bits a byte, the last without the eighth. Who reads them wrote
 * them: there is no bound but the ten bytes of the largest. */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

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

static inline uint64_t varint_take(const uint8_t **at)
{
	uint64_t number = 0;
	unsigned shift = 0;
	for (; **at & 0x80; shift += 7)
		number |= (uint64_t)(*(*at)++ & 0x7f) << shift;
	return number | (uint64_t) * (*at)++ << shift;
}

#endif
