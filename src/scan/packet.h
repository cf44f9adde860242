/* The packets of a scan, made and read. Pure: bytes in, bytes out; what comes was written by
 * strangers. */
#ifndef SCAN_PACKET_H
#define SCAN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/ip.h"

#define PACKET_SYN_MAX 64 /* bytes: IPv4 or IPv6, TCP, one option */
#define PACKET_KEY 2

/* A probe's own number: whoever answers must have seen it. SipHash-2-4 of both ends, so that a
 * stranger who sees some cannot make others. */
struct packet_ends {
	struct ip to, from;
	uint16_t to_port, from_port;
};
uint32_t packet_cookie(const uint64_t key[PACKET_KEY], const struct packet_ends *ends);

/* What does not change from probe to probe, made once for a target. */
struct packet_form {
	uint32_t sum; /* of the pseudo header and the constant part of TCP */
	bool is_v4;
};
void packet_form(bool is_v4, const struct ip *from, const struct ip *to, struct packet_form *ret);

/* A SYN with its IP header (IPv4's checksum is the kernel's to fill in). The length. */
size_t packet_syn(const struct packet_form *form, const struct packet_ends *ends, uint32_t cookie,
		  uint8_t to[PACKET_SYN_MAX]);
/* The checksum of a header of ours, which no raw socket fills in for a frame. IPv6 has none. */
void packet_seal(uint8_t *bytes);

/* One IP packet's parts. */
struct packet_ip {
	struct ip from, to;
	uint8_t protocol; /* behind IPv6's extension headers */
	const uint8_t *payload;
	size_t n; /* of the payload, as far as it is there */
};
/* @n bytes from the IP header on. False: it is none, or a later fragment. */
bool packet_ip_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet_ip *ret);
/* The header before @n bytes of @protocol, between the addresses of @ends (IPv4's checksum stays
 * 0); its length: 20 or 40. */
size_t packet_ip_put(bool is_v4, const struct packet_ends *ends, uint8_t protocol, size_t n,
		     uint8_t *to);

enum packet_kind { PACKET_NONE, PACKET_SYN_ACK, PACKET_RST, PACKET_ERROR };

/* What was read of a packet that came. */
struct packet {
	enum packet_kind kind;
	struct packet_ends ends; /* of the probe that it answers */
	struct ip sender;	 /* of an error: who says so */
	uint32_t cookie;	 /* that it shows to have seen */
	uint8_t icmp_type, icmp_code;
};

/* @n bytes from the IP header on. False: it is no answer to a TCP probe. */
bool packet_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet *ret);

#endif
