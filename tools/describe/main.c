/* usage: describe bash|zsh|fish | describe man PROSE-FILE [COMMAND] */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "model/field.h"

enum choices choices_of(const struct option *option)
{
	static const struct {
		const char *name;
		enum choices choices;
	} kinds[] = {{"field", CHOICES_FIELDS},	     {"netns", CHOICES_NETNS},
		     {"file", CHOICES_FILES},	     {"place", CHOICES_PLACES},
		     {"stranger", CHOICES_STRANGER}, {"user", CHOICES_USERS},
		     {"pid", CHOICES_PIDS}};
	if (option->words)
		return CHOICES_WORDS;
	for (size_t i = 0; option->completes && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(option->completes, kinds[i].name) == 0)
			return kinds[i].choices;
	return CHOICES_NONE;
}

void print_words(const char *const *words, const char *between)
{
	for (unsigned i = 0; words[i]; i++)
		printf("%s%s", i ? between : "", words[i]);
}

void print_fields(const char *between)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		printf("%s%s", i ? between : "", field->name);
}

void print_event_fields(const char *between)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_of_event_at(i)); i++)
		printf("%s%s", between, field->name);
}

bool is_of_events(const struct command *command)
{
	return strcmp(command->name, "watch") == 0 || strcmp(command->name, "history") == 0;
}

void print_escaped(const char *text, const char *special)
{
	for (; *text; text++)
		printf(strchr(special, *text) ? "\\%c" : "%c", *text);
}

bool takes_filter(const struct command *command)
{
	return command->arguments && strstr(command->arguments, "FILTER");
}

bool takes_port(const struct command *command)
{
	static const char *const arguments[] = {"TARGET", "TO", "PORT"};
	for (size_t i = 0; command->arguments && i < ARRAY_SIZE(arguments); i++)
		if (strncmp(command->arguments, arguments[i], strlen(arguments[i])) == 0)
			return true; /* one or more, "TARGET..." */
	return false;
}

bool takes_blocked(const struct command *command)
{
	return strcmp(command->name, "unblock") == 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "bash") == 0 && argc == 2) {
		describe_bash();
	} else if (strcmp(what, "zsh") == 0 && argc == 2) {
		describe_zsh();
	} else if (strcmp(what, "fish") == 0 && argc == 2) {
		describe_fish();
	} else if (strcmp(what, "man") == 0 && (argc == 3 || argc == 4)) {
		const struct command *command = argc == 4 ? command_find(argv[3]) : NULL;
		if ((argc == 4 && !command) || !describe_man(command, argv[2])) {
			fprintf(stderr, "describe: %s: no such command or no prose\n",
				argv[argc - 1]);
			return 1;
		}
	} else {
		fputs("usage: describe bash|zsh|fish | describe man PROSE-FILE [COMMAND]\n",
		      stderr);
		return 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
