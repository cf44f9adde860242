/* RDP ([MS-RDPBCGR] 2.2.1.1): an X.224 connection request with a negotiation. It says no version.
 */
#include <string.h>

#include "scan/identify/protocol.h"

#define CONFIRM 0xd0

static void hello(struct talk *talk)
{
	static const uint8_t request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0,
					  0, 1, 0, 8,  0,  0x0b, 0, 0, 0};
	say_bytes(talk, request, sizeof(request));
}

/* TPKT version 3, a length; X.224's own length, connection confirm. */
static enum verdict recognise(struct look *look)
{
	look->want = 6;
	if (look->in[0] != 3 || look->asked == NULL)
		return VERDICT_NOT;
	if (look->n < 6)
		return VERDICT_MORE;
	return look->in[1] == 0 && look->in[2] == 0 && look->in[3] >= 11 && look->in[5] == CONFIRM
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

/* The negotiation's answer: kind 2, flags, length 8, the chosen security; 0 is RDP's own. */
static enum verdict converse(struct talk *talk)
{
	talk->want = talk->n >= 4 ? talk->in[3] : 4;
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_rdp = {
	.service = "rdp",
	.ports = {3389},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
