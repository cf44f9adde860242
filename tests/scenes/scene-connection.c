/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp-connection: both ends of one TCP connection, in any state of the protocol; not-accepted: a
 * full backlog.
 *
 * A state that lasts only until the other end answers is kept by making that end deaf: a socket
 * filter of its own drops what arrives (packet(7), tcp_filter() in net/ipv4/tcp_ipv4.c). No
 * firewall, no privilege. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "sockets.h"
#include "stage.h"

struct pair {
	int listener, client, server;	    /* -1: closed, or never was */
	struct made client_end, server_end; /* as they were when both lived */
};

static void connect_pair(struct pair *pair)
{
	pair->client = socket_connect(socket_local(pair->listener));
	pair->server = socket_accept(pair->listener);
	made_look(&pair->client_end, "client", pair->client);
	made_look(&pair->server_end, "server", pair->server);
}

/* Starts a connection that does not come about. */
static void dial(struct pair *pair, bool client_deaf)
{
	struct address to = socket_local(pair->listener);

	pair->client = socket_new(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client_deaf)
		socket_deafen(pair->client);
	else
		socket_deafen(pair->listener);
	socket_set(pair->client, IPPROTO_TCP, TCP_SYNCNT, 60);
	socket_set(pair->listener, IPPROTO_TCP, TCP_SYNCNT,
		   60); /* how often the SYN-ACK is repeated */
	if (connect(pair->client, (struct sockaddr *)&to.storage, to.size) < 0 &&
	    errno != EINPROGRESS)
		fail("connect");
	socket_await(pair->client, TCP_SYN_SENT);
	made_look(&pair->client_end, "client", pair->client);
	/* getpeername() knows nothing yet */
	memcpy(&pair->client_end.peer, &to.storage, sizeof(to.storage));
}

/* An end that no descriptor shows: awaited by its addresses. */
static void await_unheld(struct made *end, int state)
{
	end->pid = 0;
	end->fd = -1;
	end->inode = 0;
	end->cookie = 0;
	for (int i = 0; i < 5000 && diag_state(end) != state; i++)
		pause_shortly();
	errno = ETIMEDOUT;
	if (diag_state(end) != state)
		fail("wait for %s", state_word(state));
	snprintf(end->state, sizeof(end->state), "%s", state_word(state));
}

static void finish(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void make_established(struct pair *pair)
{
	connect_pair(pair);
}

static void make_syn_sent(struct pair *pair)
{
	dial(pair, false);
}

static void make_syn_recv(struct pair *pair)
{
	dial(pair, true);
	pair->server_end = pair->client_end;
	snprintf(pair->server_end.role, sizeof(pair->server_end.role), "server");
	pair->server_end.local = pair->client_end.peer;
	pair->server_end.peer = pair->client_end.local;
	await_unheld(&pair->server_end, TCP_SYN_RECV);
}

static void make_fin_wait1(struct pair *pair)
{
	connect_pair(pair);
	socket_deafen(pair->server);
	shutdown(pair->client, SHUT_WR);
	socket_await(pair->client, TCP_FIN_WAIT1);
}

/* The other end is in CLOSE_WAIT. */
static void make_fin_wait2(struct pair *pair)
{
	connect_pair(pair);
	shutdown(pair->client, SHUT_WR);
	socket_await(pair->client, TCP_FIN_WAIT2);
	socket_await(pair->server, TCP_CLOSE_WAIT);
}

/* The client's FIN was not heard when the server sends its own. */
static void make_closing(struct pair *pair)
{
	make_fin_wait1(pair);
	shutdown(pair->server, SHUT_WR);
	socket_await(pair->client, TCP_CLOSING);
	socket_await(pair->server, TCP_FIN_WAIT1);
}

static void make_last_ack(struct pair *pair)
{
	make_fin_wait2(pair);
	socket_deafen(pair->client);
	shutdown(pair->server, SHUT_WR);
	socket_await(pair->server, TCP_LAST_ACK);
}

static void make_time_wait(struct pair *pair)
{
	make_fin_wait2(pair);
	finish(&pair->client);
	finish(&pair->server);
	await_unheld(&pair->client_end, TCP_TIME_WAIT);
}

/* The client is gone, what it wrote is not: the server does not read, so it cannot be sent. */
static void make_orphan(struct pair *pair)
{
	static const char block[65536];

	connect_pair(pair);
	fcntl(pair->client, F_SETFL, O_NONBLOCK);
	while (send(pair->client, block, sizeof(block), 0) > 0)
		;
	finish(&pair->client);
	await_unheld(&pair->client_end, TCP_FIN_WAIT1);
}

static const struct {
	const char *word;
	void (*make)(struct pair *);
	bool server_unheld; /* the server's end is there, but no process has it */
} states[] = {
	{"established", make_established, false}, {"syn-sent", make_syn_sent, false},
	{"syn-recv", make_syn_recv, true},	  {"fin-wait1", make_fin_wait1, false},
	{"fin-wait2", make_fin_wait2, false},	  {"close-wait", make_fin_wait2, false},
	{"closing", make_closing, false},	  {"last-ack", make_last_ack, false},
	{"time-wait", make_time_wait, false},	  {"orphan", make_orphan, false},
};

static const struct option options[] = {
	{"state", "STATE", "established",
	 "syn-sent, syn-recv, established, fin-wait1, fin-wait2, close-wait, closing, last-ack, "
	 "time-wait, orphan"},
	{"address", "ADDRESS", "127.0.0.1", "of the server"},
	{"port", "N", "0", "of the server; 0: the kernel chooses"},
	{0},
};

/* Hands an end that we still have to a process of its own, and describes it. */
static pid_t give_end(struct stage *stage, const char *role, const struct made *known, int fd)
{
	struct made made = *known;

	if (fd >= 0) {
		socket_reset_on_close(fd);
		made_look(&made, role, fd);
		if (!made.peer.ss_family)
			made.peer = known->peer;
		made.pid = child_hold(stage, &fd, 1);
	}
	if (made.role[0])
		stage_held(stage, &made);
	return made.pid;
}

static bool make_state(struct pair *pair, const char *word)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].word, word) == 0) {
			states[i].make(pair);
			return states[i].server_unheld;
		}
	}
	errno = EINVAL;
	fail("--state %s", word);
}

