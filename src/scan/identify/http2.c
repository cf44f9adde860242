/* HTTP/2 (RFC 9113): one request on stream 1; from its answer's header block (RFC 7541) the
 * server's name. Ends with GOAWAY. */
#include <string.h>

#include "scan/identify/hpack.h"
#include "scan/identify/protocol.h"

#define FRAME_HEADER 9
#define FRAME_MAX 16384
enum { HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, GOAWAY = 7 };
#define ACK 1
#define END_STREAM 1
#define END_HEADERS 4
#define PADDED 8
#define PRIORITY 0x20

static void say_frame(struct talk *talk, uint8_t kind, uint8_t flags, uint32_t stream, size_t n)
{
	say_u8(talk, (uint8_t)(n >> 16));
	say_u16(talk, (uint16_t)n);
	say_u8(talk, kind);
	say_u8(talk, flags);
	say_u32(talk, stream);
}

static void hello(struct talk *talk)
{
	size_t n = strlen(talk->place->authority);
	say_text(talk, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	say_frame(talk, SETTINGS, 0, 0, 0);
	say_frame(talk, HEADERS, END_STREAM | END_HEADERS, 1, 5 + n);
	/* :method GET, :scheme, :path /, :authority as a literal: of the static table */
	say_bytes(talk, (uint8_t[]){0x82, talk->place->is_tls ? 0x87 : 0x86, 0x84, 0x01, n}, 5);
	say_bytes(talk, talk->place->authority, n);
}

/* A server begins with SETTINGS: pairs of 6 bytes, no flags, stream 0. */
static enum verdict recognise(struct look *look)
{
	look->want = FRAME_HEADER;
	if (look->in[0] != 0)
		return VERDICT_NOT;
	if (look->n < FRAME_HEADER)
		return VERDICT_MORE;
	static const uint8_t rest[6] = {SETTINGS, 0, 0, 0, 0, 0};
	unsigned length = look->in[1] << 8 | look->in[2];
	return length % 6 == 0 && length <= 600 && memcmp(look->in + 3, rest, 6) == 0 ? VERDICT_MINE
										      : VERDICT_NOT;
}

static enum verdict end(struct talk *talk)
{
	if (!talk->seen->product[0])
		return VERDICT_NOT; /* HTTP/1 tells more of who does not name himself */
	say_frame(talk, GOAWAY, 0, 0, 8);
	say_bytes(talk, "\0\0\0\0\0\0\0\0", 8);
	return VERDICT_DONE;
}

static void read_headers(struct talk *talk, const uint8_t *at, size_t n, uint8_t flags)
{
	char server[IDENTIFIED_TEXT_MAX];
	size_t padding = 0;
	if (flags & PADDED && n > 0) {
		padding = at[0];
		at++, n--;
	}
	if (flags & PRIORITY && n >= 5)
		at += 5, n -= 5;
	if (padding > n)
		return;
	if (hpack_find_server(at, n - padding, server, sizeof(server)))
		keep_product(talk->seen, server, strlen(server), "/(", " ;,()");
}

static enum verdict converse(struct talk *talk)
{
	const uint8_t *in = talk->in;
	if (talk->n < FRAME_HEADER) {
		talk->want = FRAME_HEADER;
		return talk->ended ? end(talk) : VERDICT_MORE;
	}
	size_t length = (size_t)in[0] << 16 | in[1] << 8 | in[2];
	uint8_t kind = in[3], flags = in[4];
	if (length > FRAME_MAX - FRAME_HEADER)
		return end(talk);
	talk->want = FRAME_HEADER + length;
	if (talk->n < talk->want)
		return talk->ended ? end(talk) : VERDICT_MORE;
	talk->taken = talk->want;
	talk->want = FRAME_HEADER;
	keep_service(talk->seen, "http");
	KEEP(talk->seen->protocol_version, "2", 1);
	mark_clear(talk);
	if (kind == SETTINGS && !(flags & ACK))
		say_frame(talk, SETTINGS, ACK, 0, 0);
	if (kind == HEADERS)
		read_headers(talk, in + FRAME_HEADER, length, flags);
	return kind == HEADERS || kind == RST_STREAM || kind == GOAWAY ? end(talk) : VERDICT_MORE;
}

const struct protocol protocol_http2 = {
	.service = "http2",
	.ports = {0},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
