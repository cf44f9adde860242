/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp-listener: one listening socket, and as many workers that inherited it as wanted. */
#include <errno.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

#define WORKERS_MAX 1000

static const struct option options[] = {
	{"address", "ADDRESS", "127.0.0.1", "where"},
	{"port", "N", "0", "0: the kernel chooses"},
	{"backlog", "N", "128", "of listen()"},
	{"v6only", "0|1", NULL, "IPV6_V6ONLY"},
	{"reuseaddr", "0|1", NULL, "SO_REUSEADDR"},
	{"workers", "N", "0", "forked processes that hold it too"},
	{"answer", "0|1", "0", "tell each client the pid that accepted it"},
	{0},
};

static int listener_make(const struct stage *stage)
{
	struct address address =
		address_of(stage_word(stage, "address"), stage_number(stage, "port"));
	int fd = socket_new(address.storage.ss_family, SOCK_STREAM, 0);

	if (stage_word(stage, "v6only"))
		socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, stage_number(stage, "v6only"));
	if (stage_word(stage, "reuseaddr"))
		socket_set(fd, SOL_SOCKET, SO_REUSEADDR, stage_number(stage, "reuseaddr"));
	socket_bind(fd, address);
	if (listen(fd, stage_number(stage, "backlog")) < 0)
		fail("listen");
	return fd;
}

static void run(struct stage *stage)
{
	struct made made;
	size_t n = stage_number(stage, "workers");
	pid_t pids[WORKERS_MAX + 1] = {getpid()};
	int fd = listener_make(stage);

	errno = E2BIG;
	if (n > WORKERS_MAX)
		fail("%zu workers", n);
	for (size_t i = 1; i <= n; i++)
		pids[i] = child_hold(stage, &fd, 1);
	if (stage_number(stage, "answer"))
		stage_answer(stage, fd);

	made_look(&made, "listener", fd);
	json_uint(&stage->keys, "port", socket_port(fd));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "cookie", made.cookie);
	json_uint(&stage->keys, "fd", (uint64_t)fd);
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
	json_pids(&stage->keys, "pids", pids, n + 1);
	stage_made(stage, &made, pids, n + 1);
}

const struct scene scene_tcp_listener = {
	.name = "tcp-listener",
	.summary = "a listening TCP socket, shared with forked workers if wanted",
	.options = options,
	.run = run,
};
