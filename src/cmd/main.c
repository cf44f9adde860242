/* From the command line to a command, and from what it returned to an exit status. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/faults.h"
#include "base/privilege.h"
#include "base/text.h"
#include "cmd/archive.h"
#include "cmd/help.h"
#include "cmd/look.h"
#include "cmd/settings.h"
#include "cmd/terminal.h"
#include "model/field.h"
#include "model/target.h"

/* The lines of a caret stay lines: they are indented. A newline that was typed is shown as such. */
static size_t line_length(const char *text)
{
	size_t n = 0;
	while (text[n] && strncmp(text + n, "\n  ", 3) != 0)
		n++;
	return n;
}

static void tell(const struct context *context, const char *command, const struct error *err)
{
	struct out out;
	if (out_init(&out, 2) < 0) {
		dprintf(2, "%s: out of memory\n", context->program);
		return;
	}
	out_string(&out, context->program);
	out_string(&out, ": ");
	if (command) {
		out_string(&out, command);
		out_string(&out, ": ");
	}
	for (const char *line = err->what; *line;) {
		size_t n = line_length(line);
		text_show(&out, line, n);
		line += n;
		if (*line) {
			out_char(&out, '\n');
			line++;
		}
	}
	out_char(&out, '\n');
	if (err->hint[0]) {
		out_string(&out, "  ");
		text_show(&out, err->hint, strlen(err->hint));
		out_char(&out, '\n');
	}
	out_flush(&out);
	out_done(&out);
}

static bool has_letter(const struct command *command, char letter)
{
	for (const struct option *option = command->options; option->kind != OPTION_END; option++)
		if (option->letter == letter)
			return true;
	return false;
}

static bool wants_help(const struct command *command, char **arguments)
{
	bool is_letter_free = !has_letter(command, 'h');
	for (; *arguments && strcmp(*arguments, "--") != 0; arguments++)
		if (strcmp(*arguments, "--help") == 0 ||
		    (is_letter_free && strcmp(*arguments, "-h") == 0))
			return true;
	return false;
}

static int check_arguments(const struct command *command, unsigned n, char **arguments,
			   struct error *err)
{
	if (n < command->min) {
		error_text(err, -EINVAL, "it needs %s", command->arguments);
		error_hint(err, "`doorward help %s` tells more", command->name);
		return -EINVAL;
	}
	if (n > command->max) {
		error_text(err, -EINVAL, "%.60s is one argument too many", arguments[command->max]);
		return -EINVAL;
	}
	return 0;
}

static int run_command(struct context *context, const struct command *command, char **arguments,
		       struct error *err)
{
	unsigned n;
	cleanup(freep) void *settings = calloc(1, command->settings_size + 1);
	if (!settings)
		return error_set(err, -ENOMEM, "read the options");
	if (wants_help(command, arguments)) {
		help_command(&context->out, command, context->columns);
		return EXIT_DONE;
	}
	if (command->set_defaults)
		command->set_defaults(settings);
	int r = settings_read(context, command, settings, err);
	if (r >= 0)
		r = options_parse(command->options, settings, arguments, command->stop_at_first, &n,
				  err);
	if (r >= 0)
		r = check_arguments(command, n, arguments, err);
	if (r >= 0 && command->prepare)
		r = command->prepare(context, settings, arguments, err);
	if (r < 0)
		return r;
	privilege_keep(command->capabilities);
	return command->run(context, settings, arguments, err);
}

/* "port", "port=80", "port = 80": a field's name stands first. */
static bool begins_filter(const char *word)
{
	char name[32];
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (!n || n >= sizeof(name))
		return false;
	memcpy(name, word, n);
	name[n] = '\0';
	return field_find(name) != NULL;
}

static const char *nearest_command(const char *word)
{
	const char *names[64] = {0};
	for (unsigned i = 0; i < 63 && commands[i]; i++)
		names[i] = commands[i]->name;
	return text_nearest(word, names);
}

/* A filter without its command; @words begins with a field. */
static void hint_filter(char **words, struct error *err)
{
	const char *word = words[0], *next = words[1];
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (word[n])
		error_hint(err, "a filter stands behind a command: doorward list '%.60s'", word);
	else if (next && isalnum((unsigned char)next[0]) && strcmp(next, "in") != 0)
		error_hint(err, "a filter stands behind a command: doorward list '%.60s = %.40s'",
			   word, next);
	else if (field_find(word)->kind == VALUE_BOOL)
		error_hint(err, "a filter stands behind a command: doorward list %.60s", word);
	else
		error_hint(err,
			   "a filter stands behind a command: doorward list '%.60s %.2s %.40s'",
			   word, next ? next : "=", next && words[2] ? words[2] : "VALUE");
}

