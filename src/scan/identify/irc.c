/* IRC (RFC 2812): a registration, after which the server names itself (004), and QUIT. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "scan/identify/protocol.h"

static void hello(struct talk *talk)
{
	say_format(talk, "NICK d%08x\r\nUSER doorward 0 * :doorward\r\n", talk->place->number);
}

/* ":server NOTICE ...", ":server 451 ...", "ERROR :...", "NOTICE AUTH :..." */
static enum verdict recognise(struct look *look)
{
	const char *line = (const char *)look->in;
	look->want = WANT_LINE;
	if (line[0] != ':' && !may_begin(line, look->n, "ERROR :") &&
	    !may_begin(line, look->n, "NOTICE ") && !may_begin(line, look->n, "PING :"))
		return VERDICT_NOT;
	if (!memchr(line, '\n', look->n))
		return VERDICT_MORE;
	if (line[0] != ':')
		return VERDICT_MINE;
	const char *word = memchr(line, ' ', look->n);
	size_t left = word ? look->n - (size_t)(word - line) : 0;
	bool is_number = left > 5 && isdigit((unsigned char)word[1]) &&
			 isdigit((unsigned char)word[2]) && isdigit((unsigned char)word[3]) &&
			 word[4] == ' ';
	return is_number || begins(word ? word : "", left, " NOTICE ") ? VERDICT_MINE : VERDICT_NOT;
}

/* The @number-th word, from 0. */
static const char *word_of(const char *line, size_t n, unsigned number, size_t *ret)
{
	const char *end = line + n;
	for (; line < end; number--) {
		const char *blank = memchr(line, ' ', (size_t)(end - line));
		const char *stop = blank ? blank : end;
		*ret = (size_t)(stop - line);
		if (number == 0)
			return line;
		line = blank ? blank + 1 : end;
	}
	*ret = 0;
	return "";
}

static enum verdict quit(struct talk *talk)
{
	say_text(talk, "QUIT :bye\r\n");
	mark_clear(talk);
	return VERDICT_DONE;
}

static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	size_t length = 0;
	talk->want = WANT_LINE;
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? quit(talk) : VERDICT_MORE;
	size_t n = line_length(line, talk->n);
	talk->taken = talk->n;
	if (begins(line, n, "PING ")) {
		say_text(talk, "PONG ");
		say_bytes(talk, line + 5, n - 5 < 200 ? n - 5 : 200);
		say_text(talk, "\r\n");
		return VERDICT_MORE;
	}
	const char *code = word_of(line, n, 1, &length);
	if (length == 3 && memcmp(code, "004", 3) == 0) {
		const char *version = word_of(line, n, 4, &length);
		keep_product(talk->seen, version, length, "-", NULL);
		return quit(talk);
	}
	bool is_refused = length == 3 && (code[0] == '4' || code[0] == '5') &&
			  memcmp(code, "451", 3) != 0 && memcmp(code, "422", 3) != 0;
	return is_refused || begins(line, n, "ERROR") ? quit(talk) : VERDICT_MORE;
}

const struct protocol protocol_irc = {
	.service = "irc",
	.ports = {6667, 6697, 6668},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
