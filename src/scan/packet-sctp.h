/* The packets of a scan of SCTP, made and read (RFC 9260). Pure, as packet.h. */
#ifndef SCAN_PACKET_SCTP_H
#define SCAN_PACKET_SCTP_H

#include "scan/packet.h"

#define PACKET_INIT_MAX 72 /* bytes: IPv4 or IPv6, the common header, an INIT chunk */

/* CRC32c (RFC 9260, appendix A) as it stands in a packet, first byte lowest. */
uint32_t packet_crc32c(const uint8_t *bytes, size_t n);

/* An INIT with its IP header; the cookie is its initiate tag, which every answer carries. The
 * length. */
size_t packet_init(bool is_v4, const struct packet_ends *ends, uint32_t cookie,
		   uint8_t to[PACKET_INIT_MAX]);

/* What @n bytes from the IP header on answer to an INIT: PACKET_SYN_ACK for an INIT ACK, PACKET_RST
 * for an ABORT, PACKET_ERROR. False: it is no answer. */
bool packet_sctp_parse(const uint8_t *bytes, size_t n, bool is_v4, struct packet *ret);

#endif
