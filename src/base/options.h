/* Options as a table: parsing, --help, completion and the manual come from it. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/out.h"

enum option_kind {
	OPTION_END,
	OPTION_FLAG,	 /* bool: true */
	OPTION_NO_FLAG,	 /* bool: false */
	OPTION_TEXT,	 /* const char * */
	OPTION_WORD,	 /* int: index into words */
	OPTION_NUMBER,	 /* uint32_t, in min..max */
	OPTION_DURATION, /* uint64_t, milliseconds */
	OPTION_DASHES,	 /* bool: a bare "--" was there; without a name, hidden */
	OPTION_MEANT, /* none, but typed by hands that know other programs: its help is the hint */
};

struct option {
	enum option_kind kind;
	char letter;		  /* 0: none */
	const char *name;	  /* without dashes; NULL: letter only */
	size_t at;		  /* offsetof in the command's settings */
	const char *argument;	  /* the word for it in help, "LIST"; NULL for flags */
	const char *help;	  /* one line, no full stop */
	const char *const *words; /* OPTION_WORD: NULL ends */
	uint32_t min, max;	  /* of a number; of a time in ms, where max 0 is none */
	const char *completes; /* what the argument is, for completion: "field", "netns", "place",
				  "stranger", "user", "pid", "file"; or NULL */
	bool is_hidden;	       /* not in the help */
	bool is_single_dash;   /* classic: "-ap" is one word, not -a -p */
};

/* One by its name and one by its letter, each of which may be 0 (OPTION_MEANT). */
#define OPTION_IS_MEANT(by_letter, by_name, hint)                                         \
	{                                                                                 \
		.kind = OPTION_MEANT, .letter = by_letter, .name = by_name, .help = hint, \
		.is_hidden = true                                                         \
	}

/* Parses the options of @arguments (NULL ends) into @settings. "--" ends them; they may stand
 * between the arguments (GNU), unless @stop_at_first. What is none is moved to the front of
 * @arguments in order and
 * *@n_rest says how many. A long name may be shortened while it stays unique.
 * 0, or -EINVAL with @err told (place, nearest right word). */
int options_parse(const struct option *options, void *settings, char **arguments,
		  bool stop_at_first, unsigned *n_rest, struct error *err);

/* The option lines of --help. @columns of the terminal. */
void options_help(struct out *out, const struct option *options, unsigned columns);

#endif
