/* Completion for fish (complete(1) of fish). */
#include <stdio.h>
#include <string.h>

#include "describe.h"

static void print_quoted(const char *text)
{
	printf("'");
	print_escaped(text, "'\\");
	printf("'");
}

static void print_argument(const struct option *option)
{
	switch (choices_of(option)) {
	case CHOICES_WORDS:
		printf(" -x -a '");
		print_words(option->words, " ");
		printf("'");
		break;
	case CHOICES_FIELDS:
		printf(" -x -a '(__fish_append , $doorward_fields)'");
		break;
	case CHOICES_NETNS:
		printf(" -x -a 'self all (command ls /run/netns 2>/dev/null)'");
		break;
	case CHOICES_PLACES:
		printf(" -x -a 'self (command ls /run/netns 2>/dev/null)'");
		break;
	case CHOICES_STRANGER:
		printf(" -x -a 'stranger self (command ls /run/netns 2>/dev/null)'");
		break;
	case CHOICES_USERS:
		printf(" -x -a '(__fish_complete_users)'");
		break;
	case CHOICES_PIDS:
		printf(" -x -a '(__fish_complete_pids)'");
		break;
	case CHOICES_FILES:
		printf(" -r -F");
		break;
	case CHOICES_NONE:
		printf(" -x");
		break;
	}
}

/* Without a command the line is list's. */
static void print_start(const struct command *command)
{
	bool is_list = strcmp(command->name, "list") == 0;
	printf("complete -c doorward -n '%s__fish_seen_subcommand_from", is_list ? "not " : "");
	if (!is_list)
		printf(" %s", command->name);
	else
		for_each_command (other)
			if (other != command)
				printf(" %s", other->name);
	printf("'");
}

static void print_command(const struct command *command)
{
	printf("complete -c doorward -n __fish_use_subcommand -a %s -d ", command->name);
	print_quoted(command->summary);
	printf("\n");
	for_each_option (option, command) {
		print_start(command);
		if (option->name)
			printf(" %s %s", option->is_single_dash ? "-o" : "-l", option->name);
		if (option->letter)
			printf(" -s %c", option->letter);
		if (option->argument)
			print_argument(option);
		printf(" -d ");
		print_quoted(option->help);
		printf("\n");
	}
	if (!takes_filter(command) && !takes_port(command))
		return;
	print_start(command);
	if (takes_filter(command)) {
		printf(" -a '$doorward_fields");
		if (is_of_events(command))
			print_event_fields(" ");
		printf(" and or not in'\n");
	} else if (takes_blocked(command)) {
		printf(" -a ");
		print_quoted("(" BLOCKED_PORTS ")");
		printf("\n");
	} else {
		printf(" -a '(" OPEN_PORTS ")'\n");
	}
}

void describe_fish(void)
{
	printf("# Made from the descriptors of the commands.\nset -g doorward_fields ");
	print_fields(" ");
	printf("\ncomplete -c doorward -f\n");
	for_each_command (command)
		print_command(command);
}
