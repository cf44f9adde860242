/* SSH (RFC 4253): the server's first line. Ends with a DISCONNECT, as the protocol has it. */
#include <string.h>

#include "scan/identify/protocol.h"

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "SSH-");
}

/* Our line, then SSH_MSG_DISCONNECT(11), by application(11), in a packet without cipher: length,
 * padding length, payload, padding (RFC 4253, 6 and 11.1). */
static void say_goodbye(struct talk *talk)
{
	static const uint8_t packet[24] = {0, 0, 0, 20, 6, 1, 0, 0, 0, 11, 0};
	say_text(talk, "SSH-2.0-Doorward\r\n");
	say_bytes(talk, packet, sizeof(packet));
}

static enum verdict converse(struct talk *talk)
{
	talk->want = WANT_LINE;
	const char *line = (const char *)talk->in;
	size_t n = line_length(line, talk->n);
	if (!memchr(talk->in, '\n', talk->n) && !talk->ended)
		return VERDICT_MORE;
	const char *software = n > 4 ? memchr(line + 4, '-', n - 4) : NULL;
	if (!software)
		return VERDICT_NOT;
	KEEP(talk->seen->protocol_version, line + 4, (size_t)(software - line) - 4);
	software++;
	size_t left = n - (size_t)(software - line);
	keep_product(talk->seen, software, left, "_/-", NULL);
	say_goodbye(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_ssh = {
	.service = "ssh",
	.ports = {22, 2222},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
