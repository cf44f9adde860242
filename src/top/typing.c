/* What is typed below the list: the filter, a file's name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "model/moment.h"
#include "source/zone.h"
#include "top/state.h"

/* Under the place that is wrong a caret, and beside it what is wrong there; where there is no room
 * beside it, above the line. */
static void draw_error(struct top *top, unsigned row, int column)
{
	static const char before[] = "filter: ";
	const struct error *error = &top->line_error;
	struct canvas *canvas = &top->canvas;
	const struct style bad = {.ink = INK_BAD, .flags = CELL_BOLD};
	const char *what = error->what;
	char text[sizeof(error->what) + sizeof(error->hint) + 8];
	if (strncmp(what, before, sizeof(before) - 1) == 0)
		what += sizeof(before) - 1;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)strcspn(what, "\n"), what,
		 error->hint[0] ? "; " : "", error->hint);
	unsigned width = (unsigned)text_show(NULL, text, strlen(text)),
		 at = column < 0 ? 0 : (unsigned)column;
	if (column < 0 || column >= canvas->columns) {
		canvas_string(canvas, row, 0, canvas->columns, bad, text);
		return;
	}
	canvas_fill(canvas, row, at, 1, bad, '^');
	if (at + 2 + width <= canvas->columns) {
		canvas_string(canvas, row, at + 2, width, bad, text);
	} else if (width + 1 <= at) {
		canvas_string(canvas, row, at - width - 1, width, bad, text);
	} else if (row >= 2) {
		canvas_fill(canvas, row - 2, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
		canvas_string(canvas, row - 2, 0, canvas->columns, bad, text);
	}
}

