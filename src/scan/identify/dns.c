/* DNS (RFC 1035): version.bind in class CH, over TCP behind a length of 2 bytes. BIND says a number
 * only; who its authors are tells whether it is BIND's. */
#include <ctype.h>
#include <string.h>

#include "scan/identify/protocol.h"

#define ID 0x444f /* "DO" */
#define HEADER 12
#define TXT 16
#define CHAOS 3

#define SERVER_FAILURE 2 /* RFC 1035, 4.1.1 */

enum { STEP_VERSION, STEP_AUTHORS };

static const char version_name[] = "\7version\4bind", authors_name[] = "\7authors\4bind";

/* OPT (RFC 6891): 4,096 bytes may come. BIND's authors do not fit into 512, and come in any order.
 */
static const char edns[] = "\0\0\x29\x10\0\0\0\0\0\0\0";

static void say_question(struct talk *talk, const char *name, size_t n)
{
	if (!talk->place->is_udp)
		say_u16(talk, (uint16_t)(HEADER + n + 4 + sizeof(edns) - 1));
	say_u16(talk, ID);
	/* a standard query, one question, one record more */
	say_bytes(talk, "\0\0\0\1\0\0\0\0\0\1", 10);
	say_bytes(talk, name, n);
	say_u16(talk, TXT);
	say_u16(talk, CHAOS);
	say_bytes(talk, edns, sizeof(edns) - 1);
}

static void hello(struct talk *talk)
{
	say_question(talk, version_name, sizeof(version_name));
}

static enum verdict recognise(struct look *look)
{
	size_t skip = look->place->is_udp ? 0 : 2;
	struct cursor cursor = cursor_of(look->in, look->n);
	look->want = skip + HEADER;
	if (look->asked != &protocol_dns)
		return VERDICT_NOT;
	if (look->n < look->want)
		return look->ended ? VERDICT_NOT : VERDICT_MORE;
	uint32_t length = skip ? get_u16(&cursor) : HEADER;
	uint32_t id = get_u16(&cursor), flags = get_u16(&cursor), questions = get_u16(&cursor);
	/* an answer, to a standard query; of 0 or 1 questions */
	return length >= HEADER && id == ID && (flags & 0xf800) == 0x8000 && questions <= 1
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

/* Behind a name: labels, or a pointer that ends it. */
static void skip_name(struct cursor *cursor)
{
	while (!cursor->is_short) {
		uint32_t n = get_u8(cursor);
		if (n == 0)
			return;
		if ((n & 0xc0) == 0xc0) {
			get_u8(cursor);
			return;
		}
		get_bytes(cursor, n);
	}
}

/* The texts of the answer's first TXT record; NULL: none. */
static const uint8_t *find_text_record(struct cursor *cursor, size_t *n)
{
	get_u32(cursor);
	uint32_t questions = get_u16(cursor), answers = get_u16(cursor);
	get_u32(cursor);
	for (uint32_t i = 0; i < questions && !cursor->is_short; i++) {
		skip_name(cursor);
		get_u32(cursor);
	}
	for (uint32_t i = 0; i < answers && !cursor->is_short; i++) {
		skip_name(cursor);
		uint32_t kind = get_u16(cursor);
		get_u16(cursor);
		get_u32(cursor);
		uint32_t length = get_u16(cursor);
		const uint8_t *data = get_bytes(cursor, length);
		if (data && kind == TXT && length > 0) {
			*n = data[0] < length ? data[0] : length - 1;
			return data + 1;
		}
	}
	return NULL;
}

static enum verdict read_version(struct talk *talk, const char *text, size_t n)
{
	if (n == 0)
		return VERDICT_DONE;
	if (!isdigit((unsigned char)text[0])) {
		keep_product(talk->seen, text, n, "- /", " ");
		if (!talk->seen->version[0]) /* whatever an administrator wrote there */
			talk->seen->product[0] = '\0';
		return VERDICT_DONE;
	}
	KEEP(talk->seen->version, text, n);
	say_question(talk, authors_name, sizeof(authors_name));
	talk->step = STEP_AUTHORS;
	return VERDICT_FRESH;
}

static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	size_t skip = talk->place->is_udp ? 0 : 2, n = 0;
	talk->want = skip + HEADER;
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	if (skip) {
		talk->want = skip + get_u16(&cursor);
		if (talk->n < talk->want && !talk->ended)
			return VERDICT_MORE;
	} else if (!talk->ended) {
		return talk->want = talk->n + 1, VERDICT_MORE;
	}
	if (talk->step == STEP_VERSION && (talk->in[skip + 3] & 15) == SERVER_FAILURE) {
		talk->taken = talk->n;
		return VERDICT_AGAIN; /* BIND, from when its socket is there until its zones are */
	}
	const char *text = (const char *)find_text_record(&cursor, &n);
	talk->taken = talk->n;
	if (talk->step == STEP_VERSION)
		return text ? read_version(talk, text, n) : VERDICT_DONE;
	static const char *const authors[] = {"Mark Andrews", "Bob Halley", "Michael Graff"};
	for (size_t i = 0; i < ARRAY_SIZE(authors); i++)
		if (find_text(talk->in, talk->n, authors[i]))
			KEEP(talk->seen->product, "BIND", 4);
	return VERDICT_DONE;
}

const struct protocol protocol_dns = {
	.service = "dns",
	.ports = {53, 853},
	.over_tcp = true,
	.over_udp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
