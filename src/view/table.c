/* A table in two passes: how wide, then out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "view/table.h"

#define GAP 2
#define CELL_VALUES_MAX 4 /* of a list in one cell of a terminal; then "+3" */
#define MARK "!"

/* A cell's text, escaped, and how many columns of the terminal it takes. */
struct shown {
	const char *bytes;
	size_t n, columns;
};

#define AGAIN_MAX 64

struct column {
	const struct field *field;
	size_t wanted, width;
	bool is_shown;
	bool is_holder; /* says who holds it: where no process does, it says that */
	/* the value of the row before, for it mostly comes again */
	struct value last;
	char again[AGAIN_MAX];
	struct shown again_shown;
};

/* ---- one cell ---- */

struct cell {
	struct out *out; /* in memory */
	size_t columns;
	uint32_t n, most, left_out;
	bool counts, is_utf8, is_ascii;
};

/* A terminal without UTF-8 takes bytes from 0x80 to 0x9f for controls. */
static size_t escape_high(struct out *out, size_t from)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = out->n - from, n_high = 0;
	for (size_t i = from; i < out->n; i++)
		n_high += (uint8_t)out->data[i] >= 0x80;
	if (!n_high || !out_room(out, 3 * n_high))
		return n;
	size_t to = out->n + 3 * n_high;
	for (size_t i = out->n; i-- > from;) {
		uint8_t byte = (uint8_t)out->data[i];
		if (byte < 0x80) {
			out->data[--to] = (char)byte;
			continue;
		}
		to -= 4;
		const char escape[4] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
		memcpy(out->data + to, escape, sizeof(escape));
	}
	out->n += 3 * n_high;
	return n + 3 * n_high;
}

static int add_value(void *data, const struct value *value, uint32_t times)
{
	struct cell *cell = data;
	if (cell->n == cell->most) {
		cell->left_out++;
		return 0;
	}
	if (cell->n++) {
		out_char(cell->out, ' ');
		cell->columns++;
	}
	size_t from = cell->out->n, columns = value_text(cell->out, value);
	cell->columns += cell->is_ascii ? escape_high(cell->out, from) : columns;
	if (cell->counts && times > 1) {
		from = cell->out->n;
		out_string(cell->out, cell->is_utf8 ? " ×" : " x");
		out_u64(cell->out, times);
		cell->columns += cell->out->n - from - (cell->is_utf8 ? 1 : 0);
	}
	return 0;
}

/* Nobody's name, but not nothing: "nobody holds it" and "I may not look" are told apart. */
static void add_holder(const struct socket *socket, struct cell *cell)
{
	if (socket->held_by != HELD_KERNEL && socket->held_by != HELD_UNSEEN)
		return;
	out_char(cell->out, '(');
	out_string(cell->out, held_by_words[socket->held_by]);
	out_char(cell->out, ')');
	cell->columns = cell->out->n;
}

/* Its text was made from these very bytes or this number: it would be the same again. */
static bool is_again(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch ((enum value_kind)a->kind) {
	case VALUE_WORD:
	case VALUE_STRING:
		return a->text == b->text && a->length == b->length && a->text != a->scratch;
	case VALUE_UINT:
	case VALUE_BOOL:
		return a->number == b->number;
	default:
		return false;
	}
}

/* A row of one socket with one holder at most: its value, if any, stands alone. */
static struct shown read_single(struct out *out, const struct record *record, struct column *column,
				struct cell *cell, char scratch[256])
{
	struct value value = {.scratch = scratch};
	column->field->get(record, &value);
	if (is_again(&value, &column->last))
		return column->again_shown;
	if (value.kind != VALUE_NULL)
		add_value(cell, &value, 1);
	else if (column->is_holder)
		add_holder(record->socket, cell);
	struct shown shown = {out->data, out->n, cell->columns};
	column->last.kind = VALUE_NULL;
	if (value.kind == VALUE_NULL || out->n > AGAIN_MAX)
		return shown;
	column->last = value;
	memcpy(column->again, out->data, out->n);
	column->again_shown = (struct shown){column->again, out->n, cell->columns};
	return shown;
}

