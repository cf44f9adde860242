/* SPDX-License-Identifier: GPL-2.0-or-later */
/* destroyed-listener: SOCK_DESTROY on a listener that was bound by number: the port stays taken,
 * nothing listens. */
#include <unistd.h>

#include "diag.h"
#include "sockets.h"
#include "stage.h"

static const struct option options[] = {
	{"port", "N", "0", "0: one that is free now"},
	{0},
};

static uint16_t free_port(void)
{
	int fd = socket_listen("127.0.0.1", 0, 1);
	uint16_t port = socket_port(fd);

	close(fd);
	return port;
}

static void run(struct stage *stage)
{
	struct made made;
	uint16_t port = stage_number(stage, "port");
	int fd = socket_listen("127.0.0.1", port ? port : free_port(), 128);

	made_look(&made, "destroyed", fd);
	diag_destroy(&made);
	made_look(&made, "destroyed", fd);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(fd));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
}

const struct scene scene_destroyed_listener = {
	.name = "destroyed-listener",
	.summary = "a listener after SOCK_DESTROY, its port still bound",
	.options = options,
	.run = run,
};
