/* SMB 2 and 3 ([MS-SMB2] 2.2.3): a negotiate request; the dialect that the server chooses. */
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

#define HEADER 64

static const uint16_t dialects[] = {0x0202, 0x0210, 0x0300, 0x0302, 0x0311};

static void say_u16_little(struct talk *talk, uint16_t number)
{
	say_u16(talk, __builtin_bswap16(number));
}

/* Session header of 4 bytes; SMB2 header; negotiate; dialects; the one context that 3.1.1 wants. */
static void hello(struct talk *talk)
{
	static const uint8_t zero[HEADER] = {0};
	unsigned n_dialects = ARRAY_SIZE(dialects), context = HEADER + 36 + 2 * n_dialects;
	unsigned padding = (8 - context % 8) % 8;
	say_u32(talk, context + padding + 8 + 38);
	say_bytes(talk, "\xfeSMB\x40\0", 6);
	say_bytes(talk, zero, 8);
	say_u16_little(talk, 1); /* credits asked for */
	say_bytes(talk, zero, HEADER - 16);
	say_u16_little(talk, 36);
	say_u16_little(talk, (uint16_t)n_dialects);
	say_u16_little(talk, 1); /* signing is known */
	say_bytes(talk, zero, 6);
	say_bytes(talk, "doorward-scan-id", 16);
	say_u16_little(talk, (uint16_t)(context + padding));
	say_u16_little(talk, 0);
	say_u16_little(talk, 1); /* one context */
	say_u16_little(talk, 0);
	for (unsigned i = 0; i < n_dialects; i++)
		say_u16_little(talk, dialects[i]);
	say_bytes(talk, zero, padding);
	say_bytes(talk, "\1\0\x26\0\0\0\0\0\1\0\x20\0\1\0", 14); /* integrity: SHA-512, salt */
	say_bytes(talk, zero, 32);
}

static enum verdict recognise(struct look *look)
{
	look->want = 8;
	if (look->in[0] != 0)
		return VERDICT_NOT;
	if (look->n < 8)
		return VERDICT_MORE;
	return memcmp(look->in + 5, "SMB", 3) == 0 && (look->in[4] == 0xfe || look->in[4] == 0xff)
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

static enum verdict converse(struct talk *talk)
{
	char text[16];
	talk->want = 4 + HEADER + 6;
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	const uint8_t *at = talk->in + 4 + HEADER + 4;
	unsigned dialect = at[0] | at[1] << 8;
	talk->taken = talk->n;
	if (talk->in[4] != 0xfe || dialect < 0x0202 || dialect > 0x0400)
		return VERDICT_DONE;
	int n = dialect & 0xf
			? snprintf(text, sizeof(text), "%u.%u.%u", dialect >> 8, dialect >> 4 & 0xf,
				   dialect & 0xf)
			: snprintf(text, sizeof(text), "%u.%u", dialect >> 8, dialect >> 4 & 0xf);
	KEEP(talk->seen->protocol_version, text, (size_t)n);
	return VERDICT_DONE;
}

const struct protocol protocol_smb = {
	.service = "smb",
	.ports = {445, 139},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
