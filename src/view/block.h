/* Blocks, as a table and as JSON. */
#ifndef VIEW_BLOCK_H
#define VIEW_BLOCK_H

#include "model/block.h"
#include "view/page.h"

/* A line a block, of those in force. How many. */
uint32_t blocks_print(const struct page *page, const struct block_table *table);

/* "tcp/8080 from outside, for 10 min": what a person is told of one. */
void block_sentence(struct out *out, const struct block *block);

/* {"proto":"tcp",...} */
void block_json(struct out *out, const struct block *block);

/* What `block` says afterwards: those of @wanted (struct block) that stand in @table, and what was
 * cut; @cut NULL: it was not asked for. @netns: the inode. */
void block_outcome(struct out *out, const struct block_table *table, const struct vector *wanted,
		   const struct cut *cut);
void block_document(struct out *out, uint64_t netns, const struct block_table *table,
		    const struct vector *wanted, const struct cut *cut);
/* The same of `unblock`, of @n. */
void unblock_outcome(struct out *out, uint32_t n);
void unblock_document(struct out *out, uint64_t netns, const struct block_table *table, uint32_t n);
/* The same of `blocks`. */
void blocks_document(struct out *out, uint64_t netns, const struct block_table *table);

#endif
