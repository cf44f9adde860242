/* An address of either family in 16 bytes; IPv4 as ::ffff:a.b.c.d, so that one comparison serves
 * both. */
#ifndef MODEL_IP_H
#define MODEL_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/out.h"

struct ip {
	uint8_t bytes[16]; /* network order */
};

/* How far an address reaches: who can come to it. */
enum reach {
	REACH_LOOPBACK,
	REACH_LINK_LOCAL,
	REACH_PRIVATE, /* RFC 1918, fc00::/7 */
	REACH_SHARED,  /* 100.64.0.0/10, RFC 6598 */
	REACH_PUBLIC,
	REACH_MULTICAST,
	REACH_BROADCAST,
	REACH_ANY, /* 0.0.0.0, :: */
	REACH_MAX,
};
extern const char *const reach_words[REACH_MAX + 1];

static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool ip_is_mapped(const struct ip *ip); /* ::ffff:0:0/96 */
/* 0.0.0.0 (mapped) or ::. */
bool ip_is_any(const struct ip *ip);
struct ip ip_from_v4(const uint8_t bytes[4]);
struct ip ip_from_v6(const uint8_t bytes[16]);
enum reach ip_reach(const struct ip *ip);

/* Text of @n bytes, IPv4 or IPv6 (no brackets, no scope). 0 or -EINVAL. */
int ip_parse(const char *text, size_t n, struct ip *ret, bool *is_v4);

/* Writes without NUL, at most FORMAT_IP_MAX bytes, returns the length. @as_v4: a mapped one as
 * a.b.c.d. */
size_t ip_format(char *to, const struct ip *ip, bool as_v4);

/* Before a port: an IPv6 address stands in brackets. How many columns that takes. */
size_t ip_put(struct out *out, const struct ip *ip, bool as_v4);

/* The first @bits of both are equal (bits count from the start of 128; a v4 prefix is 96 + n). */
bool ip_in_prefix(const struct ip *ip, const struct ip *prefix, unsigned bits);

#endif
