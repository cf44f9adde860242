/* RFB, of VNC (RFC 6143): version, kinds of security; where "None" is one, it is taken, so that the
 * server does not count a handshake that failed. */
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_VERSION, STEP_KINDS, STEP_RESULT, STEP_CHOSEN };
#define SECURITY_NONE 1
#define SECURITY_REFUSED 0 /* and why */

static enum verdict recognise(struct look *look)
{
	look->want = 12;
	if (!may_begin(look->in, look->n, "RFB "))
		return VERDICT_NOT;
	if (look->n < 12)
		return VERDICT_MORE;
	return look->in[7] == '.' && look->in[11] == '\n' ? VERDICT_MINE : VERDICT_NOT;
}

/* "RFB 003.008\n" */
static enum verdict read_version(struct talk *talk)
{
	unsigned major = 0, minor = 0;
	char text[13];
	talk->want = 12;
	if (talk->n < 12)
		return talk->ended ? VERDICT_NOT : VERDICT_MORE;
	memcpy(text, talk->in, 12);
	text[12] = '\0';
	if (sscanf(text, "RFB %3u.%3u", &major, &minor) != 2)
		return VERDICT_NOT;
	int n = snprintf(text, sizeof(text), "%u.%u", major % 1000, minor % 1000);
	KEEP(talk->seen->protocol_version, text, (size_t)n);
	talk->taken = 12;
	mark_clear(talk);
	if (major != 3)
		return VERDICT_DONE;
	if (minor < 7) { /* the server chooses the kind */
		say_text(talk, "RFB 003.003\n");
		talk->step = STEP_CHOSEN;
		talk->want = 4;
		return VERDICT_MORE;
	}
	say_text(talk, minor == 7 ? "RFB 003.007\n" : "RFB 003.008\n");
	talk->step = STEP_KINDS;
	talk->want = 1;
	return VERDICT_MORE;
}

static enum verdict read_kinds(struct talk *talk)
{
	size_t n = talk->n > 0 ? talk->in[0] : 0;
	talk->want = 1 + n;
	if (talk->n == 0 || talk->n < 1 + n)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	if (n == 0 || !memchr(talk->in + 1, SECURITY_NONE, n))
		return VERDICT_DONE;
	talk->seen->findings |= FINDING(NO_PASSWORD);
	say_u8(talk, SECURITY_NONE);
	talk->taken = 1 + n;
	talk->step = STEP_RESULT;
	talk->want = 4;
	return VERDICT_MORE;
}

/* The one kind that a server of version 3.3 has chosen. Who turns us away says 3.3 for that alone,
 * so that any client may read why: what version it speaks else is not known. */
static enum verdict read_chosen(struct talk *talk)
{
	talk->want = 4;
	if (talk->n < 4)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	uint32_t kind = (uint32_t)talk->in[0] << 24 | (uint32_t)talk->in[1] << 16 |
			(uint32_t)talk->in[2] << 8 | talk->in[3];
	if (kind == SECURITY_NONE)
		talk->seen->findings |= FINDING(NO_PASSWORD);
	if (kind == SECURITY_REFUSED)
		memset(talk->seen->protocol_version, 0, sizeof(talk->seen->protocol_version));
	return VERDICT_DONE;
}

static enum verdict converse(struct talk *talk)
{
	if (talk->step == STEP_VERSION)
		return read_version(talk);
	if (talk->step == STEP_CHOSEN)
		return read_chosen(talk);
	return talk->step == STEP_KINDS ? read_kinds(talk) : VERDICT_DONE;
}

const struct protocol protocol_vnc = {
	.service = "vnc",
	.ports = {5900, 5901, 5902},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
