/* Who has an address on a link, asked and answered: ARP (RFC 826) and neighbour discovery (RFC
 * 4861). Pure, as packet.h. */
#ifndef SCAN_PACKET_NEIGHBOUR_H
#define SCAN_PACKET_NEIGHBOUR_H

#include "scan/packet.h"

#define NEIGHBOUR_MAC 6
#define NEIGHBOUR_FRAME_MAX 88 /* a whole frame: Ethernet, IPv6, a solicitation with one option */

/* The frame that asks who has @to, from the interface with the link address @mac and the address
 * @from. Its length. */
size_t packet_neighbour_ask(bool is_v4, const uint8_t mac[NEIGHBOUR_MAC], const struct ip *from,
			    const struct ip *to, uint8_t ret[NEIGHBOUR_FRAME_MAX]);

struct neighbour_answer {
	struct ip ip;
	uint8_t mac[NEIGHBOUR_MAC];
};

/* @n bytes behind the link's header: an ARP reply, or an advertisement in IPv6. False: it is none.
 */
bool packet_neighbour_parse(const uint8_t *bytes, size_t n, bool is_v4,
			    struct neighbour_answer *ret);

#endif