static void run(struct stage *stage)
{
	struct made made;
	struct pair pair = {.client = -1, .server = -1};

	pair.listener =
		socket_listen(stage_word(stage, "address"), stage_number(stage, "port"), 16);
	bool server_unheld = make_state(&pair, stage_word(stage, "state"));

	json_uint(&stage->keys, "port", socket_port(pair.listener));
	pid_t client = give_end(stage, "client", &pair.client_end, pair.client);
	pid_t server = 0;
	if (pair.server >= 0 || server_unheld)
		server = give_end(stage, "server", &pair.server_end, pair.server);
	if (pair.client >= 0)
		close(pair.client);
	if (pair.server >= 0)
		close(pair.server);
	made_look(&made, "listener", pair.listener);
	stage_held(stage, &made);
	json_uint(&stage->keys, "listener_pid", (uint64_t)getpid());
	json_uint(&stage->keys, "client_pid", (uint64_t)client);
	json_uint(&stage->keys, "server_pid", (uint64_t)server);
}

#define WAITING_MAX 1000

static const struct option waiting_options[] = {
	{"backlog", "N", "16", "of the listener"},
	{"waiting", "N", "5", "connections that nobody accepts"},
	{"address", "ADDRESS", "127.0.0.1", "of the listener"},
	{0},
};

static void run_waiting(struct stage *stage)
{
	struct made made;
	size_t n = stage_number(stage, "waiting");
	int listener =
		socket_listen(stage_word(stage, "address"), 0, stage_number(stage, "backlog"));

	errno = E2BIG;
	if (n > WAITING_MAX)
		fail("%zu connections", n);
	for (size_t i = 0; i < n; i++) {
		int fd = socket_connect(socket_local(listener));
		socket_reset_on_close(fd);
		made_look(&made, "client", fd);
		stage_held(stage, &made);

		struct made end = made;
		end.local = made.peer;
		end.peer = made.local;
		snprintf(end.role, sizeof(end.role), "waiting");
		await_unheld(&end, TCP_ESTABLISHED);
		stage_held(stage, &end);
	}
	made_look(&made, "listener", listener);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(listener));
	json_uint(&stage->keys, "waiting", n);
	json_uint(&stage->keys, "backlog", stage_number(stage, "backlog"));
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
}

const struct scene scene_tcp_connection = {
	.name = "tcp-connection",
	.summary = "a connection between two processes, in the state that is wanted",
	.options = options,
	.run = run,
};

const struct scene scene_not_accepted = {
	.name = "not-accepted",
	.summary = "connections that wait in a listener's backlog",
	.options = waiting_options,
	.run = run_waiting,
};
