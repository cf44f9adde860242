/* AMQP 0-9-1: the protocol header, answered by Connection.Start, which names product and version;
 * who wants another version answers with a header of his own. */
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

#define FRAME_HEADER 7
#define LONG_STRING 'S'

static void hello(struct talk *talk)
{
	say_bytes(talk, "AMQP\0\0\x09\x01", 8);
}

/* A header; or a method frame of channel 0, class 10, method 10. */
static enum verdict recognise(struct look *look)
{
	const uint8_t *in = look->in;
	look->want = 8;
	if (may_begin(in, look->n, "AMQP"))
		return look->n >= 8 ? VERDICT_MINE : VERDICT_MORE;
	look->want = 11;
	if (in[0] != 1 || look->asked != &protocol_amqp)
		return VERDICT_NOT;
	if (look->n < 11)
		return VERDICT_MORE;
	return memcmp(in + 1, "\0\0", 2) == 0 && memcmp(in + 7, "\0\x0a\0\x0a", 4) == 0
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

/* The text of @key in a table: its length and name, 'S', a length of 4 bytes, the text. */
static void read_key(const uint8_t *in, size_t n, const char *key, char *to, size_t size)
{
	size_t length = strlen(key);
	const char *at = find_text(in, n, key);
	if (!at || at == (const char *)in || (uint8_t)at[-1] != length)
		return;
	at += length;
	struct cursor cursor = cursor_of(at, n - (size_t)((const uint8_t *)at - in));
	if (get_u8(&cursor) != LONG_STRING)
		return;
	uint32_t text = get_u32(&cursor);
	const uint8_t *bytes = get_bytes(&cursor, text);
	if (bytes)
		keep_text(to, size, bytes, text);
}

static enum verdict read_header(struct talk *talk)
{
	char text[16];
	const uint8_t *in = talk->in;
	int n = in[4] == 0 && in[5] == 0
			? snprintf(text, sizeof(text), "%u-%u-%u", in[5], in[6], in[7])
			: snprintf(text, sizeof(text), "%u.%u.%u", in[5], in[6], in[7]);
	mark_clear(talk);
	KEEP(talk->seen->protocol_version, text, (size_t)n);
	return VERDICT_DONE;
}

static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	struct identified *seen = talk->seen;
	char text[16];
	talk->want = 8;
	if (talk->n < 8)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	if (begins(talk->in, talk->n, "AMQP"))
		return read_header(talk);
	get_bytes(&cursor, 3);
	uint32_t size = get_u32(&cursor);
	if (size > MESSAGE_MAX - FRAME_HEADER - 1 || size < 6)
		return VERDICT_NOT;
	talk->want = FRAME_HEADER + size + 1;
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	get_bytes(&cursor, 4);
	uint32_t major = get_u8(&cursor), minor = get_u8(&cursor);
	int n = snprintf(text, sizeof(text), "%u-%u", major, minor);
	KEEP(seen->protocol_version, text, (size_t)n);
	read_key(cursor.at, cursor_left(&cursor), "product", seen->product, sizeof(seen->product));
	read_key(cursor.at, cursor_left(&cursor), "version", seen->version, sizeof(seen->version));
	mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_amqp = {
	.service = "amqp",
	.ports = {5672, 5671},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
