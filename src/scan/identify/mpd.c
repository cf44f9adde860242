/* MPD: "OK MPD 0.23.5" comes first; the number is the protocol's, not the program's. */
#include <string.h>

#include "scan/identify/protocol.h"

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "OK MPD ");
}

static enum verdict converse(struct talk *talk)
{
	talk->want = WANT_LINE;
	if (!memchr(talk->in, '\n', talk->n) && !talk->ended)
		return VERDICT_MORE;
	size_t n = line_length(talk->in, talk->n);
	KEEP(talk->seen->protocol_version, talk->in + 7, n > 7 ? n - 7 : 0);
	mark_clear(talk);
	say_text(talk, "close\n");
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_mpd = {
	.service = "mpd",
	.ports = {6600},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
