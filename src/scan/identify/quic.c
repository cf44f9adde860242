/* QUIC (RFC 8999): an Initial of a version that nobody has gets a Version Negotiation. */
#include <string.h>

#include "scan/identify/protocol.h"

#define LEAST 1200 /* a shorter one may be dropped (RFC 9000, 14.1) */
#define UNKNOWN_VERSION 0x0a0a0a0a

static const char id[] = "doorward";

static void hello(struct talk *talk)
{
	static const uint8_t zero[LEAST] = {0};
	say_u8(talk, 0xc0);
	say_u32(talk, UNKNOWN_VERSION);
	say_u8(talk, 8);
	say_bytes(talk, id, 8);
	say_u8(talk, 8);
	say_bytes(talk, id, 8);
	say_bytes(talk, zero, LEAST - talk->n_say);
}

/* Long header, version 0, our two ids. */
static enum verdict recognise(struct look *look)
{
	look->want = 23;
	if (!(look->in[0] & 0x80))
		return VERDICT_NOT;
	if (look->n < 23)
		return look->ended ? VERDICT_NOT : VERDICT_MORE;
	return memcmp(look->in + 1, "\0\0\0\0\x08", 5) == 0 && memcmp(look->in + 6, id, 8) == 0
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

/* The versions that it knows: 1 is named (RFC 9000), 0x6b3343cf is 2 (RFC 9369). */
static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	bool has_1 = false, has_2 = false;
	talk->want = talk->n + 1;
	if (!talk->ended)
		return VERDICT_MORE;
	get_bytes(&cursor, 23);
	while (cursor_left(&cursor) >= 4) {
		uint32_t version = get_u32(&cursor);
		has_1 |= version == 1;
		has_2 |= version == 0x6b3343cf;
	}
	if (has_1 || has_2)
		KEEP(talk->seen->protocol_version, has_2 ? "2" : "1", 1);
	return VERDICT_DONE;
}

const struct protocol protocol_quic = {
	.service = "quic",
	.ports = {443, 853, 8443},
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
