/* The front: from a request as it came to an answer, or to a question to the desk. */
#include <errno.h>
#include <event2/keyvalq_struct.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/module.h"
#include "web/confine.h"
#include "web/front.h"
#include "web/peer.h"

#define SLOW_FIRST_MS 250
#define SLOW_LAST_MS 8000
#define WRONG_FORGOTTEN_MS 60000

static struct guest *guest_of(struct front *front, struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct bufferevent *bufferevent =
		connection ? evhttp_connection_get_bufferevent(connection) : NULL;
	return bufferevent ? guests_find(&front->guests, bufferevent_getfd(bufferevent)) : NULL;
}

void front_forget(struct evhttp_connection *connection, void *data)
{
	struct front *front = data;
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
	if (!guests_leave(&front->guests, fd))
		event_del(front->sweeper);
}

/* ---- the request as it came ---- */

static void read_asked(struct evhttp_request *request, struct asked *ret)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	*ret = (struct asked){
		.is_get = method == EVHTTP_REQ_GET,
		.is_post = method == EVHTTP_REQ_POST,
		.target = evhttp_request_get_uri(request),
		.n_body = evbuffer_get_length(evhttp_request_get_input_buffer(request)),
	};
	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next) {
		if (ret->n_headers < ASKED_HEADERS_MAX)
			ret->headers[ret->n_headers] = (struct header){header->key, header->value};
		if (++ret->n_headers > ASKED_HEADERS_MAX)
			return;
	}
}

static void on_answered(struct evhttp_request *request, void *data)
{
	struct front *front = data;
	struct guest *guest = guest_of(front, request);
	if (!guest)
		return;
	guest->state = GUEST_WAITED_FOR;
	guest->since_ms = clock_ms();
}

/* ---- wrong tokens ---- */

struct slow {
	struct front *front;
	struct evhttp_request *request;
	struct event *event;
};

static const struct refusal unknown = {401, "the token is missing or wrong",
				       "open the address that serve printed"};

static void refuse_slow(evutil_socket_t none, short what, void *data)
{
	struct slow *slow = data;
	(void)none;
	(void)what;
	slow->front->n_slow--;
	answer_refusal(slow->request, &unknown);
	event_free(slow->event);
	free(slow);
}

/* Each wrong one in a minute waits twice as long as the one before. */
static unsigned wait_for(struct front *front)
{
	uint64_t now = clock_ms();
	if (now - front->last_wrong_ms > WRONG_FORGOTTEN_MS)
		front->wrong_in_row = 0;
	front->last_wrong_ms = now;
	unsigned n = front->wrong_in_row++, ms = SLOW_FIRST_MS << (n < 5 ? n : 5);
	return ms < SLOW_LAST_MS ? ms : SLOW_LAST_MS;
}

static void refuse_token(struct front *front, struct evhttp_request *request)
{
	static const struct refusal busy = {429, "too many came with a wrong token", NULL};
	struct slow *slow = NULL;
	unsigned ms = wait_for(front);
	front->n_wrong_tokens++;
	if (front->n_slow < SLOW_MAX)
		slow = calloc(1, sizeof(*slow));
	if (slow)
		slow->event = evtimer_new(front->base, refuse_slow, slow);
	if (!slow || !slow->event) {
		free(slow);
		answer_refusal(request, &busy);
		return;
	}
	slow->front = front;
	slow->request = request;
	front->n_slow++;
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};
	event_add(slow->event, &pause);
}

/* ---- what is asked ---- */

static void refuse(struct front *front, struct evhttp_request *request,
		   const struct refusal *refusal)
{
	front->n_refused++;
	answer_refusal(request, refusal);
}

static void ask_desk(struct front *front, struct evhttp_request *request, const struct asked *asked)
{
	struct question question;
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	const char *body = asked->n_body ? (const char *)evbuffer_pullup(input, -1) : "";
	struct refusal refusal = question_parse(asked, body ? body : "", &question);
	if (question.is_act && front->settings->is_read_only)
		refusal = (struct refusal){403, "this server was started with --read-only", NULL};
	if (refusal.status)
		refuse(front, request, &refusal);
	else
		link_ask(front, request, &question);
}

static const struct refusal get_only = {405, "that is not how it is asked for", NULL, "GET"};

static void serve_page(struct front *front, struct evhttp_request *request,
		       const struct asked *asked)
{
	static const struct refusal not_found = {404, "there is nothing of that name", NULL};
	if (strncmp(asked->target, "/api/", 5) != 0) {
		if (!asked->is_get)
			refuse(front, request, &get_only);
		else if (!answer_file(request, asked))
			refuse(front, request, &not_found);
		return;
	}
	if (!guard_knows_token(&front->page.guard, asked)) {
		refuse_token(front, request);
		return;
	}
	struct guest *guest = guest_of(front, request);
	if (guest)
		guest->is_known = true;
	ask_desk(front, request, asked);
}

