/* MySQL and MariaDB (client/server protocol, handshake v10). A handshake that is broken off counts
 * against its host (max_connect_errors), so it is ended: with a login that nobody has, which is
 * refused, or QUIT where it is let in. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_GREETING, STEP_TLS, STEP_LOGIN };

#define CLIENT_LONG_PASSWORD 0x1
#define CLIENT_PROTOCOL_41 0x200
#define CLIENT_SSL 0x800
#define CLIENT_SECURE_CONNECTION 0x8000
#define CLIENT_PLUGIN_AUTH 0x80000

static size_t packet_length(const uint8_t *in)
{
	return in[0] | in[1] << 8 | (size_t)in[2] << 16;
}

/* 3 bytes of length, sequence 0, then the handshake's version or an error. */
static enum verdict recognise(struct look *look)
{
	look->want = 5;
	if (look->n < 5)
		return VERDICT_MORE;
	size_t length = packet_length(look->in);
	bool is_greeting = look->in[4] == 10 && length >= 30;
	bool is_error = look->in[4] == 0xff && length >= 4;
	if (look->in[3] != 0 || length > 2048 || (!is_greeting && !is_error))
		return VERDICT_NOT;
	look->want = 4 + length;
	if (look->n < look->want)
		return VERDICT_MORE;
	return is_error || memchr(look->in + 5, 0, length - 1) ? VERDICT_MINE : VERDICT_NOT;
}

static void name_product(struct talk *talk, const char *text, size_t n)
{
	static const char *const names[] = {"MariaDB", "TiDB", "Percona", "Vitess",
					    "mysql_embedded"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (find_folded(text, n, names[i]))
			KEEP(talk->seen->product, names[i], strlen(names[i]));
}

#define FIXED 32 /* bytes of the handshake's answer that come before the user */

static void say_fixed(struct talk *talk, size_t length, uint8_t sequence, uint32_t more)
{
	uint32_t can = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION |
		       CLIENT_PLUGIN_AUTH | more;
	uint8_t fixed[FIXED] = {can & 0xff, can >> 8 & 0xff, can >> 16 & 0xff, 0, 0, 0, 0, 1, 33};
	say_bytes(talk, (uint8_t[]){length & 0xff, 0, 0, sequence}, 4);
	say_bytes(talk, fixed, sizeof(fixed));
}

static enum verdict say_login(struct talk *talk)
{
	static const char user[] = "doorward", plugin[] = "mysql_native_password";
	size_t length = FIXED + sizeof(user) + 1 + sizeof(plugin);
	say_fixed(talk, length, talk->is_secured ? 2 : 1, talk->is_secured ? CLIENT_SSL : 0);
	say_bytes(talk, user, sizeof(user));
	say_u8(talk, 0); /* no password */
	say_bytes(talk, plugin, sizeof(plugin));
	talk->step = STEP_LOGIN;
	talk->want = 4;
	return VERDICT_MORE;
}

/* It has TLS.
 * Version, NUL, thread (4), salt (8), filler (1), capabilities (2): the low half is enough. */
static bool read_greeting(struct talk *talk, size_t length)
{
	const char *text = (const char *)talk->in + 5;
	size_t n = strnlen(text, length - 1), skip = 0;
	const uint8_t *behind = (const uint8_t *)text + n + 1;
	name_product(talk, text, n);
	if (begins(text, n, "5.5.5-") && talk->seen->product[0])
		skip = 6; /* what MariaDB says to clients that look at the first number */
	KEEP(talk->seen->version, text + skip, n - skip);
	KEEP(talk->seen->protocol_version, "10", 2);
	if (n + 1 + 4 + 8 + 1 + 2 > length - 1)
		return false;
	bool has_tls = (behind[13] | behind[14] << 8) & CLIENT_SSL;
	if (!has_tls)
		mark_clear(talk);
	return has_tls;
}

static enum verdict read_login(struct talk *talk)
{
	uint8_t kind = talk->n > 4 ? talk->in[4] : 0xff;
	if (kind == 0xfe && talk->in[3] < 4) { /* another way of proof is asked for: an empty one */
		say_bytes(talk, (uint8_t[]){0, 0, 0, talk->in[3] + 1}, 4);
		talk->want = 4;
		return VERDICT_MORE;
	}
	if (kind == 0) {
		talk->seen->findings |= FINDING(NO_PASSWORD);
		say_bytes(talk, (uint8_t[]){1, 0, 0, 0, 1}, 5); /* COM_QUIT */
	}
	return VERDICT_DONE;
}

static enum verdict converse(struct talk *talk)
{
	size_t length = talk->n >= 4 ? packet_length(talk->in) : 0;
	talk->want = 4 + length;
	if (talk->step == STEP_TLS)
		return say_login(talk);
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	talk->taken = talk->want;
	if (talk->step == STEP_LOGIN)
		return read_login(talk);
	if (length < 2)
		return VERDICT_NOT;
	if (talk->in[4] == 0xff) {
		name_product(talk, (const char *)talk->in + 5, length - 1);
		return VERDICT_DONE;
	}
	if (!read_greeting(talk, length) || !may_start_tls(talk))
		return say_login(talk);
	say_fixed(talk, FIXED, 1, CLIENT_SSL); /* SSLRequest: no word comes back */
	talk->step = STEP_TLS;
	return VERDICT_TLS;
}

const struct protocol protocol_mysql = {
	.service = "mysql",
	.ports = {3306},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
