/* Help, made from the descriptors. */
#include <string.h>

#include "cmd/help.h"

void help_overview(struct out *out, unsigned columns)
{
	(void)columns;
	out_string(out, "usage: doorward [COMMAND] [OPTION...] [ARGUMENT...]\n"
			"       doorward [TARGET]\n\n"
			"Every port of this host, who holds it, and who can reach it.\n\n");
	for (unsigned i = 0; commands[i]; i++) {
		out_string(out, "  ");
		out_string(out, commands[i]->name);
		out_spaces(out, 12 - strlen(commands[i]->name));
		out_string(out, commands[i]->summary);
		out_char(out, '\n');
	}
	out_string(out, "\nWithout a command it lists what is open; a TARGET alone (8080, tcp/53, "
			"https) is shown.\n"
			"`doorward help COMMAND` tells more.\n");
}

void help_command(struct out *out, const struct command *command, unsigned columns)
{
	bool has_arguments = command->arguments && command->arguments[0];
	out_format(out, "usage: doorward %s [OPTION...]%s%s\n\n%s\n\n", command->name,
		   has_arguments ? " " : "", has_arguments ? command->arguments : "",
		   command->summary);
	options_help(out, command->options, columns ? columns : 80);
	for (unsigned i = 0; command->examples && command->examples[i]; i++) {
		out_string(out, i ? "  " : "\nexamples:\n  ");
		out_string(out, command->examples[i]);
		out_char(out, '\n');
	}
}
