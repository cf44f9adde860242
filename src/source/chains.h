/* Which kinds of chains nftables has in a namespace: one small dump of the kernel, for who wants to
 * know whether its rules are worth a look. linux/netfilter/nf_tables.h. */
#ifndef SOURCE_CHAINS_H
#define SOURCE_CHAINS_H

#include "source/netns.h"

struct chains {
	bool has_nat; /* one that may give packets another destination */
	bool has_own; /* one of the table that was asked for */
};

/* 0; -EPERM: it may not be looked at (CAP_NET_ADMIN); other negative errno. */
int chains_read(const struct found_netns *netns, const char *own_table, struct chains *ret);

/* One answer's messages in @bytes (aligned to 8). 1: more follow; 0: that was the end; negative
 * errno. Pure. */
int chains_parse(const void *bytes, size_t n, const char *own_table, struct chains *ret);

#endif
