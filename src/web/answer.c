/* Answers: the headers that make them safe to show, refusals, files. */
#include <string.h>

#include "model/value.h"
#include "web/files.h"
#include "web/front.h"

#define POLICY                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "  \
	"font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; " \
	"frame-ancestors 'none'"

const char *answer_type(enum reply_kind kind)
{
	static const char *const types[REPLY_MAX] = {
		[REPLY_JSON] = "application/json",
		[REPLY_LINE] = "application/x-ndjson",
		[REPLY_BYTES] = "application/octet-stream",
		[REPLY_METRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
		[REPLY_NOTHING] = "application/json",
	};
	return types[kind < REPLY_MAX ? kind : REPLY_JSON];
}

static const char *const always[][2] = {
	{"Content-Security-Policy", POLICY},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

void answer_headers_put(struct evbuffer *output)
{
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		evbuffer_add_printf(output, "%s: %s\r\n", always[i][0], always[i][1]);
	evbuffer_add_printf(output, "Cache-Control: no-store\r\n");
}

void answer_headers(struct evhttp_request *request, const char *type, bool closes)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		evhttp_add_header(headers, always[i][0], always[i][1]);
	evhttp_add_header(headers, "Content-Type", type);
	if (closes)
		evhttp_add_header(headers, "Connection", "close");
}

static void put_text(struct out *out, const char *text)
{
	if (text)
		json_quote(out, text, strlen(text));
	else
		out_string(out, "null");
}

void answer_refusal(struct evhttp_request *request, const struct refusal *refusal)
{
	cleanup(out_done) struct out out = {.fd = -1};
	struct evbuffer *body = evbuffer_new();
	answer_headers(request, "application/json", true);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Cache-Control", "no-store");
	if (refusal->status == 401)
		evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate",
				  "Bearer");
	if (refusal->allow)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow",
				  refusal->allow);
	if (body && out_init(&out, -1) == 0) {
		out_string(&out, "{\"error\":{\"what\":");
		put_text(&out, refusal->what);
		out_string(&out, ",\"why\":null,\"hint\":");
		put_text(&out, refusal->hint);
		out_string(&out, ",\"at\":null}}\n");
		evbuffer_add(body, out.data, out.n);
	}
	evhttp_send_reply(request, refusal->status, NULL, body);
	if (body)
		evbuffer_free(body);
}

static const struct page_file *find_file(const char *target)
{
	size_t n = strcspn(target, "?");
	for (const struct page_file *file = page_files; file->path; file++)
		if (strlen(file->path) == n && strncmp(file->path, target, n) == 0)
			return file;
	return NULL;
}

bool answer_file(struct evhttp_request *request, const struct asked *asked)
{
	const struct page_file *file = find_file(asked->target);
	if (!file)
		return false;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const char *known = asked_header(asked, "If-None-Match");
	const char *takes = asked_header(asked, "Accept-Encoding");
	bool is_packed = takes && strstr(takes, "gzip");
	answer_headers(request, file->type, false);
	evhttp_add_header(headers, "ETag", file->etag);
	evhttp_add_header(headers, "Cache-Control", "no-cache");
	evhttp_add_header(headers, "Vary", "Accept-Encoding");
	if (known && strstr(known, file->etag)) {
		evhttp_send_reply(request, 304, NULL, NULL);
		return true;
	}
	struct evbuffer *body = evbuffer_new();
	if (is_packed)
		evhttp_add_header(headers, "Content-Encoding", "gzip");
	if (body)
		evbuffer_add_reference(body, is_packed ? file->gzip : file->bytes,
				       is_packed ? file->n_gzip : file->n, NULL, NULL);
	evhttp_send_reply(request, 200, NULL, body);
	if (body)
		evbuffer_free(body);
	return true;
}
