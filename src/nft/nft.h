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

#define NFT_VERSION 3
#define NFT_TABLE "doorward"
#define NFT_PRIORITY (-310)

/* A port whose packets somebody's rule may lead elsewhere. */
struct nat_wanted {
	bool is_udp, is_v4;
	uint16_t port;
	struct ip address; /* any: of this host, whichever */
};

/* As nft lists it. */
struct nft_rule {
	char family[8], table[64], chain[64], text[256];
	uint64_t handle;
};

struct nft {
	/* What our table has, in the network namespace that the thread is in. @ret is initialised;
	 * where there is no table it stays empty. 0 or negative errno with @err told. */
	int (*read)(struct block_table *ret, struct error *err);
	/* One transaction: all of it or nothing. @table as it was read: scopes that are left
	 * without blocks go, and with the last of them the table. 0; -EAGAIN: it is no more as it
	 * was read (an element ended, another changed it); other negative errno with @err told. */
	int (*change)(const struct block_table *table, const struct block_change *change,
		      struct error *err);
	/* A rule of any table that gives packets to that port another destination, as it reads: 1
	 * and @ret, 0 none, or negative errno with @err told. */
	int (*find_nat)(const struct nat_wanted *wanted, struct nft_rule *ret, struct error *err);
	/* Tells @tell, with @data, each rule that asks for another interface than lo. How many, or
	 * negative errno with @err told. */
	int (*find_interfaces)(void (*tell)(void *data, const struct nft_rule *rule), void *data,
			       struct error *err);
};

#endif
