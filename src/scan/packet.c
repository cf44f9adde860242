/* The packets of a scan, made and read: RFC 791, 8200, 9293, 792, 4443. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "scan/packet.h"
#include "scan/packet-bytes.h"

#define TCP_SIZE 24 /* with the one option: maximum segment size */
#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define ICMP_SIZE 8
#define QUOTED_SIZE 8 /* of TCP, the least that an ICMP error carries */
#define WINDOW 1024
#define SEGMENT 1460
#define TTL 64
#define EXTENSIONS_MAX 8
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static void round_of(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

/* SipHash-2-4 (Aumasson and Bernstein) of 40 bytes. */
uint32_t packet_cookie(const uint64_t key[PACKET_KEY], const struct packet_ends *ends)
{
	uint64_t words[5] = {0};
	memcpy(words, &ends->to, 16);
	memcpy(words + 2, &ends->from, 16);
	words[4] = (uint64_t)ends->to_port << 16 | ends->from_port;
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	for (unsigned i = 0; i < 5; i++) {
		v[3] ^= words[i];
		round_of(v);
		round_of(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		round_of(v);
	uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t sum_of(const uint8_t *bytes, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += get16(bytes + i);
	return sum;
}

void packet_form(bool is_v4, const struct ip *from, const struct ip *to, struct packet_form *ret)
{
	/* the pseudo header of both families adds the same: addresses, length, protocol */
	size_t skip = is_v4 ? 12 : 0;
	*ret = (struct packet_form){.is_v4 = is_v4};
	ret->sum = sum_of(from->bytes + skip, 16 - skip) + sum_of(to->bytes + skip, 16 - skip) +
		   TCP_SIZE + IPPROTO_TCP;
}

static void put_ipv4(const struct packet_ends *ends, uint8_t protocol, size_t n,
		     uint8_t to[IPV4_SIZE])
{
	memset(to, 0, IPV4_SIZE);
	to[0] = 0x45;
	put16(to + 2, (uint16_t)(IPV4_SIZE + n));
	to[6] = 0x40; /* do not fragment */
	to[8] = TTL;
	to[9] = protocol;
	memcpy(to + 12, ends->from.bytes + 12, 4);
	memcpy(to + 16, ends->to.bytes + 12, 4);
}

static void put_ipv6(const struct packet_ends *ends, uint8_t protocol, size_t n,
		     uint8_t to[IPV6_SIZE])
{
	memset(to, 0, 8);
	to[0] = 0x60;
	put16(to + 4, (uint16_t)n);
	to[6] = protocol;
	to[7] = TTL;
	memcpy(to + 8, ends->from.bytes, 16);
	memcpy(to + 24, ends->to.bytes, 16);
}

size_t packet_ip_put(bool is_v4, const struct packet_ends *ends, uint8_t protocol, size_t n,
		     uint8_t *to)
{
	if (is_v4)
		put_ipv4(ends, protocol, n, to);
	else
		put_ipv6(ends, protocol, n, to);
	return is_v4 ? IPV4_SIZE : IPV6_SIZE;
}

size_t packet_syn(const struct packet_form *form, const struct packet_ends *ends, uint32_t cookie,
		  uint8_t to[PACKET_SYN_MAX])
{
	uint8_t *tcp = to + packet_ip_put(form->is_v4, ends, IPPROTO_TCP, TCP_SIZE, to);
	put16(tcp, ends->from_port);
	put16(tcp + 2, ends->to_port);
	put32(tcp + 4, cookie);
	put32(tcp + 8, 0);
	tcp[12] = TCP_SIZE / 4 << 4;
	tcp[13] = FLAG_SYN;
	put16(tcp + 14, WINDOW);
	put32(tcp + 16, 0); /* checksum and urgent pointer */
	tcp[20] = 2;
	tcp[21] = 4;
	put16(tcp + 22, SEGMENT);
	uint32_t sum = form->sum + sum_of(tcp, TCP_SIZE);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(tcp + 16, (uint16_t)~sum);
	return (size_t)(tcp - to) + TCP_SIZE;
}

static bool parse_ipv4(const uint8_t *bytes, size_t n, struct packet_ip *ret)
{
	size_t header = n < IPV4_SIZE ? 0 : (size_t)(bytes[0] & 15) * 4;
	if (header < IPV4_SIZE || header > n || bytes[0] >> 4 != 4)
		return false;
	if (get16(bytes + 6) & 0x1fff) /* a later fragment */
		return false;
	size_t total = get16(bytes + 2);
	if (total >= header && total < n)
		n = total;
	*ret = (struct packet_ip){.from = ip_from_v4(bytes + 12),
				  .to = ip_from_v4(bytes + 16),
				  .protocol = bytes[9],
				  .payload = bytes + header,
				  .n = n - header};
	return true;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS;
}

static bool parse_ipv6(const uint8_t *bytes, size_t n, struct packet_ip *ret)
{
	if (n < IPV6_SIZE || bytes[0] >> 4 != 6)
		return false;
	size_t at = IPV6_SIZE, total = IPV6_SIZE + (size_t)get16(bytes + 4);
	uint8_t protocol = bytes[6];
	if (total < n)
		n = total;
	for (unsigned i = 0; i < EXTENSIONS_MAX && is_extension(protocol); i++) {
		if (n - at < 8)
			return false;
		size_t length = ((size_t)bytes[at + 1] + 1) * 8;
		if (n - at < length)
			return false;
		protocol = bytes[at];
		at += length;
	}
	*ret = (struct packet_ip){.from = ip_from_v6(bytes + 8),
				  .to = ip_from_v6(bytes + 24),
				  .protocol = protocol,
				  .payload = bytes + at,
				  .n = n - at};
	return true;
}

bool packet_ip_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet_ip *ret)
{
	return is_v4 ? parse_ipv4(bytes, n, ret) : parse_ipv6(bytes, n, ret);
}

/* A SYN is acknowledged by its number and one, and so is it by a reset (RFC 9293, 3.10.7.1). */
static bool parse_tcp(const struct packet_ip *parts, struct packet *ret)
{
	const uint8_t *tcp = parts->payload;
	if (parts->n < 20)
		return false;
	uint8_t flags = tcp[13];
	if (flags & FLAG_RST)
		ret->kind = PACKET_RST;
	else if (flags & FLAG_SYN)
		ret->kind = PACKET_SYN_ACK;
	if (!(flags & FLAG_ACK) || ret->kind == PACKET_NONE)
		return false;
	ret->ends = (struct packet_ends){.to = parts->from,
					 .from = parts->to,
					 .to_port = get16(tcp),
					 .from_port = get16(tcp + 2)};
	ret->cookie = get32(tcp + 8) - 1;
	ret->sender = parts->from;
	return true;
}

static bool parse_icmp(const struct packet_ip *parts, bool is_v4, struct packet *ret)
{
	struct packet_ip quoted;
	if (parts->n < ICMP_SIZE ||
	    !packet_ip_parse(parts->payload + ICMP_SIZE, parts->n - ICMP_SIZE, is_v4, &quoted))
		return false;
	if (quoted.protocol != IPPROTO_TCP || quoted.n < QUOTED_SIZE)
		return false;
	*ret = (struct packet){.kind = PACKET_ERROR,
			       .ends = {.to = quoted.to,
					.from = quoted.from,
					.to_port = get16(quoted.payload + 2),
					.from_port = get16(quoted.payload)},
			       .sender = parts->from,
			       .cookie = get32(quoted.payload + 4),
			       .icmp_type = parts->payload[0],
			       .icmp_code = parts->payload[1]};
	return true;
}

bool packet_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet *ret)
{
	struct packet_ip parts;
	*ret = (struct packet){.kind = PACKET_NONE};
	if (!packet_ip_parse(bytes, n, is_v4, &parts))
		return false;
	if (parts.protocol == IPPROTO_TCP)
		return parse_tcp(&parts, ret);
	if (parts.protocol == (is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return parse_icmp(&parts, is_v4, ret);
	return false;
}

void packet_seal(uint8_t *bytes)
{
	if (bytes[0] >> 4 != 4)
		return;
	put16(bytes + 10, 0);
	uint32_t sum = sum_of(bytes, IPV4_SIZE);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(bytes + 10, (uint16_t)~sum);
}
