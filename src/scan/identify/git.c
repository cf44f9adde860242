/* The git daemon (gitprotocol-pack(5)): a request in a pkt-line for what is hardly there gets an
 * ERR line, or, where it is, a list of references. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

static void hello(struct talk *talk)
{
	char text[200];
	int n = snprintf(text, sizeof(text), "git-upload-pack /doorward%chost=%s%c", 0,
			 talk->place->host, 0);
	say_format(talk, "%04x", (unsigned)n + 4);
	say_bytes(talk, text, (size_t)n);
}

static bool is_hex(const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isxdigit(in[i]))
			return false;
	return true;
}

static enum verdict recognise(struct look *look)
{
	look->want = 8;
	if (look->asked != &protocol_git || !is_hex(look->in, look->n < 4 ? look->n : 4))
		return VERDICT_NOT;
	if (look->n < 8)
		return VERDICT_MORE;
	return memcmp(look->in + 4, "ERR ", 4) == 0 || is_hex(look->in + 4, 4) ? VERDICT_MINE
									       : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	mark_clear(talk);
	if (talk->n >= 8 && is_hex(talk->in + 4, 4))
		say_text(talk, "0000"); /* wants nothing */
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_git = {
	.service = "git",
	.ports = {9418},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
