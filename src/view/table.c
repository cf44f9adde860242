/* A table in two passes: how wide, then out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pieces.h"
#include "base/text.h"
#include "view/cell.h"

#define GAP 2
#define MARK "!"

/* ---- how wide ---- */

/* A table is made in pieces: first how wide its cells are, then out. Their texts are kept between
 * where they are not too many. */
struct printing {
	const struct rows *rows;
	const struct table_style *style;
	struct column *columns; /* with the widths */
	unsigned n;
	struct column *own[PIECES_WORKERS]; /* of each worker, n of them */
	struct out scratch[PIECES_WORKERS];
	struct out kept; /* of each piece its size, then its cells */
	size_t *kept_at; /* of each piece; NULL: nothing is kept */
	uint32_t n_pieces;
};

#define PIECE 512      /* rows */
#define KEPT_MAX 65536 /* rows whose texts are kept */

/* A cell in few bytes: the text follows. A longer one has its sizes in struct shown behind LONG. */
struct kept {
	uint8_t n, columns;
};

#define LONG 255

static void keep_cell(struct out *out, struct shown shown)
{
	bool is_long = shown.n >= LONG || shown.columns >= LONG;
	struct kept kept = {is_long ? LONG : (uint8_t)shown.n,
			    is_long ? LONG : (uint8_t)shown.columns};
	out_bytes(out, &kept, sizeof(kept));
	if (is_long)
		out_bytes(out, &shown, sizeof(shown));
	out_bytes(out, shown.bytes, shown.n);
}

static struct shown kept_cell(const char **at)
{
	struct kept kept;
	struct shown shown;
	memcpy(&kept, *at, sizeof(kept));
	*at += sizeof(kept);
	if (kept.n == LONG) {
		memcpy(&shown, *at, sizeof(shown));
		*at += sizeof(shown);
	} else {
		shown = (struct shown){.n = kept.n, .columns = kept.columns};
	}
	shown.bytes = *at;
	*at += shown.n;
	return shown;
}

static uint32_t end_of_piece(const struct printing *printing, uint32_t index)
{
	uint32_t end = (index + 1) * PIECE;
	return end < printing->rows->n_rows ? end : printing->rows->n_rows;
}

static void measure_piece(void *data, unsigned worker, struct out *out, uint32_t index)
{
	struct printing *printing = data;
	size_t start = out->n, size = 0;
	if (printing->kept_at)
		out_bytes(out, &size, sizeof(size));
	for (uint32_t number = index * PIECE; number < end_of_piece(printing, index); number++) {
		struct row row;
		rows_expect(printing->rows, number);
		row_at(printing->rows, number, &row);
		for (unsigned i = 0; i < printing->n; i++) {
			struct column *column = &printing->own[worker][i];
			struct shown shown = cell_read(&printing->scratch[worker], &row, column,
						       printing->style);
			if (shown.columns > column->wanted)
				column->wanted = shown.columns;
			if (printing->kept_at)
				keep_cell(out, shown);
		}
	}
	size = out->n - start;
	if (printing->kept_at && !out->error)
		memcpy(out->data + start, &size, sizeof(size));
}

static void measure(struct printing *printing)
{
	pieces_write(&printing->kept, printing->n_pieces, measure_piece, printing);
	for (unsigned i = 0; i < printing->n; i++)
		for (unsigned worker = 0; worker < PIECES_WORKERS; worker++)
			if (printing->own[worker][i].wanted > printing->columns[i].wanted)
				printing->columns[i].wanted = printing->own[worker][i].wanted;
	size_t at = 0;
	for (uint32_t i = 0; printing->kept_at && !printing->kept.error && i < printing->n_pieces;
	     i++) {
		size_t size;
		printing->kept_at[i] = at;
		memcpy(&size, printing->kept.data + at, sizeof(size));
		at += size;
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

static void print_row(struct printing *printing, unsigned worker, struct out *out, uint32_t number,
		      const char **kept_at)
{
	struct line line = {.out = out};
	struct row row;
	if (!*kept_at) {
		rows_expect(printing->rows, number);
		row_at(printing->rows, number, &row);
	}
	if (printing->style->has_marks)
		print_mark(&line, is_marked(printing->rows, number), printing->style);
	for (unsigned i = 0; i < printing->n; i++) {
		const struct column *column = &printing->columns[i];
		struct shown shown = {0};
		if (*kept_at)
			shown = kept_cell(kept_at);
		else if (column->is_shown)
			shown = cell_read(&printing->scratch[worker], &row,
					  &printing->own[worker][i], printing->style);
		if (column->is_shown)
			print_cell(&line, column, shown, printing->style);
	}
	out_char(out, '\n');
}

static void print_piece(void *data, unsigned worker, struct out *out, uint32_t index)
{
	struct printing *printing = data;
	const char *kept_at =
		printing->kept_at ? printing->kept.data + printing->kept_at[index] + sizeof(size_t)
				  : NULL;
	for (uint32_t number = index * PIECE; number < end_of_piece(printing, index); number++)
		print_row(printing, worker, out, number, &kept_at);
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

static void printing_done(struct printing *printing)
{
	for (unsigned i = 0; i < PIECES_WORKERS; i++) {
		free(printing->own[i]);
		out_done(&printing->scratch[i]);
	}
	free(printing->columns);
	free(printing->kept_at);
	out_done(&printing->kept);
}

static int printing_init(struct printing *printing, const struct field *const *fields)
{
	while (fields[printing->n])
		printing->n++;
	printing->n_pieces = (printing->rows->n_rows + PIECE - 1) / PIECE;
	printing->columns = calloc(printing->n + 1, sizeof(*printing->columns));
	if (!printing->columns || out_init(&printing->kept, -1) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < printing->n; i++) {
		printing->columns[i].field = fields[i];
		printing->columns[i].is_holder = strcmp(fields[i]->name, "process") == 0;
	}
	size_t size = (printing->n + 1) * sizeof(*printing->columns);
	for (unsigned i = 0; i < PIECES_WORKERS; i++) {
		printing->own[i] = malloc(size);
		if (!printing->own[i] || out_init(&printing->scratch[i], -1) < 0)
			return -ENOMEM;
		memcpy(printing->own[i], printing->columns, size);
	}
	if (printing->rows->n_rows > KEPT_MAX)
		return 0;
	printing->kept_at = calloc(printing->n_pieces + 1, sizeof(*printing->kept_at));
	return printing->kept_at ? 0 : -ENOMEM;
}

int table_print(struct out *out, const struct rows *rows, const struct field *const *fields,
		const struct table_style *style)
{
	cleanup(printing_done) struct printing printing = {.rows = rows, .style = style};
	if (printing_init(&printing, fields) < 0)
		return -ENOMEM;
	measure(&printing);
	struct column *columns = printing.columns;
	for (unsigned i = 0; i < printing.n; i++)
		columns[i].is_shown = columns[i].wanted || !style->hides_empty ||
				      fields[i]->flags & FIELD_NEVER_CUT;
	size_t marks = style->has_marks ? sizeof(MARK) : 0;
	set_widths(columns, printing.n);
	if (style->columns)
		fit(columns, printing.n, style->columns > marks ? style->columns - marks : 1);
	print_titles(out, columns, printing.n, style);
	if (!printing.kept.error)
		pieces_write(out, printing.n_pieces, print_piece, &printing);
	return printing.kept.error	   ? printing.kept.error
	       : printing.scratch[0].error ? printing.scratch[0].error
					   : printing.scratch[1].error;
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
