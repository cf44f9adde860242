/* Redis and those that speak like it (RESP): INFO, where that is allowed to strangers. */
#include <ctype.h>
#include <string.h>

#include "base/numbers.h"
#include "scan/identify/protocol.h"

enum { STEP_FIRST, STEP_INFO };

static void hello(struct talk *talk)
{
	say_text(talk, "INFO server\r\n");
}

/* A bulk string to our own question, an error to whatever was asked. */
static enum verdict recognise(struct look *look)
{
	const char *in = (const char *)look->in;
	static const char *const errors[] = {"-ERR ", "-NOAUTH ", "-DENIED ", "-NOPERM ",
					     "-LOADING "};
	look->want = WANT_LINE;
	if (!look->asked)
		return VERDICT_NOT;
	if (in[0] == '$' && look->asked == &protocol_redis)
		return look->n < 2		       ? VERDICT_MORE
		       : isdigit((unsigned char)in[1]) ? VERDICT_MINE
						       : VERDICT_NOT;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (may_begin(in, look->n, errors[i]))
			return look->n >= strlen(errors[i]) ? VERDICT_MINE : VERDICT_MORE;
	return VERDICT_NOT;
}

/* "key:value" of a line of INFO. */
static bool read_value(const char *in, size_t n, const char *key, char *to, size_t size)
{
	const char *at = find_text(in, n, key);
	if (!at || (at > in && at[-1] != '\n'))
		return false;
	at += strlen(key);
	keep_text(to, size, at, line_length(at, n - (size_t)(at - in)));
	return true;
}

static void read_info(struct talk *talk)
{
	const char *in = (const char *)talk->in;
	struct identified *seen = talk->seen;
	seen->findings |= FINDING(NO_PASSWORD);
	if (read_value(in, talk->n, "valkey_version:", seen->version, sizeof(seen->version)))
		KEEP(seen->product, "Valkey", 6);
	else if (read_value(in, talk->n, "redis_version:", seen->version, sizeof(seen->version)))
		KEEP(seen->product, "Redis", 5);
}

static enum verdict read_first(struct talk *talk)
{
	const char *in = (const char *)talk->in, *at = in + 1;
	uint64_t length = 0;
	mark_clear(talk);
	if (in[0] == '-') {
		if (find_text(in, talk->n, "DENIED Redis"))
			KEEP(talk->seen->product, "Redis", 5);
		say_text(talk, "QUIT\r\n");
		return VERDICT_DONE;
	}
	if (in[0] != '$' || number_scan(&at, in + talk->n, 10, &length) < 0 ||
	    length > MESSAGE_MAX - 2)
		return VERDICT_NOT;
	talk->taken = talk->n;
	talk->want = length + 2;
	talk->step = STEP_INFO;
	return VERDICT_MORE;
}

static enum verdict converse(struct talk *talk)
{
	if (talk->step == STEP_FIRST) {
		talk->want = WANT_LINE;
		if (talk->n == 0 || (!memchr(talk->in, '\n', talk->n) && !talk->ended))
			return talk->ended ? VERDICT_DONE : VERDICT_MORE;
		return read_first(talk);
	}
	read_info(talk);
	say_text(talk, "QUIT\r\n");
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_redis = {
	.service = "redis",
	.ports = {6379, 6380},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
