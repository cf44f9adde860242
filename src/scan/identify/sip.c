/* SIP (RFC 3261): OPTIONS; the answer's Server or User-Agent. */
#include <string.h>

#include "scan/identify/protocol.h"

static void hello(struct talk *talk)
{
	const char *host = talk->place->authority;
	say_format(talk,
		   "OPTIONS sip:%s SIP/2.0\r\n"
		   "Via: SIP/2.0/%s %s;branch=z9hG4bKdoorward;rport\r\n"
		   "Max-Forwards: 70\r\nFrom: <sip:doorward@%s>;tag=doorward\r\n"
		   "To: <sip:%s>\r\nCall-ID: doorward@%s\r\nCSeq: 1 OPTIONS\r\n"
		   "Contact: <sip:doorward@%s>\r\nAccept: application/sdp\r\n"
		   "Content-Length: 0\r\n\r\n",
		   host, talk->place->is_udp ? "UDP" : "TCP", host, host, host, talk->place->host,
		   host);
}

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "SIP/2.0 ");
}

static bool is_header(const char *line, size_t n, const char *name, size_t *skip)
{
	*skip = strlen(name);
	return begins_folded(line, n, name);
}

/* Line after line, to the empty one. */
static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	size_t skip;
	talk->want = WANT_LINE;
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	const char *end = memchr(line, '\n', talk->n);
	size_t n = line_length(line, talk->n);
	talk->taken = end ? (size_t)(end - line) + 1 : talk->n;
	KEEP(talk->seen->protocol_version, "2.0", 3);
	mark_clear(talk);
	if (is_header(line, n, "Server:", &skip) ||
	    (!talk->seen->product[0] && is_header(line, n, "User-Agent:", &skip))) {
		while (skip < n && line[skip] == ' ')
			skip++;
		keep_product(talk->seen, line + skip, n - skip, "/(- ", " )");
	}
	return n == 0 ? VERDICT_DONE : VERDICT_MORE;
}

const struct protocol protocol_sip = {
	.service = "sip",
	.ports = {5060, 5061},
	.over_tcp = true,
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
