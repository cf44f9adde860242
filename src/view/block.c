/* Blocks, as a table and as JSON. */
#include <inttypes.h>

#include "base/format.h"
#include "base/text.h"
#include "view/block.h"
#include "view/json.h"

enum column { TARGET, FROM, LEFT, REFUSED, REASON, COLUMN_MAX };
static const char *const titles[COLUMN_MAX] = {"BLOCKED", "FROM", "FOR ANOTHER", "REFUSED",
					       "REASON"};

/* Rounded up: what is left of ten minutes is not nine of them. */
static void time_text(uint64_t seconds, char to[32])
{
	uint64_t whole = seconds < 60 ? 1 : seconds < 3600 ? 60 : 3600;
	size_t n = format_duration(to, 31, (seconds + whole - 1) / whole * whole);
	to[n] = '\0';
}

static const char *cell(const struct block *block, enum column column, char to[128])
{
	switch (column) {
	case TARGET:
		block_text(block, to, 128);
		return to;
	case FROM:
		block_end_text(&block->scope.from, to, 128);
		return to;
	case LEFT:
		if (!block->seconds)
			return "no end";
		time_text(block->seconds_left, to);
		return to;
	case REFUSED:
		to[format_u64(to, block->packets)] = '\0';
		return to;
	default:
		return block->reason;
	}
}

static void print_row(const struct page *page, const char *const cells[COLUMN_MAX],
		      const size_t widths[COLUMN_MAX])
{
	for (enum column column = 0; column < COLUMN_MAX; column++) {
		bool is_right = column == REFUSED;
		size_t width = text_show(NULL, cells[column], strlen(cells[column])),
		       room = widths[column] > width ? widths[column] - width : 0;
		if (is_right)
			out_spaces(page->out, room);
		text_show(page->out, cells[column], strlen(cells[column]));
		if (column == REASON || (column == REFUSED && !cells[REASON][0]))
			break;
		out_spaces(page->out, (is_right ? 0 : room) + 2);
	}
	out_char(page->out, '\n');
}

static void print_block(const struct page *page, const struct block *block,
			const size_t widths[COLUMN_MAX])
{
	char texts[COLUMN_MAX][128];
	const char *cells[COLUMN_MAX];
	for (enum column column = 0; column < COLUMN_MAX; column++)
		cells[column] = cell(block, column, texts[column]);
	print_row(page, cells, widths);
}

uint32_t blocks_print(const struct page *page, const struct block_table *table)
{
	size_t widths[COLUMN_MAX] = {0};
	uint32_t n = 0;
	for (uint32_t i = 0; i < table->blocks.n; i++) {
		const struct block *block = vector_at(&table->blocks, i);
		n += block_is_in_force(table, block);
		for (enum column column = 0; column < COLUMN_MAX; column++) {
			char text[128];
			const char *shown = cell(block, column, text);
			size_t width = text_show(NULL, shown, strlen(shown));
			if (width > widths[column])
				widths[column] = width;
		}
	}
	if (!n)
		return 0;
	for (enum column column = 0; column < COLUMN_MAX; column++)
		if (widths[column] && widths[column] < strlen(titles[column]))
			widths[column] = strlen(titles[column]);
	const char *shown_titles[COLUMN_MAX];
	memcpy(shown_titles, titles, sizeof(titles));
	if (!widths[REASON])
		shown_titles[REASON] = "";
	print_row(page, shown_titles, widths);
	for (uint32_t i = 0; i < table->blocks.n; i++)
		if (block_is_in_force(table, vector_at(&table->blocks, i)))
			print_block(page, vector_at(&table->blocks, i), widths);
	return n;
}

void block_sentence(struct out *out, const struct block *block)
{
	char text[128];
	block_text(block, text, sizeof(text));
	out_string(out, text);
	block_end_text(&block->scope.from, text, sizeof(text));
	out_format(out, ": new traffic from %s is refused", text);
	if (block->seconds) {
		time_text(block->seconds, text);
		out_format(out, " for %s", text);
	} else {
		out_string(out, " until it is unblocked");
	}
	if (block->reason[0]) {
		out_string(out, " (");
		text_show(out, block->reason, strlen(block->reason));
		out_char(out, ')');
	}
}

