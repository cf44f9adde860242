/* memcached (protocol.txt): `version`, over UDP behind a frame of 8 bytes. */
#include <string.h>

#include "scan/identify/protocol.h"

#define FRAME 8

static void hello(struct talk *talk)
{
	if (talk->place->is_udp) /* request, sequence 0 of 1 datagram */
		say_bytes(talk, "\x44\x4f\0\0\0\1\0\0", FRAME);
	say_text(talk, "version\r\n");
}

static enum verdict recognise(struct look *look)
{
	size_t skip = look->place->is_udp ? FRAME : 0;
	const char *in = (const char *)look->in + skip;
	look->want = skip + 8;
	if (look->n <= skip)
		return VERDICT_MORE;
	size_t n = look->n - skip;
	if (may_begin(in, n, "VERSION "))
		return n >= 8 ? VERDICT_MINE : VERDICT_MORE;
	if (skip > 0 || !look->asked)
		return VERDICT_NOT;
	look->want = WANT_LINE;
	if (may_begin(in, n, "CLIENT_ERROR"))
		return n >= 12 ? VERDICT_MINE : VERDICT_MORE;
	if (!may_begin(in, n, "ERROR\r\n"))
		return VERDICT_NOT;
	return n >= 7 ? VERDICT_MINE : VERDICT_MORE;
}

static enum verdict converse(struct talk *talk)
{
	size_t skip = talk->place->is_udp ? FRAME : 0;
	talk->want = WANT_LINE;
	if (talk->n <= skip || (!memchr(talk->in, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	const char *line = (const char *)talk->in + skip;
	size_t n = line_length(line, talk->n - skip);
	mark_clear(talk);
	talk->taken = talk->n;
	if (begins(line, n, "VERSION ")) {
		KEEP(talk->seen->product, "memcached", 9);
		KEEP(talk->seen->version, line + 8, n - 8);
		talk->seen->findings |= FINDING(NO_PASSWORD);
	} else if (!begins(line, n, "CLIENT_ERROR")) {
		return VERDICT_NOT;
	}
	if (!talk->place->is_udp)
		say_text(talk, "quit\r\n");
	return VERDICT_DONE;
}

const struct protocol protocol_memcached = {
	.service = "memcached",
	.ports = {11211},
	.over_tcp = true,
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
