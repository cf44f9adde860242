/* ZooKeeper's four letters: srvr, which is allowed unless an administrator forbade it. */
#include <string.h>

#include "scan/identify/protocol.h"

static const char said[] = "Zookeeper version: ", refused[] = "srvr is not executed because",
		  not_yet[] = "This ZooKeeper instance is not currently serving requests";

static void hello(struct talk *talk)
{
	say_text(talk, "srvr");
}

static enum verdict recognise(struct look *look)
{
	char first = (char)look->in[0];
	return look_begins(look, first == 'Z' ? said : first == 'T' ? not_yet : refused);
}

static enum verdict converse(struct talk *talk)
{
	const char *line = (const char *)talk->in;
	talk->want = WANT_LINE;
	if (!memchr(line, '\n', talk->n) && !talk->ended)
		return VERDICT_MORE;
	size_t n = line_length(line, talk->n), skip = strlen(said);
	KEEP(talk->seen->product, "ZooKeeper", 9);
	mark_clear(talk);
	if (begins(line, n, said)) {
		size_t length =
			0; /* "3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on ..." */
		while (skip + length < n && line[skip + length] != ',' &&
		       line[skip + length] != '-')
			length++;
		KEEP(talk->seen->version, line + skip, length);
	}
	talk->taken = talk->n;
	return VERDICT_DONE;
}

const struct protocol protocol_zookeeper = {
	.service = "zookeeper",
	.ports = {2181},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
