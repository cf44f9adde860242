/* MongoDB (OP_MSG): hello, buildInfo, and listDatabases, which only those may ask who are let in.
 */
#include <string.h>

#include "scan/identify/protocol.h"

#define OP_REPLY 1
#define OP_MSG 2013
#define HEADER 16
#define REQUEST 0x444f4f52

enum { STEP_HELLO, STEP_BUILD, STEP_LIST };

static void say_u32_little(struct talk *talk, uint32_t number)
{
	say_u32(talk, __builtin_bswap32(number));
}

/* {COMMAND: 1, "$db": "admin"} as the one section of a message. */
static void say_command(struct talk *talk, const char *command)
{
	uint32_t document = 4 + 1 + (uint32_t)strlen(command) + 1 + 4 + 1 + 4 + 4 + 6 + 1 + 1;
	say_u32_little(talk, HEADER + 4 + 1 + document);
	say_u32_little(talk, REQUEST);
	say_u32_little(talk, 0);
	say_u32_little(talk, OP_MSG);
	say_bytes(talk, "\0\0\0\0\0", 5); /* flags; a body */
	say_u32_little(talk, document);
	say_u8(talk, 0x10); /* int32 */
	say_bytes(talk, command, strlen(command) + 1);
	say_u32_little(talk, 1);
	say_bytes(talk, "\2$db\0\6\0\0\0admin\0", 15);
	say_u8(talk, 0);
}

static void hello(struct talk *talk)
{
	say_command(talk, "hello");
}

static enum verdict recognise(struct look *look)
{
	struct cursor cursor = cursor_of(look->in, look->n);
	look->want = HEADER;
	if (look->asked != &protocol_mongodb)
		return VERDICT_NOT;
	if (look->n < HEADER)
		return VERDICT_MORE;
	uint32_t length = get_u32_little(&cursor);
	get_u32(&cursor);
	uint32_t to = get_u32_little(&cursor), code = get_u32_little(&cursor);
	return length >= HEADER + 5 && length < 1 << 20 && to == REQUEST &&
			       (code == OP_MSG || code == OP_REPLY)
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

/* A text element: 2, its key, NUL, length, text, NUL. */
static void read_text(const struct talk *talk, const char *key, char *to, size_t size)
{
	char element[64];
	size_t n = strlen(key) + 2;
	element[0] = 2;
	memcpy(element + 1, key, n - 1);
	const uint8_t *at = memmem(talk->in, talk->n, element, n);
	if (!at)
		return;
	struct cursor cursor = cursor_of(at + n, talk->n - (size_t)(at + n - talk->in));
	uint32_t length = get_u32_little(&cursor);
	const uint8_t *text = length > 0 ? get_bytes(&cursor, length) : NULL;
	if (text)
		keep_text(to, size, text, length - 1);
}

/* "ok": 1.0, little-endian. */
static bool is_ok(const struct talk *talk)
{
	return memmem(talk->in, talk->n, "\1ok\0\0\0\0\0\0\0\xf0\x3f", 12) != NULL;
}

static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	uint32_t length = talk->n >= 4 ? get_u32_little(&cursor) : 4;
	talk->want = length;
	if (talk->n < length || talk->n < 4)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	talk->taken = length;
	talk->want = 4;
	if (talk->step == STEP_HELLO) {
		mark_clear(talk);
		say_command(talk, "buildInfo");
	} else if (talk->step == STEP_BUILD) {
		read_text(talk, "version", talk->seen->version, sizeof(talk->seen->version));
		if (is_ok(talk) && !find_text(talk->in, talk->n, "ferretdb"))
			KEEP(talk->seen->product, "MongoDB", 7);
		say_command(talk, "listDatabases");
	} else {
		if (is_ok(talk))
			talk->seen->findings |= FINDING(NO_PASSWORD);
		return VERDICT_DONE;
	}
	talk->step++;
	return VERDICT_MORE;
}

const struct protocol protocol_mongodb = {
	.service = "mongodb",
	.ports = {27017, 27018},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
