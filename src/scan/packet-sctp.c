/* The packets of a scan of SCTP, made and read: RFC 9260. */
#include <netinet/in.h>
#include <string.h>

#include "scan/packet-bytes.h"
#include "scan/packet-sctp.h"

/*  0  source port, destination port
 *  4  verification tag: the receiver's, 0 with INIT
 *  8  CRC32c, lowest byte first
 * 12  chunk: type, flags, length; and of INIT and INIT ACK
 * 16  initiate tag: what the other has to say as verification tag
 * 20  window, streams out, streams in, first TSN */
#define COMMON 12
#define INIT_SIZE 20
#define CHUNK_INIT 1
#define CHUNK_INIT_ACK 2
#define CHUNK_ABORT 6
#define ABORT_NO_TAG 1 /* flag T: the tag is the sender's own, returned */
#define WINDOW 32768
#define STREAMS 10
#define ICMP_SIZE 8

uint32_t packet_crc32c(const uint8_t *bytes, size_t n)
{
	/* four bits at a time, the polynomial 0x1edc6f41 with its bits reversed */
	static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
					   0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
					   0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
					   0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

size_t packet_init(bool is_v4, const struct packet_ends *ends, uint32_t cookie,
		   uint8_t to[PACKET_INIT_MAX])
{
	const size_t n = COMMON + INIT_SIZE;
	uint8_t *sctp = to + packet_ip_put(is_v4, ends, IPPROTO_SCTP, n, to);
	memset(sctp, 0, n);
	put16(sctp, ends->from_port);
	put16(sctp + 2, ends->to_port);
	sctp[12] = CHUNK_INIT;
	put16(sctp + 14, INIT_SIZE);
	put32(sctp + 16, cookie);
	put32(sctp + 20, WINDOW);
	put16(sctp + 24, STREAMS);
	put16(sctp + 26, STREAMS);
	put32(sctp + 28, cookie);
	uint32_t crc = packet_crc32c(sctp, n);
	for (unsigned i = 0; i < 4; i++)
		sctp[8 + i] = (uint8_t)(crc >> 8 * i);
	return (size_t)(sctp - to) + n;
}

static bool parse_chunk(const struct packet_ip *parts, struct packet *ret)
{
	const uint8_t *sctp = parts->payload;
	if (parts->n < COMMON + 4)
		return false;
	uint8_t type = sctp[12], flags = sctp[13];
	if (type == CHUNK_INIT_ACK)
		ret->kind = PACKET_SYN_ACK;
	else if (type == CHUNK_ABORT && !(flags & ABORT_NO_TAG))
		ret->kind = PACKET_RST;
	else
		return false;
	ret->ends = (struct packet_ends){.to = parts->from,
					 .from = parts->to,
					 .to_port = get16(sctp),
					 .from_port = get16(sctp + 2)};
	ret->cookie = get32(sctp + 4);
	ret->sender = parts->from;
	return true;
}

/* An error that quotes less than the initiate tag proves nothing: the ports alone can be guessed.
 */
static bool parse_error(const struct packet_ip *parts, bool is_v4, struct packet *ret)
{
	struct packet_ip quoted;
	if (parts->n < ICMP_SIZE ||
	    !packet_ip_parse(parts->payload + ICMP_SIZE, parts->n - ICMP_SIZE, is_v4, &quoted))
		return false;
	if (quoted.protocol != IPPROTO_SCTP || quoted.n < 20 || quoted.payload[12] != CHUNK_INIT)
		return false;
	*ret = (struct packet){.kind = PACKET_ERROR,
			       .ends = {.to = quoted.to,
					.from = quoted.from,
					.to_port = get16(quoted.payload + 2),
					.from_port = get16(quoted.payload)},
			       .sender = parts->from,
			       .cookie = get32(quoted.payload + 16),
			       .icmp_type = parts->payload[0],
			       .icmp_code = parts->payload[1]};
	return true;
}

bool packet_sctp_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet *ret)
{
	struct packet_ip parts;
	*ret = (struct packet){.kind = PACKET_NONE};
	if (!packet_ip_parse(bytes, n, is_v4, &parts))
		return false;
	if (parts.protocol == IPPROTO_SCTP)
		return parse_chunk(&parts, ret);
	if (parts.protocol == (is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return parse_error(&parts, is_v4, ret);
	return false;
}