static void draw_line(struct top *top, const char *label, const char *hint)
{
	struct canvas *canvas = &top->canvas;
	unsigned row = canvas->rows > 2 ? canvas->rows - 2u : 0;
	const struct error *error = &top->line_error;
	canvas_fill(canvas, row, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
	canvas_fill(canvas, row + 1, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
	int column = line_draw(&top->line, canvas, row, label, (int)error->place - 1);
	if (error->code)
		draw_error(top, row + 1, column);
	else
		canvas_string(canvas, row + 1, 0, canvas->columns, (struct style){INK_DIM}, hint);
}

/* ---- the filter ---- */

static void draw_filter(struct top *top)
{
	draw_line(top, "/",
		  "Enter keep  Esc as before  Tab a field's name; like: port = 443 and not user = "
		  "root");
}

/* The word before the cursor becomes the nearest field that begins with it. */
static void complete(struct top *top)
{
	struct line *line = &top->line;
	unsigned from = line->at;
	while (from && strchr(" ()=!<>~,", line->text[from - 1]) == NULL)
		from--;
	unsigned n = line->at - from;
	const struct field *field;
	for (unsigned i = 0; n && (field = field_at(i)); i++) {
		if (strncasecmp(field->name, line->text + from, n) != 0 ||
		    strlen(field->name) == n || field->flags & FIELD_NO_FILTER)
			continue;
		for (const char *at = field->name + n; *at; at++)
			line_input(line,
				   &(struct input){.kind = INPUT_CHAR, .point = (uint8_t)*at});
		return;
	}
}

/* What is right so far is shown at once; what is not leaves the list as it is. */
static void try_filter(struct top *top)
{
	top->line_error = (struct error){0};
	top_set_filter(top, top->line.text, &top->line_error);
}

static void input_filter(struct top *top, const struct input *input)
{
	if (input->kind == INPUT_ENTER) {
		if (!top->line_error.code)
			top->layer = NULL;
	} else if (input->kind == INPUT_ESCAPE ||
		   (input->kind == INPUT_CHAR && input->point == 3)) {
		top->layer = NULL;
		top_set_filter(top, top->kept_filter, NULL);
	} else if (input->kind == INPUT_TAB) {
		complete(top);
		try_filter(top);
	} else if (input->kind == INPUT_UP || input->kind == INPUT_DOWN ||
		   input->kind == INPUT_PAGE_UP || input->kind == INPUT_PAGE_DOWN) {
		tabs[top->tab].input(top, input);
	} else if (line_input(&top->line, input)) {
		try_filter(top);
	}
}

const struct layer layer_filter = {.draw = draw_filter, .input = input_filter, .takes_text = true};

/* ---- a file's name ---- */

static void draw_file(struct top *top)
{
	draw_line(top, "write to: ", "Enter write  Esc not; NAME.json, .jsonl, .csv, else a table");
}

static enum job_form form_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	if (dot && strcasecmp(dot, ".json") == 0)
		return FORM_JSON;
	if (dot && strcasecmp(dot, ".jsonl") == 0)
		return FORM_LINES;
	return dot && strcasecmp(dot, ".csv") == 0 ? FORM_CSV : FORM_TABLE;
}

/* "~/" is the caller's home, as in a shell. */
static int find_path(const char *name, char *path, size_t size, struct error *err)
{
	const char *home = getenv("HOME");
	bool is_home = strncmp(name, "~/", 2) == 0 && home && *home;
	int n = snprintf(path, size, "%s%s", is_home ? home : "", name + is_home);
	if (n <= 0)
		return error_text(err, -EINVAL, "it needs a name");
	if ((size_t)n >= size) /* half of it is another file's */
		return error_text(err, -ENAMETOOLONG, "that name is too long");
	return 0;
}

/* The columns that are shown, and those to the right. */
static void copy_seen(struct top *top, struct choice *to)
{
	const struct choice *choice = top_choice(top);
	unsigned n = 0;
	*to = *choice;
	for (unsigned i = 0; choice->columns[i]; i++)
		if (arrangement_shows(top->shown, choice->columns[i]))
			to->columns[n++] = choice->columns[i];
	to->columns[n] = NULL;
}

/* Opened here, where no capability is left: as the caller could. What is there already stays. */
static void write_file(struct top *top)
{
	char name[sizeof(((struct job *)NULL)->target)];
	if (find_path(top->line.text, name, sizeof(name), &top->line_error) < 0)
		return;
	struct job *job = job_new(JOB_WRITE);
	if (!job)
		return;
	job->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (job->fd < 0) {
		error_set(&top->line_error, -errno, "write %.100s", name);
		job_free(job);
		return;
	}
	snprintf(job->target, sizeof(job->target), "%s", name);
	job->form = form_of(name);
	job->shown = arrangement_hold(top->shown);
	copy_seen(top, &job->choice);
	job->is_utf8 = top->options->is_utf8;
	top->layer = NULL;
	if (top->jobs && jobs_add(top->jobs, job))
		return;
	job_do(job, &top->options->looking, top->options->stop); /* of a saved file */
	pager_finish(top, job);
}

static void input_file(struct top *top, const struct input *input)
{
	if (input->kind == INPUT_ENTER)
		write_file(top);
	else if (input->kind == INPUT_ESCAPE || (input->kind == INPUT_CHAR && input->point == 3))
		top->layer = NULL;
	else if (line_input(&top->line, input))
		top->line_error = (struct error){0};
}

const struct layer layer_file = {.draw = draw_file, .input = input_file, .takes_text = true};

/* ---- a moment ---- */

static void draw_moment(struct top *top)
{
	draw_line(top, "as of: ", "Enter go there  Esc not; 10m, 2 hours ago, yesterday 14:00");
}

static void go_there(struct top *top)
{
	uint64_t now = zone_now_ns(), time = 0;
	top->line_error = (struct error){0};
	if (moment_parse(top->line.text, now, &zone_local, &time, &top->line_error) < 0)
		return;
	if (time > now) {
		error_text(&top->line_error, -EINVAL, "that is still to come");
		return;
	}
	top->layer = NULL;
	walk_at(top, time);
}

static void input_moment(struct top *top, const struct input *input)
{
	if (input->kind == INPUT_ENTER)
		go_there(top);
	else if (input->kind == INPUT_ESCAPE || (input->kind == INPUT_CHAR && input->point == 3))
		top->layer = NULL;
	else if (line_input(&top->line, input))
		top->line_error = (struct error){0};
}

const struct layer layer_moment = {.draw = draw_moment, .input = input_moment, .takes_text = true};
