/* HTTP/1 (RFC 9112): the root first; where the server does not name itself, what the applications
 * without a name answer to. Each request is HTTP/1.0 on a connection of its own, so that no answer
 * is chunked and each ends. */
#include <ctype.h>
#include <string.h>

#include "base/numbers.h"
#include "scan/identify/http.h"

#define BODY_MAX 8192

enum { PART_STATUS, PART_HEADERS, PART_BODY };

struct memory {
	uint8_t part;
	bool has_named; /* the application is known; this asks for more of it */
	bool is_empty;	/* it said that no body follows */
	unsigned status;
	uint64_t length; /* of the body; 0 unknown */
	char server[IDENTIFIED_TEXT_MAX], api[IDENTIFIED_WORD_MAX];
};
_Static_assert(sizeof(struct memory) <= MEMORY_MAX, "it stands in a talk");

static const char *const paths[ASK_MAX] = {
	"/", "/version", "/metrics", "/pods", "/v3/kv/range", "/_ping", "/containers/json?limit=1"};

/* Without Host: Redis takes that word for an attack from a browser, and says so in its log. */
static void hello(struct talk *talk)
{
	say_text(talk, "GET / HTTP/1.0\r\n\r\n");
}

static enum verdict recognise(struct look *look)
{
	return look_begins(look, "HTTP/");
}

static enum verdict ask(struct talk *talk, enum http_ask what)
{
	static const char body[] = "{\"key\":\"AA==\"}"; /* etcd: the key of one NUL */
	struct memory *memory = (void *)talk->memory;
	memory->part = PART_STATUS;
	memory->length = 0;
	memory->is_empty = false;
	talk->step = what;
	talk->n_say = 0;
	talk->taken = talk->n;
	say_format(talk, "%s %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: doorward\r\n",
		   what == ASK_KEYS ? "POST" : "GET", paths[what], talk->place->authority);
	if (what == ASK_KEYS)
		say_format(talk, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   strlen(body));
	say_text(talk, "\r\n");
	if (what == ASK_KEYS)
		say_text(talk, body);
	return VERDICT_FRESH;
}

static bool read_application(const struct http_answer *answer, struct identified *seen)
{
	return http_read_docker(answer, seen) || http_read_etcd(answer, seen) ||
	       http_read_elasticsearch(answer, seen) || http_read_kubernetes(answer, seen) ||
	       http_read_printer(answer, seen) || http_read_proxy(answer, seen);
}

/* What is asked after an answer; ASK_MAX: nothing. Who names himself is asked no more, but for what
 * an application known already gives to strangers. */
static enum http_ask ask_next(const struct talk *talk, const struct http_answer *answer,
			      bool has_read)
{
	const struct memory *memory = (const void *)talk->memory;
	const struct identified *seen = talk->seen;
	if (has_read && strcmp(seen->service, "etcd") == 0 && talk->step == ASK_VERSION)
		return ASK_KEYS;
	if (has_read && strcmp(seen->service, "kubernetes") == 0 && talk->step == ASK_ROOT)
		return ASK_VERSION;
	if (http_may_be_engine(answer))
		return ASK_PING;
	if (talk->step == ASK_PING)
		return has_read ? ASK_CONTAINERS : ASK_VERSION;
	if (has_read || memory->has_named || memory->server[0] || talk->step >= ASK_PODS)
		return ASK_MAX;
	return talk->step + 1;
}

static enum verdict judge(struct talk *talk)
{
	struct memory *memory = (void *)talk->memory;
	struct http_answer answer = {.ask = talk->step,
				     .status = memory->status,
				     .server = memory->server,
				     .api = memory->api,
				     .body = (const char *)talk->in,
				     .n = memory->is_empty ? 0 : talk->n};
	if (find_text(answer.body, answer.n, "MongoDB over HTTP"))
		return VERDICT_NOT;
	if (talk->step == ASK_ROOT && memory->status == 400)
		talk->tls_too = true;
	bool has_read = read_application(&answer, talk->seen);
	if (has_read && strcmp(talk->seen->protocol_version, "1.1") == 0)
		talk->seen->protocol_version[0] = '\0'; /* HTTP's is not the application's */
	memory->has_named |= has_read;
	enum http_ask next = ask_next(talk, &answer, has_read);
	talk->taken = talk->n;
	return next == ASK_MAX || talk->tls_too ? VERDICT_DONE : ask(talk, next);
}

