/* NTP (RFC 5905): a client's packet; then READVAR of mode 6 (RFC 9327), which few give to
 * strangers.
 */
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

#define PACKET 48
#define CONTROL 6
enum { STEP_TIME, STEP_VARIABLES };

static const char stamp[] = "DOORWARD"; /* our transmit time, which comes back as its origin */

static void hello(struct talk *talk)
{
	static const uint8_t packet[PACKET - 8] = {4 << 3 | 3};
	say_bytes(talk, packet, sizeof(packet));
	say_bytes(talk, stamp, 8);
}

static enum verdict recognise(struct look *look)
{
	look->want = PACKET;
	if ((look->in[0] & 7) != 4)
		return VERDICT_NOT;
	if (look->n < PACKET)
		return look->ended ? VERDICT_NOT : VERDICT_MORE;
	return memcmp(look->in + 24, stamp, 8) == 0 ? VERDICT_MINE : VERDICT_NOT;
}

/* version="ntpd 4.2.8p15@1.3728-o ..." */
static void read_variables(struct talk *talk)
{
	static const char key[] = "version=\"";
	const char *in = (const char *)talk->in, *at = find_text(in, talk->n, key);
	if (!at || talk->n < 12 || (talk->in[0] & 7) != CONTROL)
		return;
	at += strlen(key);
	size_t left = talk->n - (size_t)(at - in);
	const char *end = memchr(at, '"', left);
	keep_product(talk->seen, at, end ? (size_t)(end - at) : left, " ", " @");
}

static enum verdict converse(struct talk *talk)
{
	char text[8];
	if (talk->step == STEP_VARIABLES) {
		talk->want = talk->n + 1;
		if (!talk->ended)
			return VERDICT_MORE;
		read_variables(talk);
		return VERDICT_DONE;
	}
	talk->want = PACKET;
	if (talk->n < PACKET)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	int n = snprintf(text, sizeof(text), "%u", talk->in[0] >> 3 & 7u);
	KEEP(talk->seen->protocol_version, text, (size_t)n);
	talk->taken = talk->n;
	say_bytes(talk, "\x16\2\0\1\0\0\0\0\0\0\0\0", 12); /* READVAR, of the system */
	talk->step = STEP_VARIABLES;
	return VERDICT_FRESH;
}

const struct protocol protocol_ntp = {
	.service = "ntp",
	.ports = {123},
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
