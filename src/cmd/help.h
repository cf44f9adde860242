/* Help, made from the descriptors. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "cmd/command.h"

void help_overview(struct out *out, unsigned columns);
void help_command(struct out *out, const struct command *command, unsigned columns);

#endif
