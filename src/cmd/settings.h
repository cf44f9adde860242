/* Default options from a file of the user: ~/.config/doorward/options, a line `COMMAND --option...`
 * each. */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H

#include "cmd/command.h"

/* The options of the file for @command before @arguments. A new array in context's arena,
 * NULL-terminated. 0 or negative errno with @err told. */
int settings_prepend(struct context *context, const struct command *command, char **arguments,
		     char ***ret, struct error *err);

#endif
