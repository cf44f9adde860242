/* The terminal, and the pager before it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/numbers.h"
#include "cmd/terminal.h"

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && value[0];
}

static bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_set(names[i]))
			return strcasestr(getenv(names[i]), "utf-8") ||
			       strcasestr(getenv(names[i]), "utf8");
	return false;
}

void terminal_detect(struct context *context)
{
	struct winsize size = {0};
	context->is_terminal = isatty(STDOUT_FILENO);
	context->is_utf8 = locale_is_utf8();
	context->columns = context->rows = 0;
	if (!context->is_terminal)
		return;
	const char *term = getenv("TERM");
	context->has_colour = !is_set("NO_COLOR") && term && strcmp(term, "dumb") != 0;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	uint32_t columns;
	const char *told = getenv("COLUMNS");
	context->columns = size.ws_col						? size.ws_col
			   : told && number_u32(told, 10, 10000, &columns) == 0 ? columns
										: 80;
	context->rows = size.ws_row ? size.ws_row : 24;
}

static pid_t pager;

static const char *pager_command(void)
{
	static const char *const names[] = {"DOORWARD_PAGER", "PAGER"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			return getenv(names[i]);
	return "less";
}

bool terminal_start_pager(struct context *context)
{
	int ends[2];
	const char *command = pager_command();
	if (!context->is_terminal || !command[0] || strcmp(command, "cat") == 0 || pipe(ends) < 0)
		return false;
	pager = fork();
	if (pager == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		setenv("LESS", "FRX", 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	if (pager < 0) {
		close(ends[1]);
		pager = 0;
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	context->out.fd = ends[1];
	return true;
}

void terminal_end_pager(struct context *context)
{
	if (!pager)
		return;
	close(context->out.fd);
	context->out.fd = -1;
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (context->out.error == -EPIPE) /* the reader had seen enough */
		context->out.error = 0;
	pager = 0;
}
