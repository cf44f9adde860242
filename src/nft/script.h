/* A change as the text that libnftables takes, nft(8). */
#ifndef NFT_SCRIPT_H
#define NFT_SCRIPT_H

#include "base/out.h"
#include "model/block.h"

/* Pure. What @out could not hold stands in its error. */
void nft_script(struct out *out, const struct block_table *table,
		const struct block_change *change);

#endif
