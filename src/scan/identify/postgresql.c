/* PostgreSQL (frontend/backend protocol 3.0): SSLRequest, then a startup message. Its version is
 * told only to who is let in. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_SSL, STEP_STARTUP };
#define SSL_REQUEST 80877103
#define PROTOCOL_3 (3 << 16)

static void hello(struct talk *talk)
{
	say_u32(talk, 8);
	say_u32(talk, SSL_REQUEST);
}

/* One byte to our own question; or an error message: 'E', length, 'S' and a severity. */
static enum verdict recognise(struct look *look)
{
	uint8_t first = look->in[0];
	if (look->asked == &protocol_postgresql && (first == 'S' || first == 'N'))
		return VERDICT_MINE; /* what follows is looked at again */
	look->want = 10;
	if (first != 'E')
		return VERDICT_NOT;
	if (look->n < 10)
		return VERDICT_MORE;
	bool is_short = look->in[1] == 0 && look->in[2] == 0 && look->in[3] < 8;
	return is_short && look->in[5] == 'S' &&
			       (memcmp(look->in + 6, "FATA", 4) == 0 ||
				memcmp(look->in + 6, "ERRO", 4) == 0)
		       ? VERDICT_MINE
		       : VERDICT_NOT;
}

static enum verdict say_startup(struct talk *talk)
{
	static const char words[] = "user\0postgres\0database\0postgres\0";
	say_u32(talk, 4 + 4 + sizeof(words));
	say_u32(talk, PROTOCOL_3);
	say_bytes(talk, words, sizeof(words));
	talk->taken = talk->is_secured ? 0 : 1;
	talk->step = STEP_STARTUP;
	talk->want = 5;
	return VERDICT_MORE;
}

static enum verdict say_end(struct talk *talk)
{
	say_bytes(talk, "X\0\0\0\4", 5); /* Terminate */
	return VERDICT_DONE;
}

/* ParameterStatus: name, NUL, value, NUL. */
static void read_parameter(struct talk *talk, const char *text, size_t n)
{
	static const char name[] = "server_version";
	if (n > sizeof(name) && memcmp(text, name, sizeof(name)) == 0) {
		KEEP(talk->seen->product, "PostgreSQL", 10);
		KEEP(talk->seen->version, text + sizeof(name),
		     strnlen(text + sizeof(name), n - sizeof(name)));
	}
}

static enum verdict read_message(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n);
	uint32_t kind = get_u8(&cursor), length = get_u32(&cursor);
	talk->want = length >= 4 ? 1 + (size_t)length : 5;
	if (talk->n < 5 || (talk->n < talk->want && length >= 4))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	if (length < 4 || !strchr("RESKZNv", (int)kind) || !kind)
		return talk->step == STEP_STARTUP && !talk->seen->product[0] ? VERDICT_NOT
									     : VERDICT_DONE;
	size_t n = length - 4;
	talk->taken = talk->want;
	talk->want = 5;
	KEEP(talk->seen->protocol_version, "3.0", 3);
	if (kind == 'E')
		return VERDICT_DONE;
	if (kind == 'R' && get_u32(&cursor) != 0)
		return say_end(talk);
	if (kind == 'R')
		talk->seen->findings |= FINDING(NO_PASSWORD);
	if (kind == 'S')
		read_parameter(talk, (const char *)cursor.at, n);
	return kind == 'Z' ? say_end(talk) : VERDICT_MORE;
}

static enum verdict converse(struct talk *talk)
{
	if (talk->step == STEP_SSL && talk->is_secured)
		return say_startup(talk);
	if (talk->step == STEP_SSL && talk->n > 0) {
		if (talk->in[0] == 'S') { /* it goes on inside TLS */
			talk->taken = 1;
			return talk->place->can_tls ? VERDICT_TLS : VERDICT_DONE;
		}
		if (talk->in[0] == 'N') {
			mark_clear(talk);
			return say_startup(talk);
		}
	}
	return read_message(talk);
}

const struct protocol protocol_postgresql = {
	.service = "postgresql",
	.ports = {5432, 5433},
	.over_tcp = true,
	.only_plain = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
