/* Default options from a file of the user: $XDG_CONFIG_HOME/doorward/options, else
 * ~/.config/doorward/options. A line is options of one command, as on the command line:
 *
 *     list --output wide --no-group
 *     show --numeric
 *     --sort reach,port               (without a command: of list)
 *
 * "#" begins a comment, '...' and "..." hold blanks together. */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H

#include "cmd/command.h"

/* Fills @settings of @command from the file, where there is one. The texts live in the context's
 * arena. 0, or -EINVAL with @err told (file, line, what is wrong), other negative errno. */
int settings_read(struct context *context, const struct command *command, void *settings,
		  struct error *err);

#endif
