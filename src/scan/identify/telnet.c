/* Telnet (RFC 854): a server that negotiates options before it says anything. */
#include "scan/identify/protocol.h"

#define IAC 255
#define WILL 251 /* and WONT, DO, DONT */

static enum verdict recognise(struct look *look)
{
	look->want = 3;
	if (look->in[0] != IAC)
		return VERDICT_NOT;
	if (look->n < 3)
		return VERDICT_MORE;
	return look->in[1] >= WILL && look->in[1] < IAC ? VERDICT_MINE : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_telnet = {
	.service = "telnet",
	.ports = {23},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
