/* What Doorward itself blocks in a namespace. */
#include <errno.h>

#include "base/module.h"
#include "collect/blocks.h"
#include "source/chains.h"

struct reading {
	const struct nft *nft;
	struct block_table *table;
};

static int read_inside(void *data)
{
	const struct reading *reading = data;
	return reading->nft->read(reading->table, NULL);
}

int blocks_read_by(const struct nft *nft, const struct found_netns *place, struct block_table *ret)
{
	struct reading reading = {nft, ret};
	return netns_call(place, read_inside, &reading);
}

int blocks_read(const struct found_netns *place, struct block_table *ret)
{
	struct chains chains;
	struct error err = {0};
	int r = chains_read(place, NFT_TABLE, &chains);
	if (r < 0 || !chains.has_own)
		return r;
	const struct nft *nft = module_get("nft", NFT_VERSION, &err);
	return nft ? blocks_read_by(nft, place, ret) : -ENOTSUP;
}
