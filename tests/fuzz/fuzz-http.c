/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever comes over HTTP, through the real front with evhttp: bytes on a connection, read until
 * it is closed. What the desk is asked must be valid, and only who has the token asks. A second
 * byte string, where the first ends with a byte 0, comes later on the same connection. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "web/front.h"

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TURNS 40

static struct web_settings settings = {.desk = -1,
				       .ready = -1,
				       .page = -1,
				       .metrics = -1,
				       .is_socket = true,
				       .token = TOKEN,
				       .names = {"127.0.0.1", "localhost"}};
static struct front *front;
static struct sockaddr_un address;
static socklen_t address_length = sizeof(address);
static int desk = -1;

static void open_front(void)
{
	int ends[2];
	signal(SIGPIPE, SIG_IGN);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un any = {.sun_family = AF_UNIX}; /* the kernel chooses an abstract name */
	int r = bind(listener, (struct sockaddr *)&any, sizeof(any.sun_family));
	assert(r == 0);
	r = listen(listener, 8);
	assert(r == 0);
	r = getsockname(listener, (struct sockaddr *)&address, &address_length);
	assert(r == 0);
	r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	assert(r == 0);
	settings.page = listener;
	settings.desk = ends[0];
	settings.uid = geteuid();
	desk = ends[1];
	r = front_open(&settings, &front, NULL);
	assert(r == 0);
}

/* As it is said: without the byte 0 in the middle. */
static bool has_token(const uint8_t *data, size_t n)
{
	const uint8_t *middle = n ? memchr(data, '\0', n) : NULL;
	size_t first = middle ? (size_t)(middle - data) : n;
	uint8_t *said = malloc(n + 1);
	assert(said);
	memcpy(said, data, first);
	if (middle)
		memcpy(said + first, middle + 1, n - first - 1);
	bool found = memmem(said, middle ? n - 1 : n, TOKEN, sizeof(TOKEN) - 1);
	free(said);
	return found;
}

/* Answers all that the desk was asked: a line to a stream, an object to the others. */
static void be_the_desk(const uint8_t *data, size_t n)
{
	static const char object[] = "{\"ok\":true}\n";
	struct request request;
	ssize_t got;
	while ((got = recv(desk, &request, sizeof(request), 0)) == (ssize_t)sizeof(request)) {
		assert(request_is_valid(&request));
		assert(request.verb != VERB_METRICS);
		if (request.verb == VERB_READ || request.verb == VERB_END)
			continue;
		assert(has_token(data, n));
		bool is_stream = request.verb == VERB_STREAM;
		struct reply reply = {.id = request.id,
				      .length = sizeof(object) - 1,
				      .status = 200,
				      .kind = is_stream ? REPLY_LINE : REPLY_JSON,
				      .is_last = true};
		ssize_t sent = send(desk, &reply, sizeof(reply), MSG_NOSIGNAL);
		assert(sent == (ssize_t)sizeof(reply));
		sent = send(desk, object, sizeof(object) - 1, MSG_NOSIGNAL);
		assert(sent == (ssize_t)sizeof(object) - 1);
	}
	assert(got < 0);
}

static void turn(int client, const uint8_t *data, size_t n)
{
	char answer[65536];
	for (unsigned i = 0; i < TURNS; i++) {
		event_base_loop(front->base, EVLOOP_NONBLOCK);
		be_the_desk(data, n);
		ssize_t got = recv(client, answer, sizeof(answer), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return;
		if (got < 0 && i > 4)
			return;
	}
}

static void say(int client, const uint8_t *data, size_t n)
{
	ssize_t sent = send(client, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent; /* who was put out is not heard any more */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!front)
		open_front();
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(client, (struct sockaddr *)&address, address_length);
	assert(r == 0);
	const uint8_t *middle = n ? memchr(data, '\0', n) : NULL;
	size_t first = middle ? (size_t)(middle - data) : n;
	say(client, data, first);
	turn(client, data, n);
	if (middle) {
		say(client, middle + 1, n - first - 1);
		turn(client, data, n);
	}
	shutdown(client, SHUT_WR);
	turn(client, data, n);
	close(client);
	for (unsigned i = 0; i < 4; i++) {
		event_base_loop(front->base, EVLOOP_NONBLOCK);
		be_the_desk(data, n);
	}
	return 0;
}
