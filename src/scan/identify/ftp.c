/* FTP (RFC 959, features by RFC 2389, TLS by RFC 4217): greeting, FEAT, AUTH TLS, an anonymous
 * login, QUIT. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_GREETING, STEP_FEATURES, STEP_AUTH, STEP_USER, STEP_PASSWORD, STEP_QUIT };

struct memory {
	bool has_tls, is_last;
};

static const char *const products[] = {
	"vsFTPd", "ProFTPD", "Pure-FTPd", "FileZilla Server", "pyftpdlib", "Microsoft FTP Service",
	"bftpd",  NULL};

static enum verdict recognise(struct look *look)
{
	const char *line = (const char *)look->in;
	look->want = WANT_LINE;
	if (!may_begin(line, look->n, "220"))
		return VERDICT_NOT;
	if (look->n < 4 || (!memchr(line, '\n', look->n) && !look->ended))
		return VERDICT_MORE;
	return VERDICT_MINE;
}

static void say_next(struct talk *talk, unsigned step, const char *text)
{
	talk->step = step;
	say_text(talk, text);
}

static enum verdict after(struct talk *talk, int code)
{
	const struct memory *memory = (const void *)talk->memory;
	switch (talk->step) {
	case STEP_GREETING:
		say_next(talk, STEP_FEATURES, "FEAT\r\n");
		break;
	case STEP_FEATURES:
		if (!memory->has_tls)
			mark_clear(talk);
		if (memory->has_tls && may_start_tls(talk))
			say_next(talk, STEP_AUTH, "AUTH TLS\r\n");
		else
			say_next(talk, STEP_USER, "USER anonymous\r\n");
		break;
	case STEP_AUTH:
		if (code == 234)
			return VERDICT_TLS;
		say_next(talk, STEP_USER, "USER anonymous\r\n");
		break;
	case STEP_USER:
		if (code == 331)
			say_next(talk, STEP_PASSWORD, "PASS doorward@\r\n");
		else
			say_next(talk, STEP_QUIT, "QUIT\r\n");
		if (code == 230)
			talk->seen->findings |= FINDING(NO_PASSWORD);
		break;
	case STEP_PASSWORD:
		if (code == 230)
			talk->seen->findings |= FINDING(NO_PASSWORD);
		say_next(talk, STEP_QUIT, "QUIT\r\n");
		break;
	default:
		return VERDICT_DONE;
	}
	return VERDICT_MORE;
}

/* Lines without a code stand between the first "211-" and the last "211 ". */
static enum verdict converse(struct talk *talk)
{
	struct memory *memory = (void *)talk->memory;
	const char *line = (const char *)talk->in;
	talk->want = WANT_LINE;
	if (talk->is_secured && talk->step == STEP_AUTH) {
		say_next(talk, STEP_USER, "USER anonymous\r\n");
		return VERDICT_MORE;
	}
	if (talk->n == 0 || (!memchr(line, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	size_t n = line_length(line, talk->n);
	int code = reply_code(line, talk->n);
	talk->taken = talk->n;
	if (talk->step == STEP_GREETING && !talk->seen->product[0])
		keep_named(talk->seen, line, n, products);
	if (talk->step == STEP_FEATURES)
		memory->has_tls |=
			find_folded(line, n, "AUTH TLS") || find_folded(line, n, "AUTH SSL");
	return code <= 0 ? VERDICT_MORE : after(talk, code);
}

const struct protocol protocol_ftp = {
	.service = "ftp",
	.ports = {21, 990, 2121},
	.over_tcp = true,
	.recognise = recognise,
	.converse = converse,
};
