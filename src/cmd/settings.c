/* Default options from a file of the user. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/settings.h"

#define FILE_MAX 65536
#define WORDS_MAX 256

static int open_file(void)
{
	char path[4096];
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && config[0] == '/')
		snprintf(path, sizeof(path), "%s/doorward/options", config);
	else if (home && home[0] == '/')
		snprintf(path, sizeof(path), "%s/.config/doorward/options", home);
	else
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* "list --sort port" or "--sort port" (for list); "#" begins a comment. */
static unsigned split_line(char *line, const struct command *command, char **words, unsigned n)
{
	char *rest = line;
	bool is_first = true, is_for_us = strcmp(command->name, "list") == 0;
	for (char *word; n < WORDS_MAX && (word = strsep(&rest, " \t"));) {
		if (!word[0])
			continue;
		if (word[0] == '#')
			break;
		if (is_first && word[0] != '-') {
			is_for_us = strcmp(word, command->name) == 0;
			is_first = false;
			continue;
		}
		is_first = false;
		if (is_for_us)
			words[n++] = word;
	}
	return n;
}

int settings_prepend(struct context *context, const struct command *command, char **arguments,
		     char ***ret, struct error *err)
{
	cleanup(closep) int fd = open_file();
	*ret = arguments;
	if (fd < 0)
		return 0;
	char *text = arena_alloc(&context->arena, FILE_MAX);
	ssize_t n = text ? read(fd, text, FILE_MAX - 1) : -1;
	if (n <= 0)
		return 0;

	char *words[WORDS_MAX];
	unsigned n_words = 0, n_arguments = 0;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		n_words = split_line(line, command, words, n_words);
	while (arguments[n_arguments])
		n_arguments++;
	char **all = arena_alloc(&context->arena, (n_words + n_arguments + 1) * sizeof(*all));
	if (!all)
		return error_set(err, -ENOMEM, "read the default options");
	memcpy(all, words, n_words * sizeof(*all));
	memcpy(all + n_words, arguments, n_arguments * sizeof(*all));
	*ret = all;
	return 0;
}
