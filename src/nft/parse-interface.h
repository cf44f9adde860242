/* Rules that name a network interface, in a listing in nft's own language. */
#ifndef NFT_PARSE_INTERFACE_H
#define NFT_PARSE_INTERFACE_H

#include "nft/nft.h"

/* Each rule in @text (nft -a list ruleset) that asks for another interface than lo, told to @tell
 * with @data; a set of interfaces may hold any. Also chains that hang on an interface. How many.
 * Pure. */
uint32_t nft_parse_interface(const char *text,
			     void (*tell)(void *data, const struct nft_rule *rule), void *data);

#endif
