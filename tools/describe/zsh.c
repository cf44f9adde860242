/* Completion for zsh: specifications for _arguments (zshcompsys(1)). */
#include <stdio.h>

#include "describe.h"

/* Within single quotes, where the specification's own signs are escaped. */
static void print_spec(const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			printf("'\\''");
		else
			print_escaped((const char[]){*text, '\0'}, "[]:\\");
}

static void print_argument(const struct option *option)
{
	printf(":%s:", option->argument);
	switch (choices_of(option)) {
	case CHOICES_WORDS:
		printf("(");
		print_words(option->words, " ");
		printf(")");
		break;
	case CHOICES_FIELDS:
		printf("_doorward_fields");
		break;
	case CHOICES_NETNS:
		printf("_doorward_netns");
		break;
	case CHOICES_PLACES:
		printf("_doorward_places");
		break;
	case CHOICES_STRANGER:
		printf("_doorward_from");
		break;
	case CHOICES_USERS:
		printf("_users");
		break;
	case CHOICES_PIDS:
		printf("_pids");
		break;
	case CHOICES_FILES:
		printf("_files");
		break;
	case CHOICES_NONE:
		printf(" ");
		break;
	}
}

static void print_option(const struct option *option)
{
	const char *dashes = option->is_single_dash ? "-" : "--";
	const char *equals = option->argument ? "=" : "", *plus = option->argument ? "+" : "";
	printf(" \\\n\t\t\t");
	if (option->letter && option->name)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter,
		       plus, option->name, equals);
	else if (option->name)
		printf("'%s%s%s[", dashes, option->name, equals);
	else
		printf("'-%c%s[", option->letter, plus);
	print_spec(option->help);
	printf("]");
	if (option->argument)
		print_argument(option);
	printf("'");
}

static void print_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments -s -S", command->name);
	for_each_option (option, command)
		print_option(option);
	printf(" \\\n\t\t\t'--help[tell of the command]' \\\n\t\t\t'*:");
	if (takes_filter(command))
		printf(is_of_events(command) ? "filter:_doorward_event_filter"
					     : "filter:_doorward_filter");
	else if (takes_blocked(command))
		printf("port:_doorward_blocked");
	else if (takes_port(command))
		printf("port:_doorward_open");
	else
		printf("argument: ");
	printf("'\n\t\t;;\n");
}

void describe_zsh(void)
{
	printf("#compdef doorward\n# Made from the descriptors of the commands.\n"
	       "_doorward_fields() {\n	_values -s , field ");
	print_fields(" ");
	printf("\n}\n"
	       "_doorward_filter() {\n	compadd and or not in ");
	print_fields(" ");
	printf("\n}\n"
	       "_doorward_event_filter() {\n	_doorward_filter\n	compadd");
	print_event_fields(" ");
	printf("\n}\n"
	       "_doorward_netns() {\n	compadd self all /run/netns/*(N:t)\n}\n"
	       "_doorward_open() {\n	compadd ${(f)\"$(" OPEN_PORTS ")\"}\n}\n"
	       "_doorward_blocked() {\n	compadd ${(f)\"$(" BLOCKED_PORTS ")\"}\n}\n"
	       "_doorward_places() {\n	compadd self /run/netns/*(N:t)\n}\n"
	       "_doorward_from() {\n	compadd stranger self /run/netns/*(N:t)\n}\n"
	       "_doorward() {\n	local -a names\n	names=(\n");
	for_each_command (command) {
		printf("\t\t'%s:", command->name);
		print_spec(command->summary);
		printf("'\n");
	}
	printf("\t\t'help:tell of a command'\n	)\n"
	       "	if (( CURRENT == 2 )) && [[ $words[2] != -* ]] || [[ $words[2] == help ]]; "
	       "then\n"
	       "		_describe command names\n		return\n	fi\n"
	       "	local command=list\n"
	       "	if (( ${names[(I)$words[2]:*]} )); then\n"
	       "		command=$words[2]\n		shift words\n		(( "
	       "CURRENT-- ))\n"
	       "	fi\n	case $command in\n");
	for_each_command (command)
		print_command(command);
	printf("	esac\n}\n_doorward \"$@\"\n");
}
