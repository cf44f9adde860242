/* The terminal, and the pager before it. */
#include <errno.h>
#include <fcntl.h>
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

static bool is_installed(const char *program)
{
	const char *path = getenv("PATH");
	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		char file[4096];
		size_t n = strcspn(at, ":");
		int length = snprintf(file, sizeof(file), "%.*s/%s", (int)n, at, program);
		if (n && length > 0 && (size_t)length < sizeof(file) && access(file, X_OK) == 0)
			return true;
		at += n + (at[n] == ':');
	}
	return false;
}

/* NULL: none. */
static const char *pager_command(void)
{
	static const char *const names[] = {"DOORWARD_PAGER", "PAGER"};
	const char *command = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names) && !command; i++)
		command = getenv(names[i]);
	if (!command)
		command = is_installed("less") ? "less" : "";
	return command[0] && strcmp(command, "cat") != 0 ? command : NULL;
}

static void run_pager(const char *command, const int ends[2])
{
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	setenv("LESS", "FRX", 0); /* quit if it fits, colours, leave the screen as it is */
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

bool terminal_start_pager(struct context *context)
{
	int ends[2];
	const char *command = pager_command();
	if (!context->is_terminal || !command || pager || pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pager = fork();
	if (pager == 0)
		run_pager(command, ends);
	close(ends[0]);
	if (pager < 0) {
		close(ends[1]);
		pager = 0;
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!stop_wanted(context->stop))
		context->ends_by_stop = true; /* all is collected: ^C is for the pager */
	context->out.fd = ends[1];
	return true;
}

void terminal_hold_page(struct context *context)
{
	out_flush(&context->out);
	context->out.fd = -1;
}

void terminal_show_page(struct context *context, bool has_pager)
{
	struct out *out = &context->out;
	size_t n_lines = 0;
	for (size_t i = 0; i < out->n; i++)
		n_lines += out->data[i] == '\n';
	out->fd = STDOUT_FILENO;
	if (has_pager && n_lines + 1 > context->rows) /* and the line of the shell */
		terminal_start_pager(context);
}

int terminal_end_pager(struct context *context)
{
	if (!pager)
		return 0;
	int status = 0;
	close(context->out.fd);
	context->out.fd = -1;
	while (waitpid(pager, &status, 0) < 0 && errno == EINTR)
		continue;
	pager = 0;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
		return -ENOEXEC;
	if (context->out.error == -EPIPE) /* the reader had seen enough */
		context->out.error = 0;
	return 0;
}