static void serve_metrics(struct front *front, struct evhttp_request *request,
			  const struct asked *asked)
{
	static const struct refusal not_found = {404, "only /metrics is here", NULL};
	struct question question = {.request = {.verb = VERB_METRICS,
						.number = (uint32_t)front->n_wrong_tokens,
						.of = front->n_strangers,
						.netns = front->n_refused}};
	if (strcmp(asked->target, "/metrics") != 0)
		refuse(front, request, &not_found);
	else if (!asked->is_get)
		refuse(front, request, &get_only);
	else
		link_ask(front, request, &question);
}

static void on_request(struct evhttp_request *request, void *data)
{
	struct entrance *entrance = data;
	struct front *front = entrance->front;
	struct guest *guest = guest_of(front, request);
	struct asked asked;
	if (guest)
		guest->state = GUEST_SERVED;
	evhttp_request_set_on_complete_cb(request, on_answered, front);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), front_forget, front);
	read_asked(request, &asked);
	struct refusal refusal = guard_check(&entrance->guard, &asked);
	if (refusal.status)
		refuse(front, request, &refusal);
	else if (entrance->guard.is_metrics)
		serve_metrics(front, request, &asked);
	else
		serve_page(front, request, &asked);
}

static void on_sweep(evutil_socket_t none, short what, void *data)
{
	struct front *front = data;
	uint64_t next = guests_sweep(&front->guests, clock_ms());
	(void)none;
	(void)what;
	if (next != UINT64_MAX) /* with nobody there it sleeps */
		event_add(front->sweeper, &(struct timeval){.tv_sec = (time_t)(next / 1000 + 1)});
}

/* ---- the whole ---- */

static int open_entrances(struct front *front, struct error *err)
{
	const struct web_settings *settings = front->settings;
	front->page = (struct entrance){.front = front,
					.guard = {.settings = settings},
					.is_unix = settings->is_socket,
					.is_open_to_all = settings->is_public};
	front->metrics = (struct entrance){.front = front,
					   .guard = {.settings = settings, .is_metrics = true},
					   .is_open_to_all = true};
	int r = 0;
	if (settings->certificate)
		r = entrance_use_tls(&front->page, settings, err);
	if (r >= 0 && settings->page >= 0)
		r = entrance_open(&front->page, settings->page, err);
	if (r >= 0 && settings->metrics >= 0)
		r = entrance_open(&front->metrics, settings->metrics, err);
	if (r < 0)
		return r;
	if (front->page.http)
		evhttp_set_gencb(front->page.http, on_request, &front->page);
	if (front->metrics.http)
		evhttp_set_gencb(front->metrics.http, on_request, &front->metrics);
	return 0;
}

static int open_front(struct front *front, struct error *err)
{
	front->netlink = peer_open();
	if (front->netlink < 0)
		return error_set(err, front->netlink, "ask the kernel whose a connection is");
	front->base = event_base_new();
	if (!front->base)
		return error_set(err, -ENOMEM, "wait for connections");
	front->sweeper = evtimer_new(front->base, on_sweep, front);
	if (!front->sweeper)
		return error_set(err, -ENOMEM, "wait for connections");
	int r = link_open(front, err);
	return r < 0 ? r : open_entrances(front, err);
}

void front_close(struct front *front)
{
	entrance_close(&front->page);
	entrance_close(&front->metrics);
	link_close(front);
	if (front->sweeper)
		event_free(front->sweeper);
	if (front->base)
		event_base_free(front->base);
	closep(&front->netlink);
	free(front);
}

/* Its messages would go to standard error. */
static void be_silent(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

int front_open(const struct web_settings *settings, struct front **ret, struct error *err)
{
	struct front *front = calloc(1, sizeof(*front));
	if (!front)
		return error_set(err, -ENOMEM, "serve");
	event_set_log_callback(be_silent);
	front->settings = settings;
	front->netlink = -1;
	int r = open_front(front, err);
	if (r < 0)
		front_close(front);
	else
		*ret = front;
	return r;
}

static int run(const struct web_settings *settings, struct error *err)
{
	struct front *front = NULL;
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* for who waits to be put out */
		files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	int r = front_open(settings, &front, err);
	if (r < 0)
		return r;
	r = confine();
	if (r < 0 && r != -ENOTSUP)
		error_set(err, r, "give up what it does not need");
	else if (write(settings->ready, err, sizeof(*err)) < 0)
		r = error_set(err, -errno, "begin to serve");
	else
		r = event_base_dispatch(front->base) < 0 ? -EIO : 0;
	front_close(front);
	return r;
}

static const struct web_functions functions = {.run = run};

MODULE_DEFINE(web) = {.name = "web", .version = WEB_VERSION, .functions = &functions};
