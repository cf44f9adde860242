/* TFTP (RFC 1350): a request for what is not there gets an ERROR, from another port. */
#include <string.h>

#include "scan/identify/protocol.h"

static void hello(struct talk *talk)
{
	static const char request[] = "\0\1doorward-is-not-there\0octet";
	say_bytes(talk, request, sizeof(request));
}

/* ERROR: 5, a code of 0 to 8, a text with its NUL. */
static enum verdict recognise(struct look *look)
{
	look->want = look->n + 1;
	if (look->asked != &protocol_tftp || look->in[0] != 0)
		return VERDICT_NOT;
	if (!look->ended)
		return VERDICT_MORE;
	bool is_error = look->n >= 5 && look->in[1] == 5 && look->in[2] == 0 && look->in[3] <= 8;
	return is_error && look->in[look->n - 1] == 0 ? VERDICT_MINE : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_tftp = {
	.service = "tftp",
	.ports = {69},
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
