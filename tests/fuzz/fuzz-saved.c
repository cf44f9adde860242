/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a saved snapshot. What is taken is written as JSON, read again, and must then be
 * written the same. */
#include <assert.h>
#include <string.h>

#include "source/saved.h"
#include "view/json.h"

static void write_json(const struct snapshot *snapshot, struct out *out)
{
	struct rows rows;
	struct json_shape *shape = json_shape_new(NULL);
	assert(shape && rows_select(snapshot, NULL, &rows) == 0);
	json_print(out, &rows, shape);
	json_shape_free(shape);
	rows_done(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct snapshot *snapshot = NULL, *again = NULL;
	struct error err = {0};
	struct out first, second;
	int r = saved_parse((const char *)data, n, "corpus", &snapshot, &err);
	if (r < 0) {
		assert(err.code == r && err.what[0]);
		return 0;
	}
	assert(snapshot->is_sealed && out_init(&first, -1) == 0 && out_init(&second, -1) == 0);
	write_json(snapshot, &first);
	snapshot_free(snapshot);

	r = saved_parse(first.data, first.n, "again", &again, &err);
	if (r < 0)
		fprintf(stderr, "%s\n%.*s\n", err.what, (int)first.n, first.data);
	assert(r == 0);
	write_json(again, &second);
	snapshot_free(again);
	if (first.n != second.n || memcmp(first.data, second.data, first.n) != 0)
		fprintf(stderr, "%.*s\n%.*s\n", (int)first.n, first.data, (int)second.n,
			second.data);
	assert(first.n == second.n && memcmp(first.data, second.data, first.n) == 0);
	out_done(&first);
	out_done(&second);
	return 0;
}
