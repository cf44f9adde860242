/* Default options from a file of the user. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/settings.h"

#define FILE_MAX 65536
#define WORDS_MAX 64

/* The next word of a line at *@at, in place and ended by NUL; NULL: no more. -EINVAL in *@r: a
 * quote is not closed. */
static char *next_word(char **at, int *r)
{
	char *from = *at + strspn(*at, " \t\r"), *to = from, *word = from;
	if (!*from || *from == '#') {
		*at = from + strlen(from);
		return NULL;
	}
	char quote = '\0';
	for (; *from && (quote || !strchr(" \t\r", *from)); from++) {
		if (*from == quote)
			quote = '\0';
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else
			*to++ = *from;
	}
	*r = quote ? -EINVAL : 0;
	*at = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static int split(char *line, char **words, unsigned *n, struct error *err)
{
	int r = 0;
	char *word;
	*n = 0;
	while ((word = next_word(&line, &r))) {
		if (r < 0)
			return error_text(err, r, "a quote is not closed");
		if (*n == WORDS_MAX)
			return error_text(err, -EINVAL, "more than %d words", WORDS_MAX);
		words[(*n)++] = word;
	}
	words[*n] = NULL;
	return 0;
}

static int read_line(const struct command *command, char *line, void *settings, struct error *err)
{
	char *words[WORDS_MAX + 1], **options = words;
	unsigned n, n_rest;
	int r = split(line, words, &n, err);
	if (r < 0 || !n)
		return r;
	const struct command *whose = command_find(words[0][0] == '-' ? "list" : words[0]);
	if (!whose)
		return error_text(err, -EINVAL, "%.60s is no command", words[0]);
	if (whose != command)
		return 0;
	options += words[0][0] != '-';
	r = options_parse(command->options, settings, options, false, &n_rest, err);
	if (r >= 0 && n_rest)
		r = error_text(err, -EINVAL, "%.60s is no option", options[0]);
	return r;
}

static int parse(const struct command *command, char *text, const char *name, void *settings,
		 struct error *err)
{
	char *rest = text, *line;
	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		struct error why = {0};
		int r = read_line(command, line, settings, &why);
		if (r < 0) {
			error_text(err, r, "%.100s:%u: %.90s", name, number, why.what);
			if (why.hint[0])
				error_hint(err, "%s", why.hint);
			return r;
		}
	}
	return 0;
}

static bool find_path(char *path, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = -1;
	if (config && config[0] == '/')
		n = snprintf(path, size, "%s/doorward/options", config);
	else if (home && home[0] == '/')
		n = snprintf(path, size, "%s/.config/doorward/options", home);
	return n > 0 && (size_t)n < size;
}

static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t r = read(fd, text + n, size - n);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			break;
		n += r > 0 ? (size_t)r : 0;
	}
	return (ssize_t)n;
}

int settings_read(struct context *context, const struct command *command, void *settings,
		  struct error *err)
{
	char path[4096];
	if (!find_path(path, sizeof(path)))
		return 0;
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0; /* another's home, as behind sudo, is none of ours */
	if (fd < 0)
		return error_set(err, -errno, "open %.100s", path);
	char *text = arena_alloc(&context->arena, FILE_MAX + 1);
	if (!text)
		return error_set(err, -ENOMEM, "read the default options");
	ssize_t n = read_whole(fd, text, FILE_MAX);
	if (n < 0)
		return error_set(err, (int)n, "read %.100s", path);
	if (n == FILE_MAX)
		return error_text(err, -EFBIG, "%.100s: more than %d bytes", path, FILE_MAX - 1);
	text[n] = '\0';
	return parse(command, text, path, settings, err);
}
