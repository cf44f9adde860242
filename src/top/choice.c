/* What a person chose to see. */
#include <string.h>

#include "base/attributes.h"
#include "top/choice.h"

unsigned choice_count(const struct choice *choice)
{
	unsigned n = 0;
	while (choice->columns[n])
		n++;
	return n;
}

uint32_t choice_needs(const struct choice *choice)
{
	return fields_needs(choice->columns) | fields_needs(choice->sort) |
	       rows_by_needs(choice->by);
}

int choice_find(const struct choice *choice, const struct field *field)
{
	for (unsigned i = 0; choice->columns[i]; i++)
		if (choice->columns[i] == field)
			return (int)i;
	return -1;
}

bool choice_toggle(struct choice *choice, const struct field *field)
{
	unsigned n = choice_count(choice);
	int at = choice_find(choice, field);
	if (at < 0 && n == CHOICE_COLUMNS_MAX)
		return false;
	if (at < 0) {
		choice->columns[n] = field;
		choice->columns[n + 1] = NULL;
	} else if (n > 1) {
		memmove(&choice->columns[at], &choice->columns[at + 1],
			(n - (unsigned)at) * sizeof(choice->columns[0]));
	}
	return true;
}

unsigned choice_move(struct choice *choice, unsigned at, int by)
{
	unsigned n = choice_count(choice);
	int to = (int)at + by;
	if (at >= n || to < 0 || to >= (int)n)
		return at;
	const struct field *field = choice->columns[at];
	choice->columns[at] = choice->columns[to];
	choice->columns[to] = field;
	return (unsigned)to;
}

void choice_sort(struct choice *choice, const struct field *field)
{
	if (choice->sort[0] != field) {
		choice->sort[0] = field;
		choice->descending[0] = false;
	} else if (!choice->descending[0]) {
		choice->descending[0] = true;
	} else {
		choice->sort[0] = NULL;
	}
	choice->sort[1] = NULL;
}

/* ---- as text ---- */

static const struct field *find_field(const char *text, size_t length, bool has_events)
{
	char name[64];
	if (!length || length >= sizeof(name))
		return NULL;
	memcpy(name, text, length);
	name[length] = '\0';
	const struct field *field = field_find(name);
	return field && (field->of != OF_EVENT || has_events) ? field : NULL;
}

/* "port,-process" to at most @most fields. False: one is none, as of a newer version, or it is of
 * events and this is no list of them; the others are taken all the same. */
static bool parse_fields(const char *text, bool has_events, unsigned most,
			 const struct field **fields, bool *descending)
{
	unsigned n = 0;
	bool is_right = true;
	while (*text) {
		bool is_down = descending && *text == '-';
		text += is_down;
		size_t length = strcspn(text, ",");
		const struct field *field = find_field(text, length, has_events);
		bool is_there =
			false; /* twice it is of no use, and could be taken out once alone */
		for (unsigned i = 0; i < n; i++)
			is_there |= fields[i] == field;
		is_right = is_right && field && !is_there;
		if (field && !is_there && n < most) {
			if (descending)
				descending[n] = is_down;
			fields[n++] = field;
		}
		text += length + (text[length] == ',');
	}
	fields[n] = NULL;
	return is_right;
}

/* A list has a column at least. */
static bool parse_columns(const char *text, bool has_events, struct choice *choice)
{
	const struct choice was = *choice;
	bool is_right = parse_fields(text, has_events, CHOICE_COLUMNS_MAX, choice->columns, NULL);
	if (choice->columns[0])
		return is_right;
	*choice = was;
	return false;
}

/* Nothing: the usual order. */
static bool parse_sort(const char *text, bool has_events, struct choice *choice)
{
	return parse_fields(text, has_events, CHOICE_SORT_MAX, choice->sort, choice->descending);
}

static bool parse_group(const char *text, struct choice *choice)
{
	for (unsigned i = 0; rows_by_words[i]; i++)
		if (strcmp(rows_by_words[i], text) == 0) {
			choice->by = (enum rows_by)i;
			return true;
		}
	return false;
}

static bool parse_line(char *line, const char *const *names, struct choice *choices, unsigned n)
{
	const char *tab = strsep(&line, " "), *what = line ? strsep(&line, " ") : NULL;
	if (!line) /* "doors sort" alone: the usual order */
		line = (char *)"";
	if (!what)
		return !*tab || *tab == '#';
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(names[i], tab) != 0)
			continue;
		struct choice *choice = &choices[i];
		bool has_events = strcmp(tab, CHOICE_EVENTS) == 0;
		return strcmp(what, "columns") == 0 ? parse_columns(line, has_events, choice)
		       : strcmp(what, "sort") == 0  ? parse_sort(line, has_events, choice)
		       : strcmp(what, "group") == 0 ? parse_group(line, choice)
						    : false;
	}
	return *tab == '#';
}

void choices_parse(const char *text, const char *const *names, struct choice *choices, unsigned n,
		   unsigned *ret_wrong)
{
	char line[2048];
	*ret_wrong = 0;
	for (unsigned number = 1; *text; number++) {
		size_t length = strcspn(text, "\n"),
		       kept = length < sizeof(line) ? length : sizeof(line) - 1;
		memcpy(line, text, kept);
		line[kept] = '\0';
		if (!parse_line(line, names, choices, n) && !*ret_wrong)
			*ret_wrong = number;
		text += length + (text[length] == '\n');
	}
}

void choices_write(struct out *out, const char *const *names, const struct choice *choices,
		   unsigned n)
{
	out_string(out, "# what `doorward top` shows; it writes this file itself\n");
	for (unsigned i = 0; i < n; i++) {
		const struct choice *choice = &choices[i];
		out_format(out, "%s columns ", names[i]);
		for (unsigned k = 0; choice->columns[k]; k++)
			out_format(out, "%s%s", k ? "," : "", choice->columns[k]->name);
		out_format(out, "\n%s sort ", names[i]);
		for (unsigned k = 0; choice->sort[k]; k++)
			out_format(out, "%s%s%s", k ? "," : "", choice->descending[k] ? "-" : "",
				   choice->sort[k]->name);
		out_format(out, "\n%s group %s\n", names[i], rows_by_words[choice->by]);
	}
}
