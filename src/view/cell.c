/* One cell of a table. */
#include <string.h>

#include "model/rows-some.h"
#include "view/cell.h"

#define CELL_VALUES_MAX 4 /* of a list in one cell of a terminal; then "+3" */
/* What is never cut may have many values: so much of a terminal's width they take, then "+3". */
#define WHOLE_SHARE 3
#define WHOLE_LEAST 24

struct cell {
	struct out *out;      /* in memory */
	size_t columns, room; /* room: for the values behind the first; 0: any */
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
	size_t before = cell->out->n;
	if (cell->n)
		out_char(cell->out, ' ');
	size_t from = cell->out->n, columns = value_text(cell->out, value);
	if (cell->is_ascii)
		columns = escape_high(cell->out, from);
	columns += from - before;
	if (cell->n && cell->room && cell->columns + columns > cell->room) {
		cell->out->n = before;
		cell->most = cell->n;
		cell->left_out++;
		return 0;
	}
	cell->n++;
	cell->columns += columns;
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
	field_read(column->field, record, &value);
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

void row_at(const struct rows *rows, uint32_t number, struct row *ret)
{
	ret->rows = rows;
	ret->number = number;
	ret->most = 0;
	rows_record(rows, number, 0, &ret->record);
	ret->is_single = rows_length(rows, number) == 1;
	ret->is_held_once =
		ret->is_single && (!ret->record.holder || ret->record.holder->next == NONE);
}

struct shown cell_read(struct out *out, const struct row *row, struct column *column,
		       const struct table_style *style)
{
	char scratch[256];
	const struct field *field = column->field;
	bool is_whole = !style->columns || field->flags & FIELD_NEVER_CUT;
	size_t room = style->columns / WHOLE_SHARE;
	struct cell cell = {.out = out,
			    .room = !style->columns	 ? 0
				    : room > WHOLE_LEAST ? room
							 : WHOLE_LEAST,
			    .most = is_whole ? UINT32_MAX : CELL_VALUES_MAX,
			    .counts = field->merge == MERGE_COUNT,
			    .is_utf8 = style->is_utf8,
			    .is_ascii = style->is_terminal && !style->is_utf8};
	out->n = 0;
	if (field->of != OF_HOLDER ? row->is_single : row->is_held_once)
		return read_single(out, &row->record, column, &cell, scratch);
	bool is_all;
	if (!rows_values_some(row->rows, row->number, field, row->most, &is_all, add_value,
			      &cell) &&
	    column->is_holder && is_all)
		add_holder(row->record.socket, &cell);
	if (!is_all) { /* how many more is not known */
		out_string(out, style->is_utf8 ? " +…" : " +...");
		cell.columns += style->is_utf8 ? 3 : 5;
	} else if (cell.left_out) {
		size_t before = out->n;
		out_string(out, " +");
		out_u64(out, cell.left_out);
		cell.columns += out->n - before;
	}
	return (struct shown){out->data, out->n, cell.columns};
}
