/* All commands, in the order of the help. */
#include <string.h>

#include "cmd/command.h"

extern const struct command cmd_list, cmd_show, cmd_deliver, cmd_close, cmd_block, cmd_unblock,
	cmd_blocks, cmd_explain, cmd_netstat, cmd_fport, cmd_mport, cmd_fields, cmd_version,
	cmd_why, cmd_free, cmd_serve, cmd_top, cmd_scan, cmd_watch, cmd_record, cmd_history;

const struct command *const commands[] = {
	&cmd_list,    &cmd_top,	   &cmd_show,	 &cmd_deliver, &cmd_close,   &cmd_block,
	&cmd_unblock, &cmd_blocks, &cmd_explain, &cmd_why,     &cmd_free,    &cmd_serve,
	&cmd_scan,    &cmd_watch,  &cmd_record,	 &cmd_history, &cmd_netstat, &cmd_fport,
	&cmd_mport,   &cmd_fields, &cmd_version, NULL};

const struct command *command_find(const char *name)
{
	for (unsigned i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
