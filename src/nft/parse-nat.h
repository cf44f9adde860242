/* Rules that give packets another destination, in a listing in nft's own language. */
#ifndef NFT_PARSE_NAT_H
#define NFT_PARSE_NAT_H

#include "nft/nft.h"

/* The first such rule in @text (nft -a list ruleset) that names the port. Jumps and what else a
 * rule asks for are not followed. Pure. */
bool nft_parse_nat(const char *text, const struct nat_wanted *wanted, struct nft_rule *ret);

#endif
