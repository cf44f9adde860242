/* What well-known UDP services are asked: the smallest request that each answers, from its own
 * specification. */
#include <stddef.h>
#include <string.h>

#include "base/attributes.h"
#include "scan/udp.h"

#define BYTES(text) text, sizeof(text) - 1

struct request {
	uint16_t port;
	const char *bytes;
	size_t n;
};

/* RFC 1035: version.bind, TXT, CH: a server that serves nothing else answers this, too */
#define DNS                                                    \
	"\x44\x57\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07" \
	"version\x04"                                          \
	"bind\x00\x00\x10\x00\x03"
/* RFC 6762, 5.5: asked from another port than 5353, so that the answer comes to us alone */
#define MDNS                                                                                   \
	"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_services\x07_dns-sd\x04_udp\x05" \
	"local\x00\x00\x0c\x00\x01"
/* RFC 5905: version 4, mode 3 (client) */
#define NTP                \
	"\x23\x00\x06\xec" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
/* RFC 3412, 3414: SNMPv3 engine discovery, which needs no community */
#define SNMP                                                                                   \
	"\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x4a\x69\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01" \
	"\x03\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00\x30\x12" \
	"\x04\x00\x04\x00\xa0\x0c\x02\x02\x37\xf0\x02\x01\x00\x02\x01\x00\x30\x00"
/* RFC 1350: a file that nobody has */
#define TFTP       \
	"\x00\x01" \
	"doorward-none\x00octet\x00"
/* RFC 1002, 4.2.18: node status of "*" */
#define NETBIOS                                                \
	"\x44\x57\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x20" \
	"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                     \
	"\x00\x00\x21\x00\x01"
/* UPnP Device Architecture, 1.3.2, unicast */
#define SSDP                                                                                  \
	"M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: \"ssdp:discover\"\r\nST: " \
	"ssdp:all\r\n\r\n"
/* memcached's protocol.txt: a frame header, then a command */
#define MEMCACHED "\x44\x57\x00\x00\x00\x01\x00\x00version\r\n"
/* RFC 3261, 11 */
#define SIP                                                                                        \
	"OPTIONS sip:doorward@invalid SIP/2.0\r\nVia: SIP/2.0/UDP "                                \
	"invalid;rport;branch=z9hG4bKdw\r\n"                                                       \
	"Max-Forwards: 0\r\nFrom: <sip:doorward@invalid>;tag=dw\r\nTo: <sip:doorward@invalid>\r\n" \
	"Call-ID: doorward\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
/* RFC 8489: binding request */
#define STUN                               \
	"\x00\x01\x00\x00\x21\x12\xa4\x42" \
	"doorwardscan"
/* RFC 1057: portmapper, procedure 0 */
#define RPC                                                                                        \
	"\x44\x57\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00" \
	"\x00"                                                                                     \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
/* RFC 3352: the root DSE over CLDAP */
#define CLDAP                                                                                      \
	"\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01" \
	"\x01\x00\x87\x0bobjectclass\x30\x00"
/* RFC 6886: public address request */
#define NATPMP "\x00\x00"
/* RFC 7252, 4.3: an empty confirmable message, which is reset */
#define COAP "\x40\x00\x44\x57"
/* RFC 2131: DHCPINFORM, answered by no lease */
#define DHCP_HEAD "\x01\x01\x06\x00\x44\x57\x00\x01\x00\x00\x00\x00"
/* RFC 7296 3.1: an IKE_SA_INIT with no payload, refused as invalid syntax or version */
#define IKE                                                                                        \
	"\x44\x57\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x30\x22\x08\x00\x00" \
	"\x00"                                                                                     \
	"\x00\x00\x00\x00\x1c"

static const struct request requests[] = {
	{7, BYTES("doorward")},	   {13, BYTES("\n")},	{17, BYTES("\n")},
	{19, BYTES("\n")},	   {53, BYTES(DNS)},	{69, BYTES(TFTP)},
	{111, BYTES(RPC)},	   {123, BYTES(NTP)},	{137, BYTES(NETBIOS)},
	{161, BYTES(SNMP)},	   {389, BYTES(CLDAP)}, {500, BYTES(IKE)},
	{1900, BYTES(SSDP)},	   {3478, BYTES(STUN)}, {5060, BYTES(SIP)},
	{5351, BYTES(NATPMP)},	   {5353, BYTES(MDNS)}, {5683, BYTES(COAP)},
	{11211, BYTES(MEMCACHED)},
};

/* RFC 9000, 6 and RFC 8999: an Initial of a version that nobody has, as long as it must be; the
 * answer is Version Negotiation. */
static size_t quic(uint8_t to[UDP_REQUEST_MAX])
{
	static const uint8_t head[] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8,	  'd', 'o',
				       'o',  'r',  'w',	 'a',  'r',  'd', 8,   's',
				       'c',  'a',  'n',	 'n',  'i',  'n', 'g'};
	memset(to, 0, UDP_REQUEST_MAX);
	memcpy(to, head, sizeof(head));
	return UDP_REQUEST_MAX;
}

/* RFC 2131 and 2132: DHCPINFORM with the magic cookie and the message type. */
static size_t dhcp(uint8_t to[UDP_REQUEST_MAX])
{
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 8, 255};
	memset(to, 0, 300);
	memcpy(to, DHCP_HEAD, sizeof(DHCP_HEAD) - 1);
	memcpy(to + 236, options, sizeof(options));
	return 300;
}

size_t udp_request(uint16_t port, uint8_t to[UDP_REQUEST_MAX])
{
	if (port == 443 || port == 8443)
		return quic(to);
	if (port == 67)
		return dhcp(to);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (requests[i].port != port)
			continue;
		memcpy(to, requests[i].bytes, requests[i].n);
		return requests[i].n;
	}
	return 0;
}

bool udp_answers_elsewhere(uint16_t port)
{
	return port == 69;
}