static int unknown(struct context *context, char **words, struct error *err)
{
	const char *word = words[0];
	const char *nearest = nearest_command(word);
	error_text(err, -EINVAL, "%.60s is no command, no port and no name of a service", word);
	if (begins_filter(word))
		hint_filter(words, err);
	else if (nearest || (nearest = service_nearest(look_services(context), word)))
		error_hint(err, "did you mean %s?", nearest);
	else
		error_hint(err, "`doorward help` lists the commands");
	return -EINVAL;
}

/* Which command the first word means, and where its arguments begin. */
static const struct command *choose(struct context *context, char ***arguments, struct error *err)
{
	const char *word = **arguments;
	if (!word || word[0] == '-')
		return command_find("list");
	const struct command *command = command_find(word);
	if (command) {
		(*arguments)++;
		return command;
	}
	if (target_looks_like(word, look_services(context)))
		return command_find("show");
	unknown(context, *arguments, err);
	return NULL;
}

static int no_command(const char *word, struct error *err)
{
	const char *nearest = nearest_command(word);
	error_text(err, -EINVAL, "help: %.60s is no command", word);
	if (nearest)
		error_hint(err, "did you mean %s?", nearest);
	else
		error_hint(err, "`doorward help` lists the commands");
	return -EINVAL;
}

static int run_help(struct context *context, const char *word, struct error *err)
{
	const struct command *command = word ? command_find(word) : NULL;
	if (word && !command)
		return no_command(word, err);
	if (command)
		help_command(&context->out, command, context->columns);
	else
		help_overview(&context->out, context->columns);
	return EXIT_DONE;
}

/* A link of that name is that command: for hands that know the old tools. */
static const struct command *called_as(const char *called)
{
	static const char *const names[] = {"netstat", "fport", "mport"};
	const char *slash = strrchr(called, '/'), *base = slash ? slash + 1 : called;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(base, names[i]) == 0)
			return command_find(base);
	return NULL;
}

static int dispatch(struct context *context, const char *called, char **arguments,
		    const char **ret_command, struct error *err)
{
	const struct command *command = called_as(called);
	const char *first = arguments[0] ? arguments[0] : "";
	if (!command && (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 ||
			 strcmp(first, "-h") == 0))
		return run_help(context, strcmp(first, "help") == 0 ? arguments[1] : NULL, err);
	if (!command && (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)) {
		out_string(&context->out, "doorward " VERSION "\n");
		return EXIT_DONE;
	}
	if (!command)
		command = choose(context, &arguments, err);
	if (!command)
		return -EINVAL;
	*ret_command = command->name;
	return run_command(context, command, arguments, err);
}

/* The last of the output, what went wrong, and the exit status. */
static int end(struct context *context, const char *command, int r, struct error *err)
{
	out_flush(&context->out);
	int paged = terminal_end_pager(context);
	if (paged < 0) {
		error_text(err, paged, "the pager could not be started");
		error_hint(err, "set PAGER to one that is installed, or use --no-pager");
		tell(context, NULL, err);
		return EXIT_REFUSED;
	}
	if (context->out.error) {
		error_set(err, context->out.error, "write the output");
		tell(context, NULL, err);
		return EXIT_REFUSED;
	}
	if (r < 0) {
		if (!err->code)
			error_set(err, r, "it did not work");
		tell(context, command, err);
		return r == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
	}
	return stop_wanted(context->stop) && !context->ends_by_stop ? EXIT_REFUSED : r;
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct context context = {.program = "doorward", .stop = stop_install()};
	const char *command = NULL;
	static char *none[] = {NULL};
	faults_start();
	if (out_init(&context.out, 1) < 0) {
		tell(&context, NULL, &(struct error){.what = "out of memory"});
		return EXIT_REFUSED;
	}
	privilege_lay_aside();
	arena_init(&context.arena);
	terminal_detect(&context);
	int r = host_open(NULL, &context.host, &err);
	context.host.stop = context.stop;
	if (r >= 0)
		r = dispatch(&context, argc ? argv[0] : "doorward", argc ? argv + 1 : none,
			     &command, &err);

	r = end(&context, command, r, &err);
	archive_close(&context);
	host_close(&context.host);
	arena_done(&context.arena);
	out_done(&context.out);
	return r;
}
