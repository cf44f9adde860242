/* Packets of one port that the kernel drops, and why. */
#ifndef SOURCE_BPF_DROPS_H
#define SOURCE_BPF_DROPS_H

#include "base/vector.h"
#include "model/socket.h"
#include "source/drop-reason.h"

struct packet_drop {
	uint32_t reason;
	char word[DROP_REASON_MAX]; /* "NETFILTER_DROP"; "" unknown to this kernel's BTF */
	uint64_t netns;		    /* inode; 0 unknown */
	struct ip to;
	bool is_v4;
	uint16_t to_port, from_port;
};

struct drops;

/* From here on packets of @proto with @port at either end are watched, in all namespaces. 0 or
 * negative errno: needs CAP_BPF and CAP_PERFMON. */
int drops_start(const struct host *host, enum proto proto, uint16_t port, struct drops **ret);
/* What was dropped meanwhile: struct packet_drop, in order. 0 or -ENOMEM. */
int drops_stop(struct drops *drops, const struct host *host, struct vector *ret);

#endif
