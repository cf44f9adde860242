/* An address of either family in 16 bytes. */
#include <arpa/inet.h>
#include <errno.h>

#include "base/format.h"
#include "model/ip.h"

const char *const reach_words[REACH_MAX + 1] = {"loopback", "link-local", "private",   "shared",
						"public",   "multicast",  "broadcast", "any"};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_mapped(const struct ip *ip)
{
	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

bool ip_is_any(const struct ip *ip)
{
	static const uint8_t zeros[16];
	return memcmp(ip->bytes + 12, zeros, 4) == 0 &&
	       (ip_is_mapped(ip) || memcmp(ip->bytes, zeros, 12) == 0);
}

struct ip ip_from_v4(const uint8_t bytes[4])
{
	struct ip ip;
	memcpy(ip.bytes, mapped, sizeof(mapped));
	memcpy(ip.bytes + 12, bytes, 4);
	return ip;
}

struct ip ip_from_v6(const uint8_t bytes[16])
{
	struct ip ip;
	memcpy(ip.bytes, bytes, 16);
	return ip;
}

/* RFC 6890, RFC 1918, RFC 6598, RFC 3927, RFC 5771 */
static enum reach reach_v4(const uint8_t b[4])
{
	if (!b[0] && !b[1] && !b[2] && !b[3])
		return REACH_ANY;
	if (b[0] == 127)
		return REACH_LOOPBACK;
	if (b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168))
		return REACH_PRIVATE;
	if (b[0] == 100 && (b[1] & 0xc0) == 64)
		return REACH_SHARED;
	if (b[0] == 169 && b[1] == 254)
		return REACH_LINK_LOCAL;
	if (b[0] == 255 && b[1] == 255 && b[2] == 255 && b[3] == 255)
		return REACH_BROADCAST;
	return (b[0] & 0xf0) == 224 ? REACH_MULTICAST : REACH_PUBLIC;
}

enum reach ip_reach(const struct ip *ip)
{
	static const uint8_t zeros[15];
	const uint8_t *b = ip->bytes;
	if (ip_is_mapped(ip))
		return reach_v4(b + 12);
	if (memcmp(b, zeros, 15) == 0 && b[15] <= 1)
		return b[15] ? REACH_LOOPBACK : REACH_ANY;
	if (b[0] == 0xff)
		return REACH_MULTICAST;
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return REACH_LINK_LOCAL;
	return (b[0] & 0xfe) == 0xfc ? REACH_PRIVATE : REACH_PUBLIC;
}

int ip_parse(const char *text, size_t n, struct ip *ret, bool *is_v4)
{
	char copy[FORMAT_IP_MAX];
	uint8_t bytes[16];
	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	*is_v4 = inet_pton(AF_INET, copy, bytes) == 1;
	if (*is_v4)
		*ret = ip_from_v4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*ret = ip_from_v6(bytes);
	else
		return -EINVAL;
	return 0;
}

size_t ip_format(char *to, const struct ip *ip, bool as_v4)
{
	if (as_v4 && ip_is_mapped(ip))
		return format_ipv4(to, ip->bytes + 12);
	return format_ipv6(to, ip->bytes);
}

bool ip_in_prefix(const struct ip *ip, const struct ip *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (bits > 128 || memcmp(ip->bytes, prefix->bytes, whole) != 0)
		return false;
	return !rest || (ip->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

size_t ip_put(struct out *out, const struct ip *ip, bool as_v4)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, ip, as_v4);
	if (!as_v4)
		out_char(out, '[');
	out_bytes(out, address, n);
	if (!as_v4)
		out_char(out, ']');
	return n + (as_v4 ? 0 : 2);
}
