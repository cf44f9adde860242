/* Options as a table: parsed, and told to a person. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/format.h"
#include "base/numbers.h"
#include "base/options.h"
#include "base/text.h"

#define NAMES_MAX 64

static bool takes_argument(const struct option *option)
{
	return option->kind != OPTION_FLAG && option->kind != OPTION_NO_FLAG &&
	       option->kind != OPTION_MEANT;
}

/* How a person names it: "--netns", "-n". */
static const char *shown_name(const struct option *option, char to[48])
{
	if (option->name)
		snprintf(to, 48, "%s%s", option->is_single_dash ? "-" : "--", option->name);
	else
		snprintf(to, 48, "-%c", option->letter);
	return to;
}

static int tell_unknown(const struct option *options, const char *typed, struct error *err)
{
	const char *names[NAMES_MAX + 1] = {0};
	unsigned n = 0;
	for (const struct option *option = options; option->kind != OPTION_END && n < NAMES_MAX;
	     option++)
		if (option->name && !option->is_hidden)
			names[n++] = option->name;
	error_text(err, -EINVAL, "there is no option %.80s", typed);
	const char *nearest = text_nearest(typed + strspn(typed, "-"), names);
	if (nearest)
		error_hint(err, "did you mean --%s?", nearest);
	return -EINVAL;
}

/* What is no option, but whose meaning is known. -EINVAL. */
static int tell_meant(const struct option *option, const char *typed, struct error *err)
{
	error_text(err, -EINVAL, "there is no option %.80s", typed);
	error_hint(err, "%s", option->help);
	return -EINVAL;
}

static int set_word(const struct option *option, void *place, const char *argument,
		    const char *name, struct error *err)
{
	for (int i = 0; option->words[i]; i++)
		if (strcasecmp(option->words[i], argument) == 0) {
			memcpy(place, &i, sizeof(i));
			return 0;
		}
	char list[128] = "";
	for (int i = 0; option->words[i]; i++) {
		size_t used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", option->words[i]);
	}
	error_text(err, -EINVAL, "%s %.60s: it takes one of %s", name, argument, list);
	const char *nearest = text_nearest(argument, option->words);
	if (nearest)
		error_hint(err, "did you mean %s?", nearest);
	return -EINVAL;
}

static int tell_bound(const struct option *option, uint64_t ms, const char *name,
		      const char *argument, struct error *err)
{
	char most[32];
	if (ms < option->min)
		return error_text(err, -EINVAL, "%s %.60s: it takes at least %u ms", name, argument,
				  option->min);
	format_duration(most, sizeof(most), option->max / 1000);
	return error_text(err, -EINVAL, "%s %.60s: it takes at most %s", name, argument, most);
}

static int set(const struct option *option, void *settings, const char *argument, struct error *err)
{
	char *place = (char *)settings + option->at;
	char name[48];
	shown_name(option, name);
	switch (option->kind) {
	case OPTION_FLAG:
	case OPTION_NO_FLAG:
	case OPTION_DASHES:
		*(bool *)place = option->kind != OPTION_NO_FLAG;
		return 0;
	case OPTION_TEXT:
		memcpy(place, &argument, sizeof(argument));
		return 0;
	case OPTION_WORD:
		return set_word(option, place, argument, name, err);
	case OPTION_NUMBER: {
		uint32_t number;
		int r = number_u32(argument, option->min, option->max, &number);
		if (r < 0)
			return error_text(err, -EINVAL, "%s %.60s: it takes a number from %u to %u",
					  name, argument, option->min, option->max);
		memcpy(place, &number, sizeof(number));
		return 0;
	}
	case OPTION_DURATION: {
		uint64_t ms;
		if (number_duration(argument, &ms) < 0)
			return error_text(err, -EINVAL,
					  "%s %.60s: it takes a time such as 500ms, 10s, 5m", name,
					  argument);
		if (ms < option->min || (option->max && ms > option->max))
			return tell_bound(option, ms, name, argument, err);
		memcpy(place, &ms, sizeof(ms));
		return 0;
	}
	case OPTION_MEANT:
	case OPTION_END:
		break;
	}
	return -EINVAL;
}

/* The option that @typed (of @n bytes) names or shortens; NULL: none, or several. */
static const struct option *find_long(const struct option *options, const char *typed, size_t n)
{
	const struct option *found = NULL;
	unsigned n_found = 0;
	for (const struct option *option = options; option->kind != OPTION_END; option++) {
		if (!option->name || option->is_single_dash || strncmp(option->name, typed, n) != 0)
			continue;
		if (option->name[n] == '\0')
			return option;
		if (option->kind == OPTION_MEANT)
			continue;
		found = option;
		n_found++;
	}
	return n_found == 1 ? found : NULL;
}

static const struct option *find_letter(const struct option *options, char letter)
{
	for (const struct option *option = options; option->kind != OPTION_END; option++)
		if (option->letter && option->letter == letter)
			return option;
	return NULL;
}

static const struct option *find_single_dash(const struct option *options, const char *typed)
{
	for (const struct option *option = options; option->kind != OPTION_END; option++)
		if (option->is_single_dash && option->name && strcmp(option->name, typed) == 0)
			return option;
	return NULL;
}

