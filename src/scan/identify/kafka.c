/* Kafka (protocol guide): an ApiVersions request of version 0. The broker names no version. */
#include <string.h>

#include "scan/identify/protocol.h"

#define CORRELATION 0x444f4f52 /* "DOOR" */

static void hello(struct talk *talk)
{
	static const char client[] = "doorward";
	size_t n = sizeof(client) - 1;
	say_u32(talk, 2 + 2 + 4 + 2 + (uint32_t)n);
	say_u16(talk, 18); /* ApiVersions */
	say_u16(talk, 0);
	say_u32(talk, CORRELATION);
	say_u16(talk, (uint16_t)n);
	say_bytes(talk, client, n);
}

/* A size, our number, an error code, a count of 6 bytes each that fills the rest. */
static enum verdict recognise(struct look *look)
{
	struct cursor cursor = cursor_of(look->in, look->n);
	look->want = 14;
	if (look->asked != &protocol_kafka)
		return VERDICT_NOT;
	if (look->n < 14)
		return look->in[0] == 0 ? VERDICT_MORE : VERDICT_NOT;
	uint32_t size = get_u32(&cursor), number = get_u32(&cursor), error = get_u16(&cursor);
	uint64_t count = get_u32(&cursor);
	return number == CORRELATION && error == 0 && size == 4 + 2 + 4 + 6 * count ? VERDICT_MINE
										    : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_kafka = {
	.service = "kafka",
	.ports = {9092, 9093},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
