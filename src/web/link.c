/* The socket to the desk: requests out, replies in, each to who asked. */
#include <errno.h>
#include <string.h>

#include "web/front.h"

static struct pending *find(struct front *front, uint32_t id)
{
	struct pending *pending = &front->pending[id % PENDING_MAX];
	return pending->request && pending->id == id ? pending : NULL;
}

static void forget(struct pending *pending)
{
	if (pending->is_stream)
		pending->front->n_streams--;
	pending->request = NULL;
}

static void tell_desk(struct pending *pending, enum verb verb, uint32_t number)
{
	const struct request request = {.id = pending->id, .verb = (uint8_t)verb, .number = number};
	bufferevent_write(pending->front->desk, &request, sizeof(request));
}

/* ---- streams ---- */

/* All that was sent is with the kernel. */
static void on_drained(struct evhttp_connection *connection, void *data)
{
	struct pending *pending = data;
	(void)connection;
	if (!pending->request || !pending->n_unread)
		return;
	tell_desk(pending, VERB_READ, pending->n_unread);
	pending->n_unread = 0;
}

static void on_reader_gone(struct evhttp_connection *connection, void *data)
{
	struct pending *pending = data;
	if (connection)
		front_forget(connection, pending->front);
	if (!pending->request)
		return;
	struct evhttp_request *request = pending->request;
	tell_desk(pending, VERB_END, 0);
	forget(pending);
	evhttp_send_reply_end(request); /* it has no connection any more: this frees it */
}

/* A stream is read from rarely, which is no reason to end it; what is written must be taken. */
static void begin_stream(struct pending *pending, const struct reply *reply)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(pending->request);
	answer_headers(pending->request, answer_type(reply->kind), false);
	evhttp_add_header(evhttp_request_get_output_headers(pending->request), "Cache-Control",
			  "no-store");
	evhttp_connection_set_closecb(connection, on_reader_gone, pending);
	evhttp_send_reply_start(pending->request, 200, NULL);
	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), NULL,
				 &(struct timeval){.tv_sec = 60});
	pending->is_begun = true;
}

static void send_line(struct pending *pending, const struct reply *reply, struct evbuffer *body)
{
	if (!evhttp_request_get_connection(pending->request)) {
		on_reader_gone(NULL, pending);
		return;
	}
	if (!pending->is_begun)
		begin_stream(pending, reply);
	pending->n_unread += reply->length;
	evhttp_send_reply_chunk_with_cb(pending->request, body, on_drained, pending);
}

static void end_stream(struct pending *pending)
{
	struct evhttp_request *request = pending->request;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), front_forget,
				      pending->front);
	forget(pending);
	evhttp_send_reply_end(request);
}

/* ---- replies ---- */

static void answer(struct pending *pending, const struct reply *reply, struct evbuffer *body)
{
	struct evhttp_request *request = pending->request;
	forget(pending);
	answer_headers(request, answer_type(reply->kind), false);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Cache-Control", "no-store");
	evhttp_send_reply(request, reply->status, NULL, body);
}

static void take_reply(struct front *front, const struct reply *reply, struct evbuffer *body)
{
	struct pending *pending = find(front, reply->id);
	if (!pending)
		return; /* who asked has left */
	if (reply->kind != REPLY_LINE) {
		if (pending->is_begun)
			end_stream(pending);
		else
			answer(pending, reply, body);
		return;
	}
	send_line(pending, reply, body);
	if (reply->is_last && pending->request)
		end_stream(pending);
}

static void on_replies(struct bufferevent *desk, void *data)
{
	struct front *front = data;
	struct evbuffer *input = bufferevent_get_input(desk);
	struct reply reply;
	while (evbuffer_copyout(input, &reply, sizeof(reply)) == sizeof(reply)) {
		if (reply.length > REPLY_LENGTH_MAX) {
			event_base_loopbreak(front->base);
			return;
		}
		if (evbuffer_get_length(input) < sizeof(reply) + reply.length)
			return;
		struct evbuffer *body = evbuffer_new();
		evbuffer_drain(input, sizeof(reply));
		if (!body || evbuffer_remove_buffer(input, body, reply.length) < 0) {
			event_base_loopbreak(front->base);
			return;
		}
		take_reply(front, &reply, body);
		evbuffer_free(body);
	}
}

/* Without the desk there is nothing to serve. */
static void on_desk_gone(struct bufferevent *desk, short what, void *data)
{
	struct front *front = data;
	(void)desk;
	(void)what;
	event_base_loopbreak(front->base);
}

int link_open(struct front *front, struct error *err)
{
	evutil_make_socket_nonblocking(front->settings->desk);
	front->desk = bufferevent_socket_new(front->base, front->settings->desk, 0);
	if (!front->desk)
		return error_set(err, -ENOMEM, "ask the desk");
	bufferevent_setcb(front->desk, on_replies, NULL, on_desk_gone, front);
	bufferevent_enable(front->desk, EV_READ | EV_WRITE);
	return 0;
}

void link_close(struct front *front)
{
	if (front->desk)
		bufferevent_free(front->desk);
}

static struct pending *find_place(struct front *front)
{
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &front->pending[++front->n_asked % PENDING_MAX];
		if (!pending->request)
			return pending;
	}
	return NULL;
}

void link_ask(struct front *front, struct evhttp_request *asker, const struct question *question)
{
	static const struct refusal busy = {429, "too much is asked at once", "try again soon"};
	bool is_stream = question->kind == QUESTION_STREAM;
	struct pending *pending =
		is_stream && front->n_streams >= STREAMS_MAX ? NULL : find_place(front);
	if (!pending) {
		answer_refusal(asker, &busy);
		return;
	}
	*pending = (struct pending){
		.front = front, .request = asker, .id = front->n_asked, .is_stream = is_stream};
	front->n_streams += is_stream;
	struct request request = question->request;
	request.id = pending->id;
	bufferevent_write(front->desk, &request, sizeof(request));
}