static void json_count(struct out *out, const char *key, bool is_known, uint64_t count)
{
	out_format(out, ",\"%s\":", key);
	if (is_known)
		out_u64(out, count);
	else
		out_string(out, "null");
}

void block_json(struct out *out, const struct block *block)
{
	char text[128];
	out_format(out, "{\"proto\":\"%s\",\"first_port\":%u,\"last_port\":%u,\"address\":",
		   proto_words[block->proto], block->first, block->last);
	block_end_text(&block->scope.to, text, sizeof(text));
	json_text(out, block->scope.to.kind == BLOCK_ANY ? NULL : text);
	block_end_text(&block->scope.from, text, sizeof(text));
	out_string(out, ",\"from\":");
	json_text(out, text);
	json_count(out, "seconds", block->seconds > 0, block->seconds);
	json_count(out, "seconds_left", block->seconds > 0, block->seconds_left);
	json_count(out, "refused_packets", true, block->packets);
	out_string(out, ",\"reason\":");
	json_text(out, block->reason[0] ? block->reason : NULL);
	out_char(out, '}');
}

/* [...] of those that are @in_force, or of those that are not. */
static void blocks_json(struct out *out, const struct block_table *table, bool in_force)
{
	const char *before = "[";
	for (uint32_t i = 0; i < table->blocks.n; i++) {
		const struct block *block = vector_at(&table->blocks, i);
		if (block_is_in_force(table, block) != in_force)
			continue;
		out_string(out, before);
		block_json(out, block);
		before = ",";
	}
	out_string(out, before[0] == '[' ? "[]" : "]");
}

static void put_envelope(struct out *out, uint64_t netns)
{
	out_format(out, "{\"schema\":\"" JSON_SCHEMA "\",\"netns\":%" PRIu64, netns);
}

void block_outcome(struct out *out, const struct block_table *table, const struct vector *wanted,
		   const struct cut *cut)
{
	for (uint32_t i = 0; i < wanted->n; i++) {
		const struct block *block = block_find(table, vector_at(wanted, i));
		if (!block)
			continue;
		block_sentence(out, block);
		out_char(out, '\n');
	}
	if (cut)
		out_format(out, "%u connection%s ended\n", cut->n_ended,
			   cut->n_ended == 1 ? "" : "s");
	if (cut && cut->n_spared)
		out_string(out, "the connection of this session goes on: --force would end it\n");
}

void block_document(struct out *out, uint64_t netns, const struct block_table *table,
		    const struct vector *wanted, const struct cut *cut)
{
	const char *before = "";
	put_envelope(out, netns);
	out_string(out, ",\"blocks\":[");
	for (uint32_t i = 0; i < wanted->n; i++) {
		const struct block *block = block_find(table, vector_at(wanted, i));
		if (!block)
			continue;
		out_string(out, before);
		block_json(out, block);
		before = ",";
	}
	out_string(out, "],\"cut\":");
	if (cut)
		out_format(out, "{\"ended\":%u,\"failed\":%u,\"spared\":%u,\"elsewhere\":%u}",
			   cut->n_ended, cut->n_failed, cut->n_spared, cut->n_elsewhere);
	else
		out_string(out, "null");
	out_string(out, "}\n");
}

void unblock_outcome(struct out *out, uint32_t n)
{
	if (n)
		out_format(out, "%u unblocked\n", n);
	else
		out_string(out, "nothing of that was blocked\n");
}

void unblock_document(struct out *out, uint64_t netns, const struct block_table *table, uint32_t n)
{
	put_envelope(out, netns);
	out_format(out, ",\"unblocked\":%u,\"blocks\":", n);
	blocks_json(out, table, true);
	out_string(out, "}\n");
}

void blocks_document(struct out *out, uint64_t netns, const struct block_table *table)
{
	put_envelope(out, netns);
	out_string(out, ",\"blocks\":");
	blocks_json(out, table, true);
	out_string(out, ",\"idle\":");
	blocks_json(out, table, false);
	out_format(out, ",\"dormant\":%s}\n", table->is_dormant ? "true" : "false");
}
