/* Completion for bash: functions that the shell calls with its COMP_ variables (bash(1)). */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "model/field.h"

static const char functions[] =
	"# Made from the descriptors of the commands.\n"
	"_doorward_choose() {\n"
	"	mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\")\n"
	"}\n"
	"_doorward_list() { # words with commas between; a minus turns the order round\n"
	"	local head=''\n"
	"	[[ $word == *,* ]] && head=${word%,*},\n"
	"	local last=${word##*,}\n"
	"	[[ $last == -* ]] && head+=- last=${last#-}\n"
	"	mapfile -t COMPREPLY < <(compgen -P \"$head\" -W \"$1\" -- \"$last\")\n"
	"	compopt -o nospace\n"
	"}\n"
	"_doorward_open() {\n"
	"	_doorward_choose \"$(" OPEN_PORTS ")\"\n"
	"}\n"
	"_doorward_blocked() {\n"
	"	_doorward_choose \"$(" BLOCKED_PORTS ")\"\n"
	"}\n";

static void print_names(const char *between)
{
	unsigned n = 0;
	for_each_command (command)
		printf("%s%s", n++ ? between : "", command->name);
}

/* "list:-f|list:--fields" as patterns of a case. */
static void print_pattern(const struct command *command, const struct option *option)
{
	printf("\t");
	if (option->letter)
		printf("%s:-%c", command->name, option->letter);
	if (option->name)
		printf("%s%s:--%s", option->letter ? " | " : "", command->name, option->name);
	printf(")\n\t\t");
}

static void print_argument(const struct command *command, const struct option *option)
{
	print_pattern(command, option);
	switch (choices_of(option)) {
	case CHOICES_WORDS:
		printf("_doorward_choose '");
		print_words(option->words, " ");
		printf("'");
		break;
	case CHOICES_FIELDS:
		printf("_doorward_list \"$fields\"");
		break;
	case CHOICES_NETNS:
		printf("_doorward_choose \"self all $(ls /run/netns 2>/dev/null)\"");
		break;
	case CHOICES_PLACES:
		printf("_doorward_choose \"self $(ls /run/netns 2>/dev/null)\"");
		break;
	case CHOICES_STRANGER:
		printf("_doorward_choose \"stranger self $(ls /run/netns 2>/dev/null)\"");
		break;
	case CHOICES_USERS:
		printf("mapfile -t COMPREPLY < <(compgen -u -- \"$word\")");
		break;
	case CHOICES_PIDS:
		printf("_doorward_choose \"$(cd /proc && echo [0-9]*)\"");
		break;
	case CHOICES_FILES:
		printf("mapfile -t COMPREPLY < <(compgen -f -- \"$word\")");
		break;
	case CHOICES_NONE:
		printf(":");
		break;
	}
	printf("\n\t\treturn\n\t\t;;\n");
}

static void print_options(const struct command *command)
{
	printf("\t%s:-*)\n\t\t_doorward_choose '", command->name);
	for_each_option (option, command)
		if (option->name)
			printf("%s%s ", option->is_single_dash ? "-" : "--", option->name);
		else
			printf("-%c ", option->letter);
	printf("--help'\n\t\t;;\n");
	if (takes_filter(command)) {
		printf("\t%s:*) _doorward_choose \"$fields", command->name);
		if (is_of_events(command))
			print_event_fields(" ");
		printf(" and or not in\" ;;\n");
	} else if (takes_blocked(command)) {
		printf("\t%s:*) _doorward_blocked ;;\n", command->name);
	} else if (takes_port(command)) {
		printf("\t%s:*) _doorward_open ;;\n", command->name);
	}
}

/* Behind FIELD = stand its words. */
static void print_values(void)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_any_at(i)); i++) {
		bool is_state = field->words == state_words;
		if (!field->words && field->kind != VALUE_BOOL)
			continue;
		printf("	%s) _doorward_choose '", field->name);
		if (!field->words)
			printf("yes no");
		for (int k = is_state ? 1 : 0;
		     field->words && (is_state ? k < STATE_MAX : field->words[k] != NULL); k++)
			if (field->words[k] && field->words[k][0] && !strchr(field->words[k], ' '))
				printf("%s ", field->words[k]);
		printf("'; return ;;\n");
	}
}

void describe_bash(void)
{
	printf("%s_doorward() {\n"
	       "	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "	local command=${COMP_WORDS[1]} field='' fields='",
	       functions);
	print_fields(" ");
	printf("'\n"
	       "	if [[ $word == '=' ]]; then\n"
	       "		word='' field=$before\n"
	       "	elif [[ $before == '=' ]]; then\n"
	       "		before=${COMP_WORDS[COMP_CWORD - 2]} field=${COMP_WORDS[COMP_CWORD "
	       "- 2]}\n"
	       "	fi\n"
	       "	if [[ $COMP_CWORD -eq 1 && $word != -* || $command == help ]]; then\n"
	       "		_doorward_choose '");
	print_names(" ");
	printf(" help'\n		return\n	fi\n	case $command in\n	");
	print_names(" | ");
	printf(") ;;\n	*) command=list ;;\n	esac\n	case $command:$before in\n");
	for_each_command (command)
		for_each_option (option, command)
			if (option->argument)
				print_argument(command, option);
	printf("	esac\n	case $field in\n");
	print_values();
	printf("	esac\n	case $command:$word in\n");
	for_each_command (command)
		print_options(command);
	printf("	esac\n}\ncomplete -F _doorward doorward\n");
}