static int missing_argument(const struct option *option, struct error *err)
{
	char name[48];
	error_text(err, -EINVAL, "%s needs an argument: %s", shown_name(option, name),
		   option->argument);
	return -EINVAL;
}

static int parse_long(const struct option *options, void *settings, char ***at, struct error *err)
{
	const char *typed = **at + 2, *equals = strchr(typed, '=');
	const struct option *option =
		find_long(options, typed, equals ? (size_t)(equals - typed) : strlen(typed));
	if (!option)
		return tell_unknown(options, **at, err);
	if (option->kind == OPTION_MEANT)
		return tell_meant(option, **at, err);
	if (!takes_argument(option)) {
		if (equals)
			return error_text(err, -EINVAL, "--%s takes no argument", option->name);
		return set(option, settings, NULL, err);
	}
	if (equals)
		return set(option, settings, equals + 1, err);
	if (!(*at)[1])
		return missing_argument(option, err);
	(*at)++;
	return set(option, settings, **at, err);
}

static int parse_letters(const struct option *options, void *settings, char ***at,
			 struct error *err)
{
	const struct option *whole = find_single_dash(options, **at + 1);
	if (whole && whole->kind == OPTION_MEANT)
		return tell_meant(whole, **at, err);
	if (whole && takes_argument(whole)) {
		if (!(*at)[1])
			return missing_argument(whole, err);
		return set(whole, settings, *++*at, err);
	}
	if (whole)
		return set(whole, settings, NULL, err);

	for (const char *letter = **at + 1; *letter; letter++) {
		const struct option *option = find_letter(options, *letter);
		if (!option || option->kind == OPTION_MEANT) {
			char one[3] = {'-', *letter, '\0'};
			const char *typed = letter == **at + 1 ? **at : one;
			return option ? tell_meant(option, typed, err)
				      : tell_unknown(options, typed, err);
		}
		if (!takes_argument(option)) {
			int r = set(option, settings, NULL, err);
			if (r < 0)
				return r;
			continue;
		}
		if (letter[1])
			return set(option, settings, letter + 1, err);
		if (!(*at)[1])
			return missing_argument(option, err);
		(*at)++;
		return set(option, settings, **at, err);
	}
	return 0;
}

/* Where -- begins a command of its own (OPTION_DASHES), no other word may stand before it. */
static int note_dashes(const struct option *options, void *settings, const char *before,
		       struct error *err)
{
	for (const struct option *option = options; option->kind != OPTION_END; option++) {
		if (option->kind != OPTION_DASHES)
			continue;
		if (before)
			return error_text(err, -EINVAL,
					  "%.60s: nothing but options stands before --", before);
		set(option, settings, NULL, NULL);
	}
	return 0;
}

int options_parse(const struct option *options, void *settings, char **arguments,
		  bool stop_at_first, unsigned *n_rest, struct error *err)
{
	unsigned n = 0;
	bool ended = false;
	for (char **at = arguments; *at; at++) {
		int r = 0;
		if (ended || (*at)[0] != '-' || !(*at)[1]) {
			arguments[n++] = *at;
			ended |= stop_at_first;
		} else if (strcmp(*at, "--") == 0) {
			ended = true;
			r = note_dashes(options, settings, n ? arguments[0] : NULL, err);
		} else if ((*at)[1] == '-') {
			r = parse_long(options, settings, &at, err);
		} else {
			r = parse_letters(options, settings, &at, err);
		}
		if (r < 0)
			return r;
	}
	arguments[n] = NULL;
	*n_rest = n;
	return 0;
}

#define HELP_COLUMN 28

static void help_text(struct out *out, const char *text, unsigned columns)
{
	unsigned room = columns > HELP_COLUMN + 20 ? columns - HELP_COLUMN : 60;
	while (strlen(text) > room) {
		unsigned cut = room;
		while (cut && text[cut] != ' ')
			cut--;
		if (!cut)
			break;
		out_bytes(out, text, cut);
		out_char(out, '\n');
		out_spaces(out, HELP_COLUMN);
		text += cut + 1;
	}
	out_string(out, text);
	out_char(out, '\n');
}

void options_help(struct out *out, const struct option *options, unsigned columns)
{
	for (const struct option *option = options; option->kind != OPTION_END; option++) {
		if (option->is_hidden)
			continue;
		char left[96];
		const char *dashes = option->is_single_dash ? "-" : "--";
		int n = option->letter && option->name
				? snprintf(left, sizeof(left), "  -%c, %s%s", option->letter,
					   dashes, option->name)
			: option->letter ? snprintf(left, sizeof(left), "  -%c", option->letter)
					 : snprintf(left, sizeof(left), "  %s%s%s",
						    option->is_single_dash ? "" : "    ", dashes,
						    option->name);
		if (option->argument)
			n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", option->argument);
		out_bytes(out, left, (size_t)n);
		if (n + 2 > HELP_COLUMN) {
			out_char(out, '\n');
			n = 0;
		}
		out_spaces(out, HELP_COLUMN - (size_t)n);
		help_text(out, option->help, columns);
	}
}
