/* SNMP: version 3's discovery (RFC 3414, 4), which needs no community and names the engine's maker;
 * then whether the community "public" is answered. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_ENGINE, STEP_PUBLIC };
#define NET_SNMP 8072 /* IANA's private enterprise number */

/* version 3; id, size 65507, reportable, user security; an empty engine; an empty get. */
static const uint8_t discovery[] = {
	0x30, 0x3a, 2,	  1, 3, 0x30, 0x0f, 2, 2,    0x44, 0x4f, 2,    3, 0,	0xff,
	0xe3, 4,    1,	  4, 2, 1,    3,    4, 0x10, 0x30, 0x0e, 4,    0, 2,	1,
	0,    2,    1,	  0, 4, 0,    4,    0, 4,    0,	   0x30, 0x12, 4, 0,	4,
	0,    0xa0, 0x0c, 2, 2, 0x44, 0x4f, 2, 1,    0,	   2,	 1,    0, 0x30, 0};

/* version 2c, community public, get 1.3.6.1.2.1.1.1.0 (sysDescr) */
static const uint8_t public[] = {0x30, 0x29, 2,	   1,	 1, 4,	  6,	'p',  'u',  'b',  'l',
				 'i',  'c',  0xa0, 0x1c, 2, 4,	  0x44, 0x4f, 0x4f, 0x52, 2,
				 1,    0,    2,	   1,	 0, 0x30, 0x0e, 0x30, 0x0c, 6,	  8,
				 0x2b, 6,    1,	   2,	 1, 1,	  1,	0,    5,    0};

static void hello(struct talk *talk)
{
	say_bytes(talk, discovery, sizeof(discovery));
}

/* SEQUENCE, a short or long length, version 0, 1 or 3 as an INTEGER. */
static enum verdict recognise(struct look *look)
{
	struct cursor cursor = cursor_of(look->in, look->n);
	look->want = 8;
	if (look->in[0] != 0x30)
		return VERDICT_NOT;
	if (look->n < 8)
		return look->ended ? VERDICT_NOT : VERDICT_MORE;
	get_u8(&cursor);
	uint32_t length = get_u8(&cursor);
	get_bytes(&cursor, length > 0x80 && length <= 0x82 ? length & 0x7f : 0);
	bool is_version = get_u8(&cursor) == 2 && get_u8(&cursor) == 1 && get_u8(&cursor) <= 3;
	return is_version && look->asked == &protocol_snmp ? VERDICT_MINE : VERDICT_NOT;
}

/* The engine's id, an OCTET STRING of 5 to 32 bytes, begins with the maker's number, its first bit
 * set (RFC 3411, 5); it is the first such string whose first bit is. */
static uint32_t find_maker(const uint8_t *in, size_t n)
{
	for (size_t i = 0; i + 7 <= n; i++)
		if (in[i] == 4 && in[i + 1] >= 5 && in[i + 1] <= 32 && in[i + 2] & 0x80) {
			struct cursor cursor = cursor_of(in + i + 2, 4);
			return get_u32(&cursor) & 0x7fffffff;
		}
	return 0;
}

static enum verdict converse(struct talk *talk)
{
	talk->want = talk->n + 1;
	if (!talk->ended)
		return VERDICT_MORE;
	if (talk->step == STEP_PUBLIC) {
		/* community echoed, and a response (0xa2) without an error */
		if (find_text(talk->in, talk->n, "\4\6public\xa2")) {
			talk->seen->findings |= FINDING(NO_PASSWORD) | FINDING(CLEAR_TEXT);
			KEEP(talk->seen->protocol_version, "2c", 2);
		}
		return VERDICT_DONE;
	}
	if (find_maker(talk->in, talk->n) == NET_SNMP)
		KEEP(talk->seen->product, "Net-SNMP", 8);
	KEEP(talk->seen->protocol_version, "3", 1);
	talk->taken = talk->n;
	say_bytes(talk, public, sizeof(public));
	talk->step = STEP_PUBLIC;
	return VERDICT_FRESH;
}

const struct protocol protocol_snmp = {
	.service = "snmp",
	.ports = {161},
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
