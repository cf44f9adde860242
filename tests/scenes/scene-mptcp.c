/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mptcp: a listener and a connection of Multipath TCP; mptcp-endpoint: the listener that the kernel
 * makes itself. */
#include "sockets.h"
#include "stage.h"

#include <errno.h>
#include <unistd.h>

#ifndef MPTCP_INFO
#define MPTCP_INFO 1
#endif

static const struct option options[] = {
	{"address", "ADDRESS", "127.0.0.1", "of the listener"},
	{0},
};

static void run(struct stage *stage)
{
	struct made made;
	struct address address = address_of(stage_word(stage, "address"), 0);
	int listener = socket_new(address.storage.ss_family, SOCK_STREAM, IPPROTO_MPTCP);

	socket_bind(listener, address);
	if (listen(listener, 16) < 0)
		fail("listen");
	address = socket_local(listener);
	int client = socket_new(address.storage.ss_family, SOCK_STREAM, IPPROTO_MPTCP);
	if (connect(client, (struct sockaddr *)&address.storage, address.size) < 0)
		fail("connect");
	int server = socket_accept(listener);
	socket_reset_on_close(client);
	socket_reset_on_close(server);

	made_look(&made, "client", client);
	stage_held(stage, &made);
	made_look(&made, "server", server);
	stage_held(stage, &made);
	made_look(&made, "listener", listener);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(listener));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
}

static const struct option endpoint_options[] = {
	{"port", "N", "9099", "of the endpoint"},
	{0},
};

static void run_endpoint(struct stage *stage)
{
	const char *port = stage_word(stage, "port");

	run_program((const char *const[]){"ip", "mptcp", "endpoint", "add", "127.0.0.1", "port",
					  port, "signal", NULL});
	json_uint(&stage->keys, "port", stage_number(stage, "port"));
	json_uint(&stage->keys, "pid", (uint64_t)getpid()); /* a way in: nsenter --net */
}

const struct scene scene_mptcp = {
	.name = "mptcp",
	.summary = "a Multipath TCP listener and a connection to it",
	.options = options,
	.run = run,
};

const struct scene scene_mptcp_endpoint = {
	.name = "mptcp-endpoint",
	.summary = "a listener of the kernel's own for an MPTCP endpoint (with --own-netns 1)",
	.options = endpoint_options,
	.run = run_endpoint,
};
