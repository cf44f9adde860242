/* Ports refused and let in again, by our table in the kernel's packet filter (nft/nft.h). */
#ifndef ACT_BLOCK_H
#define ACT_BLOCK_H

#include "model/block.h"
#include "nft/nft.h"
#include "source/netns.h"

/* Where blocks stand: one network namespace, and the way to its packet filter. */
struct block_place {
	struct vector netns; /* struct found_netns: one */
	const struct nft *nft;
};

/* @scope names one namespace. 0; -ENOTSUP: the module is absent; other negative errno; with @err
 * told. To be closed in any case. */
int block_open(struct host *host, const struct netns_scope *scope, struct block_place *ret,
	       struct error *err);
void block_close(struct block_place *place);

static inline const struct found_netns *block_netns(const struct block_place *place)
{
	return vector_at(&place->netns, 0);
}

/* What the kernel has, by port. 0 or negative errno with @err told. */
int block_read(const struct block_place *place, struct block_table *ret, struct error *err);

/* All of @wanted (struct block) stand afterwards, which is looked for, or none: @ret is what the
 * kernel has then. 0 or negative errno with @err told. */
int block_add(const struct block_place *place, const struct vector *wanted, struct block_table *ret,
	      struct error *err);

/* What @wanted names is let in again (block_change_remove); *@n counts blocks that went or gave
 * up a part. All there are where @wanted is NULL. */
int block_remove(const struct block_place *place, const struct vector *wanted, bool has_from,
		 struct block_table *ret, uint32_t *n, struct error *err);

#endif
