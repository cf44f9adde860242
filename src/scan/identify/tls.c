/* TLS (RFC 8446, RFC 5246), recognised by its records. The handshake itself is scan/tls/; this only
 * says that one is worth while: a plain question got a record of TLS. */
#include "scan/identify/protocol.h"

/* An alert or handshake record: its type, the legacy version 3.x, a length. */
static enum verdict recognise(struct look *look)
{
	if (look->in[0] != 0x15 && look->in[0] != 0x16)
		return VERDICT_NOT;
	look->want = 5;
	if (look->n < 5)
		return VERDICT_MORE;
	unsigned length = look->in[3] << 8 | look->in[4];
	bool is_alert = look->in[0] == 0x15;
	bool fits = is_alert ? length == 2 : length >= 4 && length <= 16384;
	return look->in[1] == 3 && look->in[2] <= 4 && fits && !look->place->is_tls ? VERDICT_MINE
										    : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_tls = {
	.service = "tls",
	.ports = {443, 8443, 993, 995, 853, 636},
	.over_tcp = true,
	.only_plain = true,
	.recognise = recognise,
	.converse = converse,
};
