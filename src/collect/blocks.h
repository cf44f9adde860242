/* What Doorward itself blocks in a namespace, for who tells of ports there. */
#ifndef COLLECT_BLOCKS_H
#define COLLECT_BLOCKS_H

#include "model/block.h"
#include "nft/nft.h"
#include "source/netns.h"

/* Into @ret, which is initialised; without a table of ours, which one small question to the kernel
 * tells, it stays empty. 0; -EPERM: it may not be looked at (CAP_NET_ADMIN); other negative errno.
 */
int blocks_read(const struct found_netns *place, struct block_table *ret);
/* The same for who has asked already whether there is a table of ours, and has the module. */
int blocks_read_by(const struct nft *nft, const struct found_netns *place, struct block_table *ret);

#endif
