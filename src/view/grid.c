/* A small table of texts, fitted. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "view/grid.h"

#define GAP 2
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

struct cell {
	size_t at;
	uint32_t n, columns;
	const char *colour;
	bool is_heading;
};

int grid_init(struct grid *grid, const struct grid_column *columns, unsigned n_columns)
{
	*grid = (struct grid){.columns = columns, .n_columns = n_columns};
	vector_init(&grid->cells, sizeof(struct cell));
	return out_init(&grid->text, -1);
}

void grid_done(struct grid *grid)
{
	vector_done(&grid->cells);
	out_done(&grid->text);
}

struct out *grid_cell(struct grid *grid)
{
	grid->began = grid->text.n;
	return &grid->text;
}

static void add(struct grid *grid, const char *colour, bool is_heading)
{
	struct cell *cell = vector_add(&grid->cells);
	size_t n = grid->text.n - grid->began;
	if (!cell) {
		grid->text.error = -ENOMEM;
		return;
	}
	*cell = (struct cell){
		.at = grid->began,
		.n = (uint32_t)n,
		.columns = (uint32_t)(n ? text_show(NULL, grid->text.data + grid->began, n) : 0),
		.colour = colour,
		.is_heading = is_heading,
	};
}

void grid_end_cell(struct grid *grid, const char *colour)
{
	add(grid, colour, false);
}

void grid_heading(struct grid *grid, const char *text)
{
	text_show(grid_cell(grid), text, strlen(text));
	add(grid, NULL, true);
}

struct fit {
	size_t wanted[GRID_COLUMNS_MAX], width[GRID_COLUMNS_MAX];
	bool is_shown[GRID_COLUMNS_MAX];
};

static void measure(const struct grid *grid, struct fit *fit)
{
	unsigned column = 0;
	*fit = (struct fit){.wanted = {0}};
	for (uint32_t i = 0; i < grid->cells.n; i++) {
		const struct cell *cell = vector_at(&grid->cells, i);
		if (cell->is_heading)
			continue;
		if (cell->columns > fit->wanted[column])
			fit->wanted[column] = cell->columns;
		column = (column + 1) % grid->n_columns;
	}
	for (unsigned i = 0; i < grid->n_columns; i++) {
		size_t title = strlen(grid->columns[i].title);
		fit->is_shown[i] = fit->wanted[i] > 0 ||
				   !(grid->columns[i].leaves || grid->columns[i].hides_empty);
		if (title > fit->wanted[i])
			fit->wanted[i] = title;
	}
}

static size_t total(const struct grid *grid, const struct fit *fit)
{
	size_t sum = 0;
	for (unsigned i = 0; i < grid->n_columns; i++)
		if (fit->is_shown[i])
			sum += fit->width[i] + (sum ? GAP : 0);
	return sum;
}

/* The widest that may be cut gives one column. */
static bool narrow(const struct grid *grid, struct fit *fit)
{
	size_t *widest = NULL;
	for (unsigned i = 0; i < grid->n_columns; i++)
		if (fit->is_shown[i] && grid->columns[i].least &&
		    fit->width[i] > grid->columns[i].least && (!widest || fit->width[i] > *widest))
			widest = &fit->width[i];
	if (widest)
		(*widest)--;
	return widest != NULL;
}

static bool leave_out(const struct grid *grid, struct fit *fit)
{
	int last = -1;
	for (unsigned i = 0; i < grid->n_columns; i++)
		if (fit->is_shown[i] && grid->columns[i].leaves &&
		    (last < 0 || grid->columns[i].leaves > grid->columns[last].leaves))
			last = (int)i;
	if (last >= 0)
		fit->is_shown[last] = false;
	return last >= 0;
}

static void fit_to(const struct grid *grid, struct fit *fit, unsigned columns)
{
	do {
		memcpy(fit->width, fit->wanted, sizeof(fit->width));
		if (!columns)
			return;
		while (total(grid, fit) > columns && narrow(grid, fit))
			;
	} while (total(grid, fit) > columns && leave_out(grid, fit));
}

static void put(struct out *out, const char *bytes, size_t n, size_t columns, size_t width,
		bool is_right, bool is_last, const char *colour, bool is_utf8)
{
	size_t pad = columns < width ? width - columns : 0;
	if (is_right)
		out_spaces(out, pad);
	if (colour)
		out_string(out, colour);
	if (columns > width)
		text_show_cut(out, bytes, n, width, !is_utf8);
	else
		out_bytes(out, bytes, n);
	if (colour)
		out_string(out, PLAIN);
	if (!is_right && !is_last)
		out_spaces(out, pad);
	if (!is_last)
		out_spaces(out, GAP);
}

static unsigned last_shown(const struct grid *grid, const struct fit *fit)
{
	unsigned last = 0;
	for (unsigned i = 0; i < grid->n_columns; i++)
		last = fit->is_shown[i] ? i : last;
	return last;
}

static void put_titles(const struct grid *grid, const struct fit *fit, struct out *out,
		       const struct grid_style *style)
{
	unsigned last = last_shown(grid, fit);
	for (unsigned i = 0; i < grid->n_columns; i++) {
		const char *title = grid->columns[i].title;
		if (fit->is_shown[i])
			put(out, title, strlen(title), strlen(title), fit->width[i],
			    grid->columns[i].is_right, i == last, style->has_colour ? BOLD : NULL,
			    style->is_utf8);
	}
	out_char(out, '\n');
}

int grid_print(const struct grid *grid, struct out *out, const struct grid_style *style)
{
	struct fit fit;
	if (grid->text.error)
		return grid->text.error;
	measure(grid, &fit);
	fit_to(grid, &fit, style->columns);
	put_titles(grid, &fit, out, style);
	unsigned column = 0, last = last_shown(grid, &fit);
	for (uint32_t i = 0; i < grid->cells.n; i++) {
		const struct cell *cell = vector_at(&grid->cells, i);
		const char *text = grid->text.data + cell->at,
			   *colour = style->has_colour ? cell->colour : NULL;
		if (cell->is_heading) {
			put(out, text, cell->n, cell->columns, cell->columns, false, true,
			    style->has_colour ? DIM : NULL, style->is_utf8);
			out_char(out, '\n');
			continue;
		}
		if (fit.is_shown[column])
			put(out, text, cell->n, cell->columns, fit.width[column],
			    grid->columns[column].is_right, column == last, colour, style->is_utf8);
		if (++column == grid->n_columns) {
			out_char(out, '\n');
			column = 0;
		}
	}
	return 0;
}
