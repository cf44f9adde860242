/* What libnftables lists as JSON, libnftables-json(5). */
#ifndef NFT_PARSE_H
#define NFT_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/block.h"

/* The objects of our table in @text. What is not ours or not as we make it is passed over. Pure.
 * 0; -EBADMSG: it is no such listing; -ENOMEM. */
int nft_parse(const char *text, size_t n, struct block_table *ret);

/* The table is dormant, as its listing in nft's own language says in its second line. Of such a
 * table libnftables 1.0.6 writes no JSON that could be read. Pure. */
bool nft_parse_dormant(const char *text);

#endif
