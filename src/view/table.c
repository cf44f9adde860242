/* A table in two passes: how wide, then out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "view/table.h"

#define GAP 2
#define CELL_VALUES_MAX 4 /* of a list in one cell; then "+3" */

struct cell {
	struct out *out;
	size_t columns;
	uint32_t n;
	uint32_t left_out;
	const char *between;
	bool counts, is_utf8, never_cut;
};

static int add_value(void *data, const struct value *value, uint32_t times)
{
	struct cell *cell = data;
	if (cell->n >= CELL_VALUES_MAX && !cell->never_cut) {
		cell->left_out++;
		return 0;
	}
	if (cell->n++) {
		out_char(cell->out, ' ');
		cell->columns++;
	}
	cell->columns += value_text(cell->out, value);
	if (cell->counts && times > 1) {
		size_t before = cell->out->n;
		out_string(cell->out, cell->is_utf8 ? " ×" : " x");
		out_u64(cell->out, times);
		cell->columns += cell->out->n - before - (cell->is_utf8 ? 1 : 0);
	}
	return 0;
}

size_t table_cell(struct out *out, const struct rows *rows, uint32_t row, const struct field *field,
		  bool is_utf8)
{
	struct cell cell = {.out = out,
			    .counts = field->merge == MERGE_COUNT,
			    .is_utf8 = is_utf8,
			    .never_cut = field->flags & FIELD_NEVER_CUT};
	rows_values(rows, row, field, add_value, &cell);
	if (cell.left_out) {
		size_t before = out->n;
		out_string(out, " +");
		out_u64(out, cell.left_out);
		cell.columns += out->n - before;
	}
	return cell.columns;
}

struct column {
	const struct field *field;
	size_t wanted, width;
	bool is_shown;
};

static void measure(const struct rows *rows, struct column *columns, unsigned n,
		    struct out *scratch, bool is_utf8)
{
	for (uint32_t row = 0; row < rows->n_rows; row++)
		for (unsigned i = 0; i < n; i++) {
			scratch->n = 0;
			size_t width = table_cell(scratch, rows, row, columns[i].field, is_utf8);
			if (width > columns[i].wanted)
				columns[i].wanted = width;
		}
}

static size_t total(const struct column *columns, unsigned n)
{
	size_t sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += columns[i].is_shown ? columns[i].width + GAP : 0;
	return sum ? sum - GAP : 0;
}

/* Takes from the widest that may be cut, down to what each gets at least; then whole columns go,
 * the last first. */
static void fit(struct column *columns, unsigned n, size_t room)
{
	while (total(columns, n) > room) {
		struct column *widest = NULL;
		for (unsigned i = 0; i < n; i++) {
			struct column *column = &columns[i];
			size_t least = column->field->width > strlen(column->field->title)
					       ? column->field->width
					       : strlen(column->field->title);
			bool may = column->is_shown && !(column->field->flags & FIELD_NEVER_CUT) &&
				   column->width > least;
			if (may && (!widest || column->width > widest->width))
				widest = column;
		}
		if (!widest)
			break;
		widest->width--;
	}
	for (unsigned i = n; i-- > 0 && total(columns, n) > room;)
		if (!(columns[i].field->flags & FIELD_NEVER_CUT))
			columns[i].is_shown = false;
}

static const char *colour_of(const struct field *field, const char *text, size_t n)
{
	static const struct {
		const char *field, *text, *colour;
	} colours[] = {
		{"reach", "any", "\033[1;33m"},	      {"reach", "public", "\033[1;31m"},
		{"reach", "loopback", "\033[32m"},    {"reach", "private", "\033[33m"},
		{"reach", "shared", "\033[33m"},      {"state", "LISTEN", "\033[1m"},
		{"state", "ESTABLISHED", "\033[32m"}, {"user", "root", "\033[35m"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strcmp(field->name, colours[i].field) == 0 && strlen(colours[i].text) == n &&
		    memcmp(colours[i].text, text, n) == 0)
			return colours[i].colour;
	return NULL;
}

/* The text of a cell is shown already: cutting it needs no escaping again. */
static void print_cell(struct out *out, const struct column *column, const char *text, size_t n,
		       size_t width, bool is_last, const struct table_style *style)
{
	size_t pad = column->width > width ? column->width - width : 0;
	const char *colour = style->has_colour ? colour_of(column->field, text, n) : NULL;
	if (column->field->flags & FIELD_RIGHT)
		out_spaces(out, pad);
	if (colour)
		out_string(out, colour);
	if (width <= column->width || !style->columns)
		out_bytes(out, text, n);
	else
		text_show_cut(out, text, n, column->width, !style->is_utf8);
	if (colour)
		out_string(out, "\033[0m");
	if (!(column->field->flags & FIELD_RIGHT) && !is_last)
		out_spaces(out, pad);
}

static unsigned last_shown(const struct column *columns, unsigned n)
{
	unsigned last = 0;
	for (unsigned i = 0; i < n; i++)
		last = columns[i].is_shown ? i : last;
	return last;
}

static void print_rows(struct out *out, const struct rows *rows, const struct column *columns,
		       unsigned n, const struct table_style *style, struct out *scratch)
{
	unsigned last = last_shown(columns, n);
	for (uint32_t row = 0; row < rows->n_rows; row++) {
		bool is_first = true;
		for (unsigned i = 0; i < n; i++) {
			if (!columns[i].is_shown)
				continue;
			if (!is_first)
				out_spaces(out, GAP);
			is_first = false;
			scratch->n = 0;
			size_t width =
				table_cell(scratch, rows, row, columns[i].field, style->is_utf8);
			print_cell(out, &columns[i], scratch->data, scratch->n, width, i == last,
				   style);
		}
		out_char(out, '\n');
	}
}

static void print_titles(struct out *out, const struct column *columns, unsigned n,
			 const struct table_style *style)
{
	unsigned last = last_shown(columns, n);
	bool is_first = true;
	if (style->has_colour)
		out_string(out, "\033[2m");
	for (unsigned i = 0; i < n; i++) {
		if (!columns[i].is_shown)
			continue;
		size_t length = strlen(columns[i].field->title),
		       pad = columns[i].width > length ? columns[i].width - length : 0;
		if (!is_first)
			out_spaces(out, GAP);
		is_first = false;
		if (columns[i].field->flags & FIELD_RIGHT)
			out_spaces(out, pad);
		out_string(out, columns[i].field->title);
		if (!(columns[i].field->flags & FIELD_RIGHT) && i != last)
			out_spaces(out, pad);
	}
	out_string(out, style->has_colour ? "\033[0m\n" : "\n");
}

int table_print(struct out *out, const struct rows *rows, const struct field *const *fields,
		const struct table_style *style)
{
	unsigned n = 0;
	while (fields[n])
		n++;
	cleanup(freep) struct column *columns = calloc(n + 1, sizeof(*columns));
	cleanup(out_done) struct out scratch = {.fd = -1};
	if (!columns || out_init(&scratch, -1) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		columns[i].field = fields[i];
	measure(rows, columns, n, &scratch, style->is_utf8);
	for (unsigned i = 0; i < n; i++) {
		size_t title = strlen(fields[i]->title);
		columns[i].is_shown = columns[i].wanted || !style->hides_empty ||
				      fields[i]->flags & FIELD_NEVER_CUT;
		columns[i].width = columns[i].wanted > title ? columns[i].wanted : title;
	}
	if (style->columns)
		fit(columns, n, style->columns);
	print_titles(out, columns, n, style);
	print_rows(out, rows, columns, n, style, &scratch);
	return 0;
}
