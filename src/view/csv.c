/* Values for other programs. */
#include <string.h>

#include "base/text.h"
#include "view/csv.h"

struct cell {
	struct out *out; /* in memory */
	bool is_first;
};

static int add_value(void *data, const struct value *value, uint32_t times)
{
	struct cell *cell = data;
	(void)times;
	if (!cell->is_first)
		out_char(cell->out, ' ');
	cell->is_first = false;
	value_text(cell->out, value);
	return 0;
}

static void read_cell(struct out *scratch, const struct rows *rows, uint32_t row,
		      const struct field *field)
{
	scratch->n = 0;
	struct cell cell = {scratch, true};
	rows_values(rows, row, field, add_value, &cell);
}

static void quote(struct out *out, const char *bytes, size_t n)
{
	bool is_plain = true;
	for (size_t i = 0; i < n && is_plain; i++)
		is_plain = !strchr(",\"\n", bytes[i]) || !bytes[i];
	if (is_plain) {
		out_bytes(out, bytes, n);
		return;
	}
	out_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '"')
			out_char(out, '"');
		out_char(out, bytes[i]);
	}
	out_char(out, '"');
}

void csv_print(struct out *out, const struct rows *rows, const struct field *const *fields)
{
	cleanup(out_done) struct out scratch = {.fd = -1};
	if (out_init(&scratch, -1) < 0) {
		out->error = -12;
		return;
	}
	for (unsigned i = 0; fields[i]; i++) {
		out_string(out, i ? "," : "");
		out_string(out, fields[i]->name);
	}
	out_string(out, "\n");
	for (uint32_t row = 0; row < rows->n_rows; row++) {
		for (unsigned i = 0; fields[i]; i++) {
			read_cell(&scratch, rows, row, fields[i]);
			out_string(out, i ? "," : "");
			quote(out, scratch.data, scratch.n);
		}
		out_string(out, "\n");
	}
}

void raw_print(struct out *out, const struct rows *rows, const struct field *const *fields)
{
	cleanup(out_done) struct out scratch = {.fd = -1};
	if (out_init(&scratch, -1) < 0) {
		out->error = -12;
		return;
	}
	for (uint32_t row = 0; row < rows->n_rows; row++) {
		for (unsigned i = 0; fields[i]; i++) {
			read_cell(&scratch, rows, row, fields[i]);
			out_string(out, i ? "\t" : "");
			/* a tab or newline inside would make two cells of one */
			for (size_t k = 0; k < scratch.n; k++)
				out_char(out, strchr("\t\n", scratch.data[k]) && scratch.data[k]
						      ? ' '
						      : scratch.data[k]);
		}
		out_char(out, '\n');
	}
}