/* One row as its cells are asked for. */
struct row {
	const struct rows *rows;
	uint32_t number;
	struct record record; /* of its first socket */
	bool is_single, is_held_once;
};

static struct row row_at(const struct rows *rows, uint32_t number)
{
	struct row row = {.rows = rows, .number = number};
	rows_record(rows, number, 0, &row.record);
	row.is_single = rows_length(rows, number) == 1;
	row.is_held_once = row.is_single && (!row.record.holder || row.record.holder->next == NONE);
	return row;
}

/* @out is where the text may be made; it stands until the next cell is read. */
static struct shown read_cell(struct out *out, const struct row *row, struct column *column,
			      const struct table_style *style)
{
	char scratch[256];
	const struct field *field = column->field;
	bool is_whole = !style->columns || field->flags & FIELD_NEVER_CUT;
	struct cell cell = {.out = out,
			    .most = is_whole ? UINT32_MAX : CELL_VALUES_MAX,
			    .counts = field->merge == MERGE_COUNT,
			    .is_utf8 = style->is_utf8,
			    .is_ascii = style->is_terminal && !style->is_utf8};
	out->n = 0;
	if (field->of == OF_SOCKET ? row->is_single : row->is_held_once)
		return read_single(out, &row->record, column, &cell, scratch);
	if (!rows_values(row->rows, row->number, field, add_value, &cell) && column->is_holder)
		add_holder(row->record.socket, &cell);
	if (cell.left_out) {
		size_t before = out->n;
		out_string(out, " +");
		out_u64(out, cell.left_out);
		cell.columns += out->n - before;
	}
	return (struct shown){out->data, out->n, cell.columns};
}

/* ---- how wide ---- */

static void measure(const struct rows *rows, struct column *columns, unsigned n,
		    const struct table_style *style, struct out *scratch)
{
	for (uint32_t number = 0; number < rows->n_rows; number++) {
		struct row row = row_at(rows, number);
		for (unsigned i = 0; i < n; i++) {
			struct shown shown = read_cell(scratch, &row, &columns[i], style);
			if (shown.columns > columns[i].wanted)
				columns[i].wanted = shown.columns;
		}
	}
}

static size_t total(const struct column *columns, unsigned n)
{
	size_t sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += columns[i].is_shown ? columns[i].width + GAP : 0;
	return sum ? sum - GAP : 0;
}

static size_t least_of(const struct column *column)
{
	size_t title = strlen(column->field->title);
	return column->field->width > title ? column->field->width : title;
}

/* Takes from the widest that may be cut, down to what each gets at least. */
static void narrow(struct column *columns, unsigned n, size_t room)
{
	for (size_t sum = total(columns, n); sum > room; sum--) {
		struct column *widest = NULL;
		for (unsigned i = 0; i < n; i++) {
			struct column *column = &columns[i];
			bool may = column->is_shown && !(column->field->flags & FIELD_NEVER_CUT) &&
				   column->width > least_of(column);
			if (may && (!widest || column->width > widest->width))
				widest = column;
		}
		if (!widest)
			return;
		widest->width--;
	}
}

static void set_widths(struct column *columns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		size_t title = strlen(columns[i].field->title);
		columns[i].width = columns[i].wanted > title ? columns[i].wanted : title;
	}
}

/* The column to leave out: the last that may go, and who holds it only when nothing else can. */
static struct column *least_wanted(struct column *columns, unsigned n)
{
	struct column *holder = NULL;
	for (unsigned i = n; i-- > 0;) {
		struct column *column = &columns[i];
		if (!column->is_shown || column->field->flags & FIELD_NEVER_CUT)
			continue;
		if (!column->is_holder)
			return column;
		holder = column;
	}
	return holder;
}

