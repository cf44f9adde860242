/* A listing in nft's own language (nft -a list ruleset), line by line. Pure. */
#ifndef NFT_LISTING_H
#define NFT_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "nft/nft.h"

struct listing_line {
	const char *text; /* without its indent */
	size_t n;
};

/* The next line of *@text, which is moved behind it. @where keeps the table and the chain that the
 * line stands in: initialised before the first. False: that was the last. */
bool listing_next(const char **text, struct nft_rule *where, struct listing_line *ret);

/* Behind @word in the line, or NULL. */
const char *listing_find(const struct listing_line *line, const char *word);

/* The line as a rule: its text and its handle. */
void listing_rule(const struct listing_line *line, struct nft_rule *ret);

#endif
