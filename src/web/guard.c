/* Who may ask at all. A browser can be made to ask by any page that it shows, and a name can be
 * made to mean 127.0.0.1: so Host and Origin are looked at first (DNS rebinding, CSRF), and what
 * two readers could read differently (RFC 9112, 6.3 and 11.2) is no request. */
#include <string.h>
#include <strings.h>

#include "base/numbers.h"
#include "web/guard.h"

static const struct refusal passed;

#define REFUSAL(status, what) ((struct refusal){status, what, NULL})

const char *asked_header(const struct asked *asked, const char *name)
{
	for (unsigned i = 0; i < asked->n_headers && i < ASKED_HEADERS_MAX; i++)
		if (strcasecmp(asked->headers[i].name, name) == 0)
			return asked->headers[i].value;
	return NULL;
}

static unsigned count(const struct asked *asked, const char *name)
{
	unsigned n = 0;
	for (unsigned i = 0; i < asked->n_headers && i < ASKED_HEADERS_MAX; i++)
		n += strcasecmp(asked->headers[i].name, name) == 0;
	return n;
}

/* RFC 9110, 5.6.2. */
static bool is_name(const char *name)
{
	static const char others[] = "!#$%&'*+-.^_`|~0123456789";
	for (const char *c = name; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !strchr(others, *c))
			return false;
	return *name != '\0';
}

static bool is_value(const char *value)
{
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return false;
	return true;
}

/* What one reader may take for a body and another for the next request. */
static struct refusal check_length(const struct asked *asked)
{
	const char *length = asked_header(asked, "Content-Length");
	uint64_t n = 0;
	if (count(asked, "Transfer-Encoding"))
		return REFUSAL(400, "Transfer-Encoding is not taken: say Content-Length");
	if (count(asked, "Content-Length") > 1 ||
	    (length && number_u64(length, 0, UINT32_MAX, &n) < 0))
		return REFUSAL(400, "Content-Length is not one number");
	if (asked->is_post && !length)
		return REFUSAL(400, "Content-Length is missing");
	if (!asked->is_post && n)
		return REFUSAL(400, "only a POST has a body");
	if (asked->is_post && n != asked->n_body)
		return REFUSAL(400, "the body is not as long as Content-Length says");
	return passed;
}

static struct refusal check_form(const struct asked *asked)
{
	static const char *const single[] = {"Authorization", "Content-Type"};
	if (!asked->target || asked->target[0] != '/' || !is_value(asked->target))
		return REFUSAL(400, "what is asked for begins with /");
	if (asked->n_headers > ASKED_HEADERS_MAX)
		return REFUSAL(400, "more headers than anybody needs");
	for (unsigned i = 0; i < asked->n_headers; i++)
		if (!is_name(asked->headers[i].name) || !is_value(asked->headers[i].value))
			return REFUSAL(400, "a header is not well formed");
	for (size_t i = 0; i < ARRAY_SIZE(single); i++)
		if (count(asked, single[i]) > 1)
			return REFUSAL(400, "a header is there twice");
	return check_length(asked);
}

/* ":8080" as it must be. */
static bool is_port(const char *text, uint16_t port)
{
	uint16_t n;
	if (*text != ':' || number_u16(text + 1, &n) < 0 || text[1] == '0')
		return false;
	return !port || n == port;
}

/* The letters of a name on the web have no case, but a browser asks with small ones; a name of the
 * user's own may have large ones where he gave it. */
static bool begins_with(const struct web_settings *settings, const char *text, const char *name)
{
	size_t n = strlen(name);
	return (settings->is_public ? strncasecmp(text, name, n) : strncmp(text, name, n)) == 0;
}

/* "127.0.0.1:8080": one of the names, then the port, exactly. */
static bool is_own(const struct web_settings *settings, const char *host, uint16_t port)
{
	for (unsigned i = 0; i < WEB_NAMES_MAX && settings->names[i]; i++) {
		size_t n = strlen(settings->names[i]);
		if (!begins_with(settings, host, settings->names[i]))
			continue;
		if (is_port(host + n, port))
			return true;
		/* the usual port of the scheme is not said */
		if (port == (settings->is_public ? 443 : 80) && !host[n])
			return true;
	}
	return false;
}

static bool is_own_metrics(const struct web_settings *settings, const char *host)
{
	const char *const names[] = {"127.0.0.1", "localhost", "[::1]", settings->metrics_name};
	for (size_t i = 0; i < ARRAY_SIZE(names) && names[i]; i++) {
		size_t n = strlen(names[i]);
		if (strncmp(host, names[i], n) == 0 && is_port(host + n, settings->metrics_port))
			return true;
	}
	return false;
}

static bool is_same_origin(const struct guard *guard, const char *origin, const char *host)
{
	const char *scheme = guard->settings->certificate ? "https://" : "http://";
	size_t n = strlen(scheme);
	return strncmp(origin, scheme, n) == 0 && strlen(origin + n) == strlen(host) &&
	       begins_with(guard->settings, origin + n, host);
}

/* What newer browsers say themselves of who made them ask: another site may lead here (a link), and
 * take nothing from here. */
static bool is_foreign(const struct asked *asked)
{
	const char *site = asked_header(asked, "Sec-Fetch-Site");
	const char *mode = asked_header(asked, "Sec-Fetch-Mode");
	if (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return false;
	return asked->is_post || !mode || strcmp(mode, "navigate") != 0;
}

struct refusal guard_check(const struct guard *guard, const struct asked *asked)
{
	const struct web_settings *settings = guard->settings;
	struct refusal refusal = check_form(asked);
	if (refusal.status)
		return refusal;
	const char *host = asked_header(asked, "Host"), *origin = asked_header(asked, "Origin");
	bool is_one = count(asked, "Host") == 1; /* of two each reader may take another */
	if (guard->is_metrics) {
		if (!is_one || origin ||
		    (settings->is_metrics_loopback && !is_own_metrics(settings, host)))
			return REFUSAL(403, "metrics are not for a page");
		return passed;
	}
	if (!is_one || !is_own(settings, host, settings->is_socket ? 0 : settings->port))
		return (struct refusal){
			403, "this is not the host that was asked for",
			"open the address that serve printed, through ssh -L at the same "
			"port"};
	if (origin ? count(asked, "Origin") > 1 || !is_same_origin(guard, origin, host)
		   : asked->is_post)
		return REFUSAL(403, "another page may not ask here");
	if (is_foreign(asked))
		return REFUSAL(403, "another page may not ask here");
	return passed;
}

bool guard_knows_token(const struct guard *guard, const struct asked *asked)
{
	static const char scheme[] = "Bearer ";
	const char *given = asked_header(asked, "Authorization");
	if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
		return false;
	given += sizeof(scheme) - 1;
	if (strlen(given) != WEB_TOKEN_LENGTH)
		return false;
	unsigned char differs = 0;
	for (unsigned i = 0; i < WEB_TOKEN_LENGTH; i++)
		differs |= (unsigned char)(given[i] ^ guard->settings->token[i]);
	return differs == 0;
}
