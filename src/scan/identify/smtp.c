/* SMTP (RFC 5321): greeting, EHLO, STARTTLS (RFC 3207), QUIT. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_GREETING, STEP_EHLO, STEP_STARTTLS, STEP_QUIT };

struct memory {
	bool has_starttls;
};

static const char *const products[] = {"Exim",	 "Postfix", "Sendmail", "OpenSMTPD", "Python SMTP",
				       "Haraka", "Dovecot", "Courier",	"msmtpd",    NULL};

static enum verdict recognise(struct look *look)
{
	const char *line = (const char *)look->in;
	look->want = WANT_LINE;
	if (!may_begin(line, look->n, "220") && !may_begin(line, look->n, "554") &&
	    !may_begin(line, look->n, "421"))
		return VERDICT_NOT;
	if (look->n < 4 || (!memchr(line, '\n', look->n) && !look->ended))
		return VERDICT_MORE;
	bool is_mail = find_folded(line, look->n, "SMTP") || find_folded(line, look->n, "mail");
	bool is_files = find_folded(line, look->n, "FTP");
	if (is_mail)
		return VERDICT_MINE;
	return is_files || line[0] != '2' ? VERDICT_NOT : VERDICT_MINE;
}

static enum verdict greeted(struct talk *talk, const char *line, size_t n, int code)
{
	if (!talk->seen->product[0])
		keep_named(talk->seen, line, n, products);
	if (code == 0)
		return VERDICT_MORE;
	if (code != 220)
		return VERDICT_DONE;
	say_text(talk, "EHLO localhost\r\n");
	talk->step = STEP_EHLO;
	return VERDICT_MORE;
}

static enum verdict say_quit(struct talk *talk)
{
	say_text(talk, "QUIT\r\n");
	talk->step = STEP_QUIT;
	return VERDICT_MORE;
}

/* Who does not know EHLO and has not said that it is mail's is another. */
static enum verdict read_ehlo(struct talk *talk, const char *line, size_t n, int code)
{
	struct memory *memory = (void *)talk->memory;
	if (code >= 500 && code < 550 && !talk->seen->product[0])
		return VERDICT_NOT;
	memory->has_starttls |= find_folded(line, n, "STARTTLS") != NULL;
	if (code == 0)
		return VERDICT_MORE;
	if (code == 250 && !memory->has_starttls)
		mark_clear(talk);
	if (code != 250 || !memory->has_starttls || !may_start_tls(talk))
		return say_quit(talk);
	say_text(talk, "STARTTLS\r\n");
	talk->step = STEP_STARTTLS;
	return VERDICT_MORE;
}

static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	talk->want = WANT_LINE;
	if (talk->is_secured && talk->step == STEP_STARTTLS)
		return say_quit(talk);
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	int code = reply_code(line, talk->n);
	size_t n = line_length(line, talk->n);
	talk->taken = talk->n;
	if (code < 0 || talk->step == STEP_QUIT)
		return talk->step == STEP_GREETING ? VERDICT_NOT : VERDICT_DONE;
	if (talk->step == STEP_STARTTLS)
		return code == 220 ? VERDICT_TLS : code == 0 ? VERDICT_MORE : say_quit(talk);
	return talk->step == STEP_GREETING ? greeted(talk, line, n, code)
					   : read_ehlo(talk, line, n, code);
}

const struct protocol protocol_smtp = {
	.service = "smtp",
	.ports = {25, 587, 465, 2525},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
