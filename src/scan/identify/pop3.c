/* POP3 (RFC 1939, CAPA by RFC 2449, STLS by RFC 2595): greeting, CAPA, STLS, QUIT. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_GREETING, STEP_CAPABILITIES, STEP_LIST, STEP_STLS, STEP_QUIT };

struct memory {
	bool has_stls;
};

static const char *const products[] = {"Dovecot", "Cyrus POP3", "Courier",
				       "Qpopper", "Exchange",	NULL};

static enum verdict recognise(struct look *look)
{
	const char *line = (const char *)look->in;
	look->want = WANT_LINE;
	if (look->asked == &protocol_redis || !may_begin(line, look->n, "+OK"))
		return VERDICT_NOT;
	return memchr(line, '\n', look->n) ? VERDICT_MINE : VERDICT_MORE;
}

static enum verdict say_quit(struct talk *talk)
{
	say_text(talk, "QUIT\r\n");
	talk->step = STEP_QUIT;
	return VERDICT_MORE;
}

/* A list that offers a password without TLS says so with USER or SASL PLAIN. */
static void note(struct talk *talk, const char *line, size_t n)
{
	static const char implementation[] = "IMPLEMENTATION ";
	struct memory *memory = (void *)talk->memory;
	size_t skip = strlen(implementation);
	memory->has_stls |= n == 4 && begins_folded(line, n, "STLS");
	if (begins_folded(line, n, implementation))
		keep_product(talk->seen, line + skip, n - skip, " -/", NULL);
	if (begins_folded(line, n, "USER") ||
	    (begins_folded(line, n, "SASL") && find_folded(line, n, "PLAIN")))
		mark_clear(talk);
}

static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	const struct memory *memory = (const void *)talk->memory;
	talk->want = WANT_LINE;
	if (talk->is_secured && talk->step == STEP_STLS)
		return say_quit(talk);
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	size_t n = line_length(line, talk->n);
	talk->taken = talk->n;
	switch (talk->step) {
	case STEP_GREETING:
		keep_named(talk->seen, line, n, products);
		KEEP(talk->seen->protocol_version, "3", 1);
		say_text(talk, "CAPA\r\n");
		talk->step = STEP_CAPABILITIES;
		return VERDICT_MORE;
	case STEP_CAPABILITIES:
		talk->step = STEP_LIST;
		return begins(line, n, "+OK") ? VERDICT_MORE : say_quit(talk);
	case STEP_LIST:
		note(talk, line, n);
		if (n != 1 || line[0] != '.')
			return VERDICT_MORE;
		if (!memory->has_stls || !may_start_tls(talk))
			return say_quit(talk);
		say_text(talk, "STLS\r\n");
		talk->step = STEP_STLS;
		return VERDICT_MORE;
	case STEP_STLS:
		return begins(line, n, "+OK") ? VERDICT_TLS : say_quit(talk);
	default:
		return VERDICT_DONE;
	}
}

const struct protocol protocol_pop3 = {
	.service = "pop3",
	.ports = {110, 995},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
