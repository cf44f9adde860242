/* STUN (RFC 8489): a binding request; the answer's SOFTWARE, where it has one. */
#include <string.h>

#include "scan/identify/protocol.h"

#define HEADER 20
#define COOKIE 0x2112a442
#define SOFTWARE 0x8022

static const char transaction[] = "DoorwardScan";

static void hello(struct talk *talk)
{
	say_u32(talk, 0x00010000); /* binding request, no attributes */
	say_u32(talk, COOKIE);
	say_bytes(talk, transaction, 12);
}

static enum verdict recognise(struct look *look)
{
	look->want = HEADER;
	if (look->in[0] != 1)
		return VERDICT_NOT;
	if (look->n < HEADER)
		return look->ended ? VERDICT_NOT : VERDICT_MORE;
	return memcmp(look->in + 8, transaction, 12) == 0 ? VERDICT_MINE : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	talk->want = talk->n + 1;
	if (!talk->ended)
		return VERDICT_MORE;
	get_bytes(&cursor, HEADER);
	while (cursor_left(&cursor) >= 4) {
		uint32_t kind = get_u16(&cursor), length = get_u16(&cursor);
		const uint8_t *value = get_bytes(&cursor, length);
		if (!value)
			break;
		if (kind == SOFTWARE)
			keep_product(talk->seen, (const char *)value, length, "-/ ", " ");
		get_bytes(&cursor, (4 - length % 4) % 4);
	}
	return VERDICT_DONE;
}

const struct protocol protocol_stun = {
	.service = "stun",
	.ports = {3478, 5349},
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
