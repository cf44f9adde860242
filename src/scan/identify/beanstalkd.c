/* beanstalkd (protocol.txt): stats, whose YAML has the version. */
#include <ctype.h>
#include <string.h>

#include "base/numbers.h"
#include "scan/identify/protocol.h"

static const char unknown[] = "UNKNOWN_COMMAND\r\n";

static void hello(struct talk *talk)
{
	say_text(talk, "stats\r\n");
}

static enum verdict recognise(struct look *look)
{
	if (look->in[0] == 'U')
		return look_begins(look, unknown);
	look->want = 4;
	if (look->asked != &protocol_beanstalkd || !may_begin(look->in, look->n, "OK "))
		return VERDICT_NOT;
	if (look->n < 4)
		return VERDICT_MORE;
	return isdigit(look->in[3]) ? VERDICT_MINE : VERDICT_NOT;
}

static void read_version(struct talk *talk)
{
	static const char key[] = "\nversion: ";
	const char *in = (const char *)talk->in, *at = find_text(in, talk->n, key);
	if (!at)
		return;
	at += strlen(key);
	size_t n = line_length(at, talk->n - (size_t)(at - in));
	if (n > 1 && at[0] == '"' && at[n - 1] == '"')
		at++, n -= 2;
	KEEP(talk->seen->product, "beanstalkd", 10);
	KEEP(talk->seen->version, at, n);
	talk->seen->findings |= FINDING(NO_PASSWORD);
}

static enum verdict converse(struct talk *talk)
{
	const char *in = (const char *)talk->in, *at = in + 3;
	uint64_t length = 0;
	talk->want = WANT_LINE;
	if (talk->step == 1) {
		read_version(talk);
		say_text(talk, "quit\r\n");
		talk->taken = talk->n;
		return VERDICT_DONE;
	}
	if (talk->n < 4 || (!memchr(in, '\n', talk->n) && !talk->ended))
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	mark_clear(talk);
	if (!begins(in, talk->n, "OK ") || number_scan(&at, in + talk->n, 10, &length) < 0 ||
	    length > MESSAGE_MAX - 3)
		return VERDICT_NOT;
	talk->taken = talk->n - 1; /* the newline stays, so that each key begins behind one */
	talk->want = 1 + length;
	talk->step = 1;
	return VERDICT_MORE;
}

const struct protocol protocol_beanstalkd = {
	.service = "beanstalkd",
	.ports = {11300},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
