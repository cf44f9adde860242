/* Manual pages (man(7)): prose from a file, the rest from the descriptors. */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "model/field.h"
#include "top/keys.h"

/* A dash is a minus, so that it can be copied; a dot or quote at the start is no request. */
static void print_roff(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	for (; *text; text++)
		if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else
			putchar(*text);
}

static bool copy_prose(const char *path)
{
	cleanup(fclosep) FILE *file = fopen(path, "re");
	char line[1024];
	while (file && fgets(line, sizeof(line), file))
		fputs(line, stdout);
	return file && !ferror(file);
}

static void print_option(const struct option *option)
{
	printf(".TP\n.B ");
	if (option->letter)
		printf("\\-%c%s", option->letter, option->name ? ", " : "");
	if (option->name) {
		print_roff(option->is_single_dash ? "-" : "--");
		print_roff(option->name);
	}
	if (option->argument)
		printf(" \\fI%s\\fR", option->argument);
	printf("\n");
	print_roff(option->help);
	printf("\n");
}

static void print_options(const struct command *command)
{
	printf(".SH OPTIONS\n");
	for_each_option (option, command)
		print_option(option);
	printf(".TP\n.B \\-\\-help\ntell of the command, and nothing else\n");
}

static void print_field_list(void)
{
	const struct field *field;
	printf(".SH FIELDS\n");
	for (unsigned i = 0; (field = field_any_at(i)); i++) {
		printf(".TP\n.B ");
		print_roff(field->name);
		printf("\n");
		print_roff(field->help);
		printf("%s\n", field->of == OF_HOLDER  ? " (of a holder)"
			       : field->of == OF_EVENT ? " (of an event)"
						       : "");
	}
}

static void print_keys(void)
{
	printf(".SH KEYS\n");
	for (const struct key_binding *key = top_keys; key->shown; key++) {
		if (!key->help)
			continue;
		printf(".TP\n.B ");
		print_roff(key->shown);
		printf("\n");
		print_roff(key->help);
		printf("\n");
	}
}

static void print_examples(const struct command *command)
{
	if (!command->examples)
		return;
	printf(".SH EXAMPLES\n.nf\n");
	for (unsigned i = 0; command->examples[i]; i++) {
		print_roff(command->examples[i]);
		printf("\n");
	}
	printf(".fi\n");
}

static void print_start(const char *name, const char *summary)
{
	printf(".TH \"");
	for (; *name; name++) /* by hand: no locale */
		putchar(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	printf("\" 1 \"\" \"doorward " VERSION "\" \"Doorward\"\n.SH NAME\n%s\n", summary);
}

/* What 1 means as an exit status, and which pages are near. */
static const struct ending {
	const char *name, *one; /* NULL: never 1 */
	const char *near[5];
} endings[] = {
	{"list", "nothing matched", {"fields", "history", "show", "watch"}},
	{"top", NULL, {"list", "serve", "watch"}},
	{"show", "nothing is there", {"close", "deliver", "list", "why"}},
	{"deliver", "no socket gets it", {"show", "why"}},
	{"close",
	 "something is not free afterwards, or nothing is open there",
	 {"block", "show", "why"}},
	{"block", NULL, {"blocks", "close", "unblock"}},
	{"unblock", "nothing was blocked there", {"block", "blocks"}},
	{"blocks", "nothing is blocked", {"block", "unblock"}},
	{"explain", NULL, {"show"}},
	{"why",
	 "it cannot be bound, or with --connect not reached (with a COMMAND the status is its own)",
	 {"close", "deliver", "free"}},
	{"free", "fewer are free than were wanted", {"why"}},
	{"serve", NULL, {"record", "top"}},
	{"scan", "no door is open", {"deliver", "list", "why"}},
	{"watch", NULL, {"fields", "history", "list", "record"}},
	{"record", NULL, {"history", "watch"}},
	{"history", "nothing matched", {"fields", "list", "record"}},
	{"netstat", NULL, {"fport", "list", "mport"}},
	{"fport", NULL, {"list", "mport", "netstat"}},
	{"mport", NULL, {"fport", "list", "netstat"}},
	{"fields", NULL, {"list"}},
	{"version", NULL, {NULL}},
};

/* NULL: one that was forgotten. */
static const struct ending *ending_of(const struct command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (strcmp(endings[i].name, command->name) == 0)
			return endings + i;
	return NULL;
}

static void print_end(const struct ending *ending)
{
	printf(".SH EXIT STATUS\n0 done; ");
	if (ending->one) {
		printf("1 ");
		print_roff(ending->one);
		printf("; ");
	}
	printf("2 the command line or a filter was wrong; 3 the system refused or failed.\n"
	       ".SH SEE ALSO\n.BR doorward (1)");
	for (unsigned i = 0; i < ARRAY_SIZE(ending->near) && ending->near[i]; i++)
		printf(",\n.BR doorward\\-%s (1)", ending->near[i]);
	printf("\n");
}

static bool print_page(const struct command *command, const char *prose)
{
	char name[64], summary[256];
	snprintf(name, sizeof(name), "doorward-%s", command->name);
	snprintf(summary, sizeof(summary), "doorward\\-%s \\- %s", command->name, command->summary);
	print_start(name, summary);
	printf(".SH SYNOPSIS\n.B doorward %s\n[\\fIOPTION\\fR...]", command->name);
	if (command->arguments && command->arguments[0])
		printf(" \\fI%s\\fR", command->arguments);
	printf("\n.SH DESCRIPTION\n");
	if (!copy_prose(prose) || !ending_of(command))
		return false;
	print_options(command);
	if (strcmp(command->name, "fields") == 0)
		print_field_list();
	if (strcmp(command->name, "top") == 0)
		print_keys();
	print_examples(command);
	print_end(ending_of(command));
	return true;
}

bool describe_man(const struct command *command, const char *prose)
{
	if (command)
		return print_page(command, prose);
	print_start("doorward",
		    "doorward \\- every port of this host, who holds it, who can reach it");
	printf(".SH SYNOPSIS\n.B doorward\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR...] "
	       "[\\fIARGUMENT\\fR...]\n.br\n.B doorward\n\\fITARGET\\fR\n.SH DESCRIPTION\n");
	if (!copy_prose(prose))
		return false;
	printf(".SH COMMANDS\n");
	for_each_command (listed) {
		printf(".TP\n.BR doorward\\-%s (1)\n", listed->name);
		print_roff(listed->summary);
		printf("\n");
	}
	printf(".SH SEE ALSO\n.BR ss (8),\n.BR lsof (8),\n.BR netstat (8)\n");
	return true;
}
