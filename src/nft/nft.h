/* The kernel's packet filter, through libnftables: our own table, and no other. A module
 * (base/module.h): module_get("nft", NFT_VERSION, ...) gives `struct nft`.
 *
 *     table inet doorward {
 *         set to_any_from_outside { type inet_proto . inet_service; flags interval, timeout;
 * counter; elements = { tcp . 8080 timeout 10m comment "why" } } chain to_any_from_outside.in {
 * type filter hook prerouting priority -310; ... }
 *     }
 *
 * The chains stand before destination NAT, so that a published port of a container is met by the
 * number under which it is published, and before connection tracking, which is not asked. */
#ifndef NFT_NFT_H
#define NFT_NFT_H

#include "base/error.h"
#include "model/block.h"

#define NFT_VERSION 1
#define NFT_TABLE "doorward"
#define NFT_PRIORITY (-310)

struct nft {
	/* What our table has, in the network namespace that the thread is in. @ret is initialised;
	 * where there is no table it stays empty. 0 or negative errno with @err told. */
	int (*read)(struct block_table *ret, struct error *err);
	/* One transaction: all of it or nothing. @table as it was read: scopes that are left
	 * without blocks go, and with the last of them the table. 0; -EAGAIN: it is no more as it
	 * was read (an element ended, another changed it); other negative errno with @err told. */
	int (*change)(const struct block_table *table, const struct block_change *change,
		      struct error *err);
};

#endif
