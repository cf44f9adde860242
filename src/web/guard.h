/* Who may ask at all: looked at before anything is done with a request. Pure. */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "web/web.h"

#define ASKED_HEADERS_MAX 64

struct header {
	const char *name, *value;
};

/* A request as it came. */
struct asked {
	bool is_post, is_get; /* neither: another method */
	const char *target;   /* "/api/fields?x=y" */
	struct header headers[ASKED_HEADERS_MAX];
	unsigned n_headers; /* one more than there is room for: too many */
	size_t n_body;
};

struct guard {
	const struct web_settings *settings;
	bool is_metrics; /* the address of --metrics: nothing else is there, and no token */
};

/* What is answered to who may not. */
struct refusal {
	int status;	   /* of HTTP; 0: he may */
	const char *what;  /* a sentence; constant */
	const char *hint;  /* or NULL */
	const char *allow; /* of 405: how it may be asked for */
};

/* The form of it, Host and Origin: what everybody must have right, before routing. */
struct refusal guard_check(const struct guard *guard, const struct asked *asked);

/* The token, in a time that does not tell how much of it was right. */
bool guard_knows_token(const struct guard *guard, const struct asked *asked);

/* The one header of that name (case does not matter); NULL where there is none. */
const char *asked_header(const struct asked *asked, const char *name);

#endif
