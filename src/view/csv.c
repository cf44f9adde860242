/* Values for other programs. */
#include <errno.h>
#include <string.h>

#include "view/csv.h"

static int add_value(void *data, const struct value *value, uint32_t times)
{
	struct out *cell = data; /* in memory */
	(void)times;
	if (cell->n)
		out_char(cell, ' ');
	value_text(cell, value);
	return 0;
}

void csv_cell(struct out *out, const char *bytes, size_t n)
{
	bool is_plain = true;
	for (size_t i = 0; i < n && is_plain; i++)
		is_plain =
			bytes[i] != ',' && bytes[i] != '"' && bytes[i] != '\n' && bytes[i] != '\r';
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

/* Escaped as it is, a value has no tab and no newline. */
static void plain(struct out *out, const char *bytes, size_t n)
{
	out_bytes(out, bytes, n);
}

static int print(struct out *out, const struct rows *rows, const struct field *const *fields,
		 char between, void (*write_cell)(struct out *, const char *, size_t))
{
	cleanup(out_done) struct out scratch = {.fd = -1};
	if (out_init(&scratch, -1) < 0)
		return -ENOMEM;
	for (uint32_t row = 0; row < rows->n_rows; row++) {
		for (unsigned i = 0; fields[i]; i++) {
			scratch.n = 0;
			rows_values(rows, row, fields[i], add_value, &scratch);
			if (i)
				out_char(out, between);
			write_cell(out, scratch.data, scratch.n);
		}
		out_char(out, '\n');
	}
	return scratch.error;
}

int csv_print(struct out *out, const struct rows *rows, const struct field *const *fields)
{
	for (unsigned i = 0; fields[i]; i++) {
		out_string(out, i ? "," : "");
		out_string(out, fields[i]->name);
	}
	out_char(out, '\n');
	return print(out, rows, fields, ',', csv_cell);
}

int raw_print(struct out *out, const struct rows *rows, const struct field *const *fields)
{
	return print(out, rows, fields, '\t', plain);
}
