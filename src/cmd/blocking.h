/* What block, unblock and blocks have in common. */
#ifndef CMD_BLOCKING_H
#define CMD_BLOCKING_H

#include <linux/capability.h>

#include "act/block.h"
#include "cmd/command.h"
#include "cmd/look.h"

/* What entering a namespace and writing to its packet filter need. */
#define CAPS_BLOCK CAPS_SEE

/* Of the settings' `struct look` only the namespace. */
#define BLOCKING_NETNS_OPTION(settings, member)                                                  \
	{                                                                                        \
		.kind = OPTION_TEXT, .name = "netns", .at = offsetof(settings, member.netns),    \
		.argument = "WHICH", .help = N_("the network namespace: self, a name or a pid"), \
		.completes = "netns"                                                             \
	}

struct blocking {
	struct netns_scope scope;
	struct block_place place;
	struct block_table table;
	struct vector wanted; /* struct block */
};

void blocking_init(struct blocking *blocking);
void blocking_done(struct blocking *blocking);

/* The namespace that --netns names (one), and its packet filter. 0 or negative errno with @err
 * told. */
int blocking_open(struct context *context, const struct look *look, struct blocking *blocking,
		  struct error *err);

/* Targets and --from as blocks that are wanted. 0, or -EINVAL with @err told. */
int blocking_parse(struct context *context, char **arguments, const char *from,
		   struct blocking *blocking, struct error *err);

/* "schema":...,"netns":... without the braces around. */
void blocking_envelope(struct out *out, const struct blocking *blocking);

/* One line on stderr where our table is there and what makes it work is not. */
void blocking_tell_idle(struct context *context, const struct blocking *blocking);

#endif
