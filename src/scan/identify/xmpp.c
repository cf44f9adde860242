/* XMPP (RFC 6120): a stream header; the answer's features, or its error. */
#include <string.h>

#include "scan/identify/protocol.h"

static const char streams[] = "http://etherx.jabber.org/streams";

static void hello(struct talk *talk)
{
	say_format(talk,
		   "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' "
		   "xmlns:stream='%s' version='1.0'>",
		   talk->place->host, streams);
}

static enum verdict recognise(struct look *look)
{
	look->want = look->n + 1;
	if (!may_begin(look->in, look->n, "<?xml") && !may_begin(look->in, look->n, "<stream:"))
		return VERDICT_NOT;
	if (find_text(look->in, look->n, streams))
		return VERDICT_MINE;
	return look->n < 1024 ? VERDICT_MORE : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	const char *in = (const char *)talk->in;
	bool is_whole = find_text(in, talk->n, "</stream:features>") ||
			find_text(in, talk->n, "<stream:features/>") ||
			find_text(in, talk->n, "</stream:stream>");
	talk->want = talk->n + 1;
	if (!is_whole && !talk->ended && talk->n < 4096)
		return VERDICT_MORE;
	KEEP(talk->seen->protocol_version, "1.0", find_text(in, talk->n, "version='1.0'") ? 3 : 0);
	if (!find_text(in, talk->n, "urn:ietf:params:xml:ns:xmpp-tls"))
		mark_clear(talk);
	say_text(talk, "</stream:stream>");
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_xmpp = {
	.service = "xmpp",
	.ports = {5222, 5269, 5223},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
