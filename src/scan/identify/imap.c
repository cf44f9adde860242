/* IMAP (RFC 9051, RFC 3501): greeting, CAPABILITY, ID (RFC 2971), STARTTLS, LOGOUT. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_GREETING, STEP_CAPABILITY, STEP_ID, STEP_STARTTLS, STEP_LOGOUT };

struct memory {
	bool is_login_off, has_starttls;
};

static const char *const products[] = {"Dovecot",  "Cyrus IMAP", "Courier-IMAP", "UW IMAP",
				       "Exchange", "Zimbra",	 "hMailServer",	 NULL};

static enum verdict recognise(struct look *look)
{
	const char *line = (const char *)look->in;
	look->want = look->n < 5 ? 5 : WANT_LINE;
	if (!may_begin(line, look->n, "* OK ") && !may_begin(line, look->n, "* PREAUTH ") &&
	    !may_begin(line, look->n, "* BYE "))
		return VERDICT_NOT;
	return memchr(line, '\n', look->n) ? VERDICT_MINE : VERDICT_MORE;
}

/* The quoted value of @key in an ID list: ("name" "Dovecot" "version" "2.3"). */
static void read_id(const char *line, size_t n, const char *key, char *to, size_t size)
{
	const char *at = find_folded(line, n, key), *end = line + n;
	at = at ? at + strlen(key) : NULL;
	while (at && at < end && *at == ' ')
		at++;
	if (!at || at == end || *at != '"')
		return;
	const char *close = memchr(at + 1, '"', (size_t)(end - at) - 1);
	if (close)
		keep_text(to, size, at + 1, (size_t)(close - at) - 1);
}

static void note(struct talk *talk, const char *line, size_t n)
{
	struct memory *memory = (void *)talk->memory;
	struct identified *seen = talk->seen;
	memory->is_login_off |= find_folded(line, n, "LOGINDISABLED") != NULL;
	memory->has_starttls |= talk->step <= STEP_CAPABILITY && find_folded(line, n, "STARTTLS");
	const char *version = find_folded(line, n, "IMAP4rev");
	if (version && version + 9 <= line + n)
		KEEP(seen->protocol_version, version + 4, 5);
	if (talk->step == STEP_GREETING) {
		keep_named(seen, line, n, products);
		if (begins(line, n, "* PREAUTH"))
			seen->findings |= FINDING(NO_PASSWORD);
	}
	if (talk->step == STEP_ID && begins_folded(line, n, "* ID")) {
		read_id(line, n, "\"name\"", seen->product, sizeof(seen->product));
		read_id(line, n, "\"version\"", seen->version, sizeof(seen->version));
	}
}

static enum verdict converse(struct talk *talk)
{
	struct memory *memory = (void *)talk->memory;
	const char *line = (const char *)talk->in;
	static const char *const says[] = {"d1 CAPABILITY\r\n", "d2 ID NIL\r\n", "d4 STARTTLS\r\n",
					   "d3 LOGOUT\r\n"};
	static const char *const tags[] = {"* ", "d1 ", "d2 ", "d4 ", "d3 "};
	talk->want = WANT_LINE;
	if (talk->is_secured && talk->step == STEP_STARTTLS) {
		say_text(talk, says[talk->step++]);
		return VERDICT_MORE;
	}
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	size_t n = line_length(line, talk->n);
	talk->taken = talk->n;
	note(talk, line, n);
	if (talk->step == STEP_GREETING && begins(line, n, "* BYE"))
		return VERDICT_DONE;
	if (!begins(line, n, tags[talk->step]))
		return VERDICT_MORE;
	if (talk->step == STEP_LOGOUT) {
		if (!memory->is_login_off)
			mark_clear(talk);
		return VERDICT_DONE;
	}
	if (talk->step == STEP_STARTTLS && begins_folded(line, n, "d4 OK"))
		return VERDICT_TLS;
	if (talk->step == STEP_ID && (!memory->has_starttls || !may_start_tls(talk)))
		talk->step++;
	say_text(talk, says[talk->step++]);
	return VERDICT_MORE;
}

const struct protocol protocol_imap = {
	.service = "imap",
	.ports = {143, 993},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
