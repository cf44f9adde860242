/* NATS (client protocol): "INFO {json}" comes first. */
#include <string.h>

#include "scan/identify/protocol.h"

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "INFO {");
}

static enum verdict converse(struct talk *talk)
{
	char needs[16];
	struct identified *seen = talk->seen;
	talk->want = WANT_LINE;
	if (!memchr(talk->in, '\n', talk->n) && !talk->ended)
		return VERDICT_MORE;
	if (!keep_json(talk->in, talk->n, "server_id", needs, sizeof(needs)))
		return VERDICT_NOT;
	keep_json(talk->in, talk->n, "version", seen->version, sizeof(seen->version));
	keep_json(talk->in, talk->n, "proto", seen->protocol_version,
		  sizeof(seen->protocol_version));
	KEEP(seen->product, "nats-server", 11);
	if (!keep_json(talk->in, talk->n, "auth_required", needs, sizeof(needs)) ||
	    strcmp(needs, "true") != 0)
		seen->findings |= FINDING(NO_PASSWORD);
	if (!keep_json(talk->in, talk->n, "tls_required", needs, sizeof(needs)) ||
	    strcmp(needs, "true") != 0)
		mark_clear(talk);
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_nats = {
	.service = "nats",
	.ports = {4222},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
