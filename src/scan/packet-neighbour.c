/* Who has an address on a link: RFC 826; RFC 4861, 4.3, 4.4 and 7.1.2; RFC 2464, 7. */
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "scan/packet-neighbour.h"

#define ETHERNET 14
#define IPV6_SIZE 40
#define SOLICITATION 135
#define ADVERTISEMENT 136
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define HOP_LIMIT 255 /* anything less has come through a router */
#define REQUEST 1
#define REPLY 2

/* Ethernet and IPv4: kinds (2, 2), lengths (1, 1), operation (2), then of the sender and of the
 * target the link address (6) and the address (4). */
#define ARP_SIZE 28
static const uint8_t arp_kind[6] = {0, 1, 8, 0, 6, 4};

static size_t put_arp(const uint8_t *mac, const struct ip *from, const struct ip *to,
		      uint8_t *frame)
{
	uint8_t *arp = frame + ETHERNET;
	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + 12, "\x08\x06", 2);
	memcpy(arp, arp_kind, sizeof(arp_kind));
	arp[7] = REQUEST;
	memcpy(arp + 8, mac, ETH_ALEN);
	memcpy(arp + 14, from->bytes + 12, 4);
	memcpy(arp + 24, to->bytes + 12, 4);
	return ETHERNET + ARP_SIZE;
}

static uint16_t sum_of(const uint8_t *bytes, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* To the group of all whose address ends alike: ff02::1:ffxx:xxxx, which is a group of the link. */
static size_t put_solicitation(const uint8_t *mac, const struct ip *from, const struct ip *to,
			       uint8_t *frame)
{
	const size_t n = 4 + 4 + 16 + 8;
	struct packet_ends ends = {.from = *from};
	uint8_t *ip = frame + ETHERNET, *message = ip + IPV6_SIZE;
	memcpy(ends.to.bytes, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff", 13);
	memcpy(ends.to.bytes + 13, to->bytes + 13, 3);
	memcpy(frame, "\x33\x33", 2);
	memcpy(frame + 2, ends.to.bytes + 12, 4);
	memcpy(frame + 12, "\x86\xdd", 2);
	packet_ip_put(false, &ends, IPPROTO_ICMPV6, n, ip);
	ip[7] = HOP_LIMIT;
	message[0] = SOLICITATION;
	memcpy(message + 8, to->bytes, 16);
	message[24] = OPTION_SOURCE;
	message[25] = 1; /* in units of eight bytes */
	memcpy(message + 26, mac, ETH_ALEN);
	/* the pseudo header: addresses, length, protocol */
	uint32_t pseudo = sum_of(ip + 8, 32, (uint32_t)n + IPPROTO_ICMPV6);
	uint16_t sum = (uint16_t)~sum_of(message, n, pseudo);
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	return ETHERNET + IPV6_SIZE + n;
}

size_t packet_neighbour_ask(bool is_v4, const uint8_t mac[NEIGHBOUR_MAC], const struct ip *from,
			    const struct ip *to, uint8_t ret[NEIGHBOUR_FRAME_MAX])
{
	memset(ret, 0, NEIGHBOUR_FRAME_MAX);
	memcpy(ret + ETH_ALEN, mac, ETH_ALEN);
	return is_v4 ? put_arp(mac, from, to, ret) : put_solicitation(mac, from, to, ret);
}

static bool parse_arp(const uint8_t *arp, size_t n, struct neighbour_answer *ret)
{
	if (n < ARP_SIZE || memcmp(arp, arp_kind, sizeof(arp_kind)) != 0 || arp[6] ||
	    arp[7] != REPLY)
		return false;
	ret->ip = ip_from_v4(arp + 14);
	memcpy(ret->mac, arp + 8, ETH_ALEN);
	return true;
}

static bool parse_advertisement(const uint8_t *bytes, size_t n, struct neighbour_answer *ret)
{
	struct packet_ip parts;
	if (!packet_ip_parse(bytes, n, false, &parts) || parts.protocol != IPPROTO_ICMPV6 ||
	    bytes[7] != HOP_LIMIT)
		return false;
	const uint8_t *message = parts.payload;
	if (parts.n < 24 || message[0] != ADVERTISEMENT || message[1])
		return false;
	ret->ip = ip_from_v6(message + 8);
	for (size_t at = 24; parts.n - at >= 8;) {
		size_t length = (size_t)message[at + 1] * 8;
		if (!length || length > parts.n - at)
			return false;
		if (message[at] == OPTION_TARGET) {
			memcpy(ret->mac, message + at + 2, ETH_ALEN);
			return true;
		}
		at += length;
	}
	return false;
}

bool packet_neighbour_parse(const uint8_t *bytes, size_t n, bool is_v4,
			    struct neighbour_answer *ret)
{
	return is_v4 ? parse_arp(bytes, n, ret) : parse_advertisement(bytes, n, ret);
}
