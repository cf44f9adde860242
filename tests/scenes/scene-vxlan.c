/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vxlan: a UDP port that the kernel itself has, in a network namespace of its own. */
#include <unistd.h>

#include "netns.h"
#include "stage.h"

static const struct option options[] = {
	{"port", "N", "4789", "of the tunnel"},
	{0},
};

static void run(struct stage *stage)
{
	const char *port = stage_word(stage, "port");

	netns_new();
	run_program((const char *const[]){"ip", "link", "add", "door0", "type", "vxlan", "id", "7",
					  "dstport", port, NULL});
	run_program((const char *const[]){"ip", "link", "set", "door0", "up", NULL});
	json_uint(&stage->keys, "port", stage_number(stage, "port"));
	json_uint(&stage->keys, "own_netns", netns_inode());
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
}

const struct scene scene_vxlan = {
	.name = "vxlan",
	.summary = "a UDP socket of the kernel's own",
	.options = options,
	.run = run,
};