/* "HTTP/1.1 200 OK" */
static enum verdict read_status(struct talk *talk, const char *line, size_t n)
{
	struct memory *memory = (void *)talk->memory;
	const char *blank = n > 5 ? memchr(line, ' ', n) : NULL, *at = blank ? blank + 1 : NULL;
	uint64_t status = 0;
	if (!blank || !begins(line, n, "HTTP/") || blank < line + 5 ||
	    number_scan(&at, line + n, 10, &status) < 0 || status > 999)
		return talk->step == ASK_ROOT ? VERDICT_NOT : VERDICT_DONE;
	/* who answers a question of 1.0 in 1.0 has not said that it knows no more */
	if (talk->step == ASK_ROOT && !begins(line, n, "HTTP/1.0"))
		KEEP(talk->seen->protocol_version, line + 5, (size_t)(blank - line) - 5);
	memory->status = (unsigned)status;
	memory->part = PART_HEADERS;
	mark_clear(talk);
	return VERDICT_MORE;
}

static void read_server(struct talk *talk, const char *text, size_t n)
{
	struct memory *memory = (void *)talk->memory;
	KEEP(memory->server, text, n);
	if (!memory->has_named && !talk->seen->product[0])
		keep_product(talk->seen, memory->server, strlen(memory->server), "/(", " ;,()");
}

static enum verdict read_header(struct talk *talk, const char *line, size_t n)
{
	static const char server[] = "Server:", length[] = "Content-Length:",
			  api[] = "Api-Version:";
	struct memory *memory = (void *)talk->memory;
	if (begins_folded(line, n, server)) {
		read_server(talk, line + strlen(server), n - strlen(server));
	} else if (begins_folded(line, n, api)) {
		KEEP(memory->api, line + strlen(api), n - strlen(api));
	} else if (begins_folded(line, n, length)) {
		const char *at = line + strlen(length);
		while (at < line + n && *at == ' ')
			at++;
		if (number_scan(&at, line + n, 10, &memory->length) < 0)
			memory->length = 0;
		else
			memory->is_empty = memory->length == 0;
	}
	if (n > 0)
		return VERDICT_MORE;
	if (memory->is_empty)
		return judge(talk);
	memory->part = PART_BODY;
	if (talk->step != ASK_METRICS)
		talk->want =
			memory->length > 0 && memory->length < BODY_MAX ? memory->length : BODY_MAX;
	return VERDICT_MORE;
}

/* /metrics is long and what it is read for may stand anywhere: line after line, none kept. */
static enum verdict read_metrics(struct talk *talk, bool is_line)
{
	struct memory *memory = (void *)talk->memory;
	size_t n = line_length(talk->in, talk->n);
	talk->taken = talk->n;
	talk->want = WANT_LINE;
	if (is_line && http_read_metric((const char *)talk->in, n, talk->seen)) {
		memory->has_named = true;
		talk->seen->protocol_version[0] = '\0';
		return VERDICT_DONE;
	}
	return talk->ended || memory->status != 200 ? judge(talk) : VERDICT_MORE;
}

static enum verdict converse(struct talk *talk)
{
	struct memory *memory = (void *)talk->memory;
	const char *line = (const char *)talk->in;
	bool is_line = talk->n > 0 && memchr(line, '\n', talk->n);
	if (memory->part == PART_BODY && talk->step == ASK_METRICS)
		return read_metrics(talk, is_line);
	if (memory->part == PART_BODY)
		return judge(talk);
	talk->want = WANT_LINE;
	if (!is_line)
		return talk->ended && memory->part > PART_STATUS ? judge(talk)
		       : talk->ended				 ? VERDICT_DONE
								 : VERDICT_MORE;
	size_t n = line_length(line, talk->n);
	talk->taken = talk->n;
	return memory->part == PART_STATUS ? read_status(talk, line, n)
					   : read_header(talk, line, n);
}

const struct protocol protocol_http = {
	.service = "http",
	.ports = {80, 8080, 8000, 3128, 631, 9090},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};
