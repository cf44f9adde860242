/* From what a page asks, a path with its parameters or a body of JSON, to a request for the desk.
 * Pure. */
#ifndef WEB_QUESTION_H
#define WEB_QUESTION_H

#include "serve/request.h"
#include "web/guard.h"

/* How the answer is to be given, where it is not the desk's. */
enum question_kind { QUESTION_DESK, QUESTION_STREAM, QUESTION_FILE };

struct question {
	enum question_kind kind;
	bool is_act; /* --read-only has none */
	struct request request;
};

/* @body of asked->n_body bytes. A path beneath /api/ alone. */
struct refusal question_parse(const struct asked *asked, const char *body, struct question *ret);

#endif