/* Where narrow columns do not help whole ones go. */
static void fit(struct column *columns, unsigned n, size_t room)
{
	for (;;) {
		set_widths(columns, n);
		narrow(columns, n, room);
		if (total(columns, n) <= room)
			return;
		struct column *column = least_wanted(columns, n);
		if (!column)
			return;
		column->is_shown = false;
	}
}

/* ---- out ---- */

static const char *colour_of(const struct field *field, const char *text, size_t n)
{
	static const struct {
		const char *field, *text, *colour;
	} colours[] = {
		{"reach", "any", "\033[1;33m"},	      {"reach", "public", "\033[1;31m"},
		{"reach", "loopback", "\033[32m"},    {"reach", "private", "\033[33m"},
		{"reach", "shared", "\033[33m"},      {"state", "LISTEN", "\033[1m"},
		{"state", "ESTABLISHED", "\033[32m"}, {"state", "TIME_WAIT", "\033[2m"},
		{"state", "CLOSE_WAIT", "\033[33m"},  {"user", "root", "\033[35m"},
		{"process", "(unseen)", "\033[2m"},   {"process", "(kernel)", "\033[2m"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strcmp(field->name, colours[i].field) == 0 && strlen(colours[i].text) == n &&
		    memcmp(colours[i].text, text, n) == 0)
			return colours[i].colour;
	return NULL;
}

/* A line as it grows: blanks are owed until something stands behind them, so that none end it. */
struct line {
	struct out *out;
	size_t owed;
};

static void pay(struct line *line)
{
	if (line->owed)
		out_spaces(line->out, line->owed);
	line->owed = 0;
}

/* The text is escaped already: cutting it needs no escaping again. */
static void print_cell(struct line *line, const struct column *column, struct shown text,
		       const struct table_style *style)
{
	size_t pad = column->width > text.columns ? column->width - text.columns : 0;
	bool is_right = column->field->flags & FIELD_RIGHT;
	const char *colour =
		style->has_colour ? colour_of(column->field, text.bytes, text.n) : NULL;
	if (is_right)
		line->owed += pad;
	if (text.n)
		pay(line);
	if (colour)
		out_string(line->out, colour);
	if (text.columns <= column->width)
		out_bytes(line->out, text.bytes, text.n);
	else
		text_show_cut(line->out, text.bytes, text.n, column->width, !style->is_utf8);
	if (colour)
		out_string(line->out, "\033[0m");
	line->owed += GAP + (is_right ? 0 : pad);
}

static bool is_marked(const struct rows *rows, uint32_t row)
{
	uint32_t first = rows_first(rows, row);
	for (uint32_t k = 0; k < rows_length(rows, row); k++)
		if (snapshot_socket(rows->snapshot, rows->order[first + k])->flags &
		    SOCKET_TWO_OWNERS)
			return true;
	return false;
}

static void print_mark(struct line *line, bool marked, const struct table_style *style)
{
	if (marked && style->has_colour)
		out_string(line->out, "\033[1;33m" MARK "\033[0m");
	else
		out_string(line->out, marked ? MARK : " ");
	line->owed++;
}

static void print_rows(struct out *out, const struct rows *rows, struct column *columns, unsigned n,
		       const struct table_style *style, struct out *scratch)
{
	for (uint32_t number = 0; number < rows->n_rows; number++) {
		struct line line = {.out = out};
		struct row row = row_at(rows, number);
		if (style->has_marks)
			print_mark(&line, is_marked(rows, number), style);
		for (unsigned i = 0; i < n; i++) {
			if (!columns[i].is_shown)
				continue;
			print_cell(&line, &columns[i], read_cell(scratch, &row, &columns[i], style),
				   style);
		}
		out_char(out, '\n');
	}
}

static void print_titles(struct out *out, const struct column *columns, unsigned n,
			 const struct table_style *style)
{
	struct line line = {.out = out, .owed = style->has_marks ? sizeof(MARK) : 0};
	if (style->has_colour)
		out_string(out, "\033[2m");
	for (unsigned i = 0; i < n; i++) {
		if (!columns[i].is_shown)
			continue;
		const char *title = columns[i].field->title;
		size_t length = strlen(title),
		       pad = columns[i].width > length ? columns[i].width - length : 0;
		bool is_right = columns[i].field->flags & FIELD_RIGHT;
		line.owed += is_right ? pad : 0;
		pay(&line);
		out_string(out, title);
		line.owed += GAP + (is_right ? 0 : pad);
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
	for (unsigned i = 0; i < n; i++) {
		columns[i].field = fields[i];
		columns[i].is_holder = strcmp(fields[i]->name, "process") == 0;
	}
	measure(rows, columns, n, style, &scratch);
	for (unsigned i = 0; i < n; i++)
		columns[i].is_shown = columns[i].wanted || !style->hides_empty ||
				      fields[i]->flags & FIELD_NEVER_CUT;
	size_t marks = style->has_marks ? sizeof(MARK) : 0;
	set_widths(columns, n);
	if (style->columns)
		fit(columns, n, style->columns > marks ? style->columns - marks : 1);
	print_titles(out, columns, n, style);
	print_rows(out, rows, columns, n, style, &scratch);
	return scratch.error;
}

uint32_t table_marks(const struct rows *rows)
{
	uint32_t n = 0;
	for (uint32_t row = 0; row < rows->n_rows; row++)
		n += is_marked(rows, row);
	return n;
}

/* ---- under it ---- */

static uint32_t count_processes(const struct rows *rows)
{
	const struct snapshot *snapshot = rows->snapshot;
	cleanup(freep) bool *seen = calloc(snapshot->processes.n + 1, sizeof(*seen));
	uint32_t n = 0;
	for (uint32_t i = 0; seen && i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(snapshot, rows->order[i]);
		for (const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		     holder; holder = snapshot_holder(snapshot, holder->next)) {
			n += !seen[holder->process];
			seen[holder->process] = true;
		}
	}
	return n;
}

static uint32_t count_netns(const struct rows *rows)
{
	const struct snapshot *snapshot = rows->snapshot;
	cleanup(freep) bool *seen = calloc(snapshot->netns.n + 1, sizeof(*seen));
	uint32_t n = 0;
	for (uint32_t i = 0; seen && i < rows->n_sockets; i++) {
		uint32_t netns = snapshot_socket(snapshot, rows->order[i])->netns;
		if (netns == NONE || seen[netns])
			continue;
		seen[netns] = true;
		n++;
	}
	return n;
}

static void say_number(struct out *out, const char *before, uint32_t n, const char *one,
		       const char *many)
{
	out_string(out, before);
	out_u64(out, n);
	out_char(out, ' ');
	out_string(out, n == 1 ? one : many);
}

void table_footer(struct out *out, const struct rows *rows, const struct table_style *style)
{
	if (!rows->n_rows) {
		if (style->is_terminal)
			out_string(out, "nothing matches\n");
		return;
	}
	uint32_t n_netns = count_netns(rows);
	if (style->has_colour)
		out_string(out, "\033[2m");
	if (style->has_marks)
		out_string(out,
			   MARK " its number has another owner too: `doorward show PORT` tells "
				"which is reached\n");
	if (style->is_terminal) {
		if (rows->start)
			say_number(out, "", rows->n_rows, "service, ", "services, ");
		say_number(out, "", rows->n_sockets, "socket", "sockets");
		say_number(out, " of ", count_processes(rows), "process", "processes");
		if (n_netns > 1)
			say_number(out, " in ", n_netns, "", "network namespaces");
		out_char(out, '\n');
	}
	if (style->has_colour)
		out_string(out, "\033[0m");
}
