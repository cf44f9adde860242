/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as libnftables' listing of our table, and what was read of it as its text for nft:
 * every element and every scope lies within bounds, and no line of the text names another table. */
#include <assert.h>
#include <string.h>

#include "nft/parse.h"
#include "nft/script.h"

static void check(const struct block_table *table)
{
	for (uint32_t i = 0; i < table->blocks.n; i++) {
		const struct block *block = vector_at(&table->blocks, i);
		char text[128];
		assert(block->first <= block->last);
		assert(block->proto < PROTO_MAX && block->proto != PROTO_RAW);
		assert(block_table_scope(table, &block->scope));
		block_text(block, text, sizeof(text));
	}
}

/* What one foreign element could do to the text by its comment. */
static void write_again(const struct block_table *table)
{
	struct block_change change;
	struct out out;
	block_change_init(&change);
	assert(out_init(&out, -1) == 0);
	assert(block_change_begin(&change, table) == 0);
	for (uint32_t i = 0; i < change.after.n; i++)
		((struct block *)vector_at(&change.after, i))->is_there = false;
	nft_script(&out, table, &change);
	out_char(&out, '\0');
	for (const char *line = out.data; *line; line = strchr(line, '\n') + 1)
		assert(strncmp(line, "add ", 4) == 0 || strncmp(line, "delete ", 7) == 0 ||
		       strncmp(line, "flush chain inet doorward ", 26) == 0);
	out_done(&out);
	block_change_done(&change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct block_table table;
	block_table_init(&table);
	if (nft_parse((const char *)data, n, &table) == 0 && table.blocks.n < 100) {
		check(&table);
		write_again(&table);
	}
	block_table_done(&table);

	char words[4096];
	size_t length = n < sizeof(words) ? n : sizeof(words) - 1;
	memcpy(words, data, length);
	words[length] = '\0';
	nft_parse_dormant(words);
	return 0;
}
