/* XMPP (RFC 6120): a stream header; the answer's features, or its error; STARTTLS. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_FEATURES, STEP_STARTTLS };

static const char tls[] = "urn:ietf:params:xml:ns:xmpp-tls";
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

/* <proceed xmlns='...'/> or <failure .../> */
static enum verdict read_proceed(struct talk *talk)
{
	talk->want = talk->n + 1;
	if (!memchr(talk->in, '>', talk->n) && !talk->ended && talk->n < 1024)
		return VERDICT_MORE;
	talk->taken = talk->n;
	if (find_text(talk->in, talk->n, "<proceed"))
		return VERDICT_TLS;
	say_text(talk, "</stream:stream>");
	return VERDICT_DONE;
}

static enum verdict converse(struct talk *talk)
{
	const char *in = (const char *)talk->in;
	if (talk->is_secured)
		return VERDICT_DONE; /* no stream was begun inside */
	if (talk->step == STEP_STARTTLS)
		return read_proceed(talk);
	bool is_whole = find_text(in, talk->n, "</stream:features>") ||
			find_text(in, talk->n, "<stream:features/>") ||
			find_text(in, talk->n, "</stream:stream>");
	talk->want = talk->n + 1;
	if (!is_whole && !talk->ended && talk->n < 4096)
		return VERDICT_MORE;
	KEEP(talk->seen->protocol_version, "1.0", find_text(in, talk->n, "version='1.0'") ? 3 : 0);
	bool has_tls = find_text(in, talk->n, tls) != NULL;
	talk->taken = talk->n;
	if (!has_tls)
		mark_clear(talk);
	if (!has_tls || !may_start_tls(talk) || find_text(in, talk->n, "</stream:stream>")) {
		say_text(talk, "</stream:stream>");
		return VERDICT_DONE;
	}
	say_format(talk, "<starttls xmlns='%s'/>", tls);
	talk->step = STEP_STARTTLS;
	talk->want = 1;
	return VERDICT_MORE;
}

const struct protocol protocol_xmpp = {
	.service = "xmpp",
	.ports = {5222, 5269, 5223},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
