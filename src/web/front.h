/* The front's own state, shared by the files of web/ alone. */
#ifndef WEB_FRONT_H
#define WEB_FRONT_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "serve/request.h"
#include "web/guard.h"
#include "web/guests.h"
#include "web/question.h"

#define PENDING_MAX 256
#define STREAMS_MAX 64
#define SLOW_MAX 8 /* wrong tokens that are made to wait; more are refused at once */

struct front;

/* What was asked of the desk and is not answered yet. */
struct pending {
	struct front *front;
	struct evhttp_request *request; /* NULL: the place is free */
	uint32_t id;
	bool is_stream, is_begun;
	uint32_t n_unread; /* bytes of a stream that the reader has not taken */
};

/* One address at which is listened. */
struct entrance {
	struct front *front;
	struct evhttp *http;
	struct guard guard;
	bool is_unix, is_open_to_all; /* all: of --metrics and --listen */
	void *tls;		      /* SSL_CTX; NULL: none */
};

struct front {
	const struct web_settings *settings;
	struct event_base *base;
	struct bufferevent *desk;
	struct event *sweeper;
	struct entrance page, metrics;
	struct guests guests;
	struct pending pending[PENDING_MAX];
	uint32_t n_asked; /* ids are given in order */
	unsigned n_streams, n_slow;
	uint64_t n_wrong_tokens, n_strangers, n_refused, last_wrong_ms;
	unsigned wrong_in_row;
	int netlink; /* to ask whose a connection is */
};

/* ---- front.c ---- */

/* Listens; what comes is served by the loop of front->base. @settings are borrowed. 0 or negative
 * errno with @err told. */
int front_open(const struct web_settings *settings, struct front **ret, struct error *err);
void front_close(struct front *front);
/* Of evhttp_connection_set_closecb: with nobody there it is not woken once more. */
void front_forget(struct evhttp_connection *connection, void *front);

/* ---- entrance.c ---- */

/* Listens at @fd (bound, listening). 0 or negative errno with @err told. */
int entrance_open(struct entrance *entrance, int fd, struct error *err);
void entrance_close(struct entrance *entrance);
/* Certificate and key of the user. 0 or negative errno with @err told. */
int entrance_use_tls(struct entrance *entrance, const struct web_settings *settings,
		     struct error *err);

/* ---- answer.c ---- */

/* The headers that every answer has. @closes: the connection ends with it. */
void answer_headers(struct evhttp_request *request, const char *type, bool closes);
/* The same as bytes, among the headers of an answer that is being written. */
void answer_headers_put(struct evbuffer *output);
void answer_refusal(struct evhttp_request *request, const struct refusal *refusal);
/* A file that is compiled in; false: there is none of that path. */
bool answer_file(struct evhttp_request *request, const struct asked *asked);
const char *answer_type(enum reply_kind kind);

/* ---- link.c ---- */

/* 0 or negative errno with @err told. */
int link_open(struct front *front, struct error *err);
/* Asks the desk; the answer goes to @asker. */
void link_ask(struct front *front, struct evhttp_request *asker, const struct question *question);
void link_close(struct front *front);

#endif
