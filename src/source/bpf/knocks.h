/* Who tries doors that are closed or filtered: packets that open a conversation and are dropped. */
#ifndef SOURCE_BPF_KNOCKS_H
#define SOURCE_BPF_KNOCKS_H

#include "base/error.h"
#include "model/socket.h"
#include "source/host.h"

struct knock {
	struct ip to, from;
	uint64_t count;		     /* since it was read last */
	uint64_t last_ns;	     /* CLOCK_BOOTTIME */
	uint64_t netns;		     /* inode; 0 unknown */
	uint32_t reason;	     /* enum skb_drop_reason of the running kernel */
	uint16_t to_port, from_port; /* from_port: of the last */
	uint8_t proto;		     /* PROTO_TCP or PROTO_UDP */
	bool is_v4;
};

struct knocks;

/* From here on they are counted, in all namespaces. 0 or negative errno with @err told: needs
 * CAP_BPF and CAP_PERFMON. */
int knocks_start(const struct host *host, struct knocks **ret, struct error *err);
void knocks_free(struct knocks *knocks); /* NULL is fine */

/* Gives each that was counted since the last reading, and forgets it. *@ret_lost: how many there
 * was no room for since. 0, what @take returned, or negative errno. Cheap where nothing came. */
int knocks_read(struct knocks *knocks, int (*take)(void *data, const struct knock *knock),
		void *data, uint64_t *ret_lost);

#endif
