/* The rsync daemon: its first line, "@RSYNCD: 31.0 sha512 ..." (rsync's csprotocol.txt). */
#include <string.h>

#include "scan/identify/protocol.h"

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "@RSYNCD: ");
}

static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	talk->want = WANT_LINE;
	if (!memchr(line, '\n', talk->n) && !talk->ended)
		return VERDICT_MORE;
	size_t n = line_length(line, talk->n), length = 0;
	if (n <= 9)
		return VERDICT_NOT;
	while (9 + length < n && line[9 + length] != ' ')
		length++;
	KEEP(talk->seen->protocol_version, line + 9, length);
	mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_rsync = {
	.service = "rsync",
	.ports = {873},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
