/* Completion and manual pages, made at build time from the descriptors of commands, options and
 * fields. Each prints to standard output. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stdbool.h>

#include "cmd/command.h"

void describe_bash(void);
void describe_zsh(void);
void describe_fish(void);

/* The page of a command, or of the whole with @command NULL. @prose: a file that is copied into it.
 * False where that cannot be read. */
bool describe_man(const struct command *command, const char *prose);

#define for_each_command(c) \
	for (const struct command *const *c##_at = commands, *c = *c##_at; c; c = *++c##_at)

/* Those that the help shows. */
#define for_each_option(o, of)                                                             \
	for (const struct option *o = describe_next((of)->options); o->kind != OPTION_END; \
	     o = describe_next(o + 1))

static inline const struct option *describe_next(const struct option *option)
{
	while (option->kind != OPTION_END && option->is_hidden)
		option++;
	return option;
}

/* What an option's argument may be, or a command's. */
enum choices {
	CHOICES_NONE,
	CHOICES_WORDS,
	CHOICES_FIELDS,
	CHOICES_NETNS,	  /* all, or one */
	CHOICES_PLACES,	  /* one network namespace */
	CHOICES_STRANGER, /* one, or one that is made */
	CHOICES_FILES,
	CHOICES_USERS,
	CHOICES_PIDS,
};
enum choices choices_of(const struct option *option);

/* The words of an option, or the names of all fields, with @between. */
void print_words(const char *const *words, const char *between);
void print_fields(const char *between);
/* Those of events, @between before each. */
void print_event_fields(const char *between);
/* Its filter knows the fields of events too. */
bool is_of_events(const struct command *command);

/* @text with a backslash before each of @special. */
void print_escaped(const char *text, const char *special);

/* Its arguments are a filter; or one that is open on this host may stand there. */
bool takes_filter(const struct command *command);
bool takes_port(const struct command *command);
/* Or one that is blocked: what prints them. */
bool takes_blocked(const struct command *command);
#define BLOCKED_PORTS "doorward blocks 2>/dev/null | awk 'NR > 1 { print $1 }'"
#define OPEN_PORTS \
	"doorward list --numeric --no-group --output raw --fields port 2>/dev/null | sort -nu"

#endif
