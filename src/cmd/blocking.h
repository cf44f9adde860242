/* What block, unblock and blocks have in common. */
#ifndef CMD_BLOCKING_H
#define CMD_BLOCKING_H

#include <linux/capability.h>

#include "act/blocking.h"
#include "cmd/command.h"
#include "cmd/look.h"

/* Of the settings' `struct look` only the namespace. */
#define BLOCKING_NETNS_OPTION(settings, member)                                                  \
	{                                                                                        \
		.kind = OPTION_TEXT, .name = "netns", .at = offsetof(settings, member.netns),    \
		.argument = "WHICH", .help = N_("the network namespace: self, a name or a pid"), \
		.completes = "place"                                                             \
	}

/* The namespace that --netns names (one), and its packet filter. 0 or negative errno with @err
 * told. */
int blocking_begin(struct context *context, const struct look *look, struct blocking *blocking,
		   struct error *err);

/* One line on stderr where our table is there and what makes it work is not. */
void blocking_tell_idle(struct context *context, const struct blocking *blocking);

#endif
