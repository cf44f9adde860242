/* Which rules of nftables a packet of ours meets: meta nftrace, nft(8). */
#ifndef SOURCE_PACKET_TRACE_H
#define SOURCE_PACKET_TRACE_H

#include "base/vector.h"
#include "model/socket.h"
#include "source/netns.h"

enum hit_kind { HIT_RULE, HIT_POLICY, HIT_RETURN };

/* A rule that the packet met, or the policy of a chain that it came to the end of. */
struct packet_hit {
	uint8_t family; /* NFPROTO_ */
	char table[64], chain[64];
	uint64_t handle; /* of the rule; 0: the policy */
	enum hit_kind kind;
	bool is_dropped, is_accepted;
};

struct packet_trace;

/* Marks all packets of @proto from or to port @port in the namespace: by a table of our own that
 * goes with its socket, however this program ends. 0 or negative errno: needs CAP_NET_ADMIN. */
int packet_trace_start(const struct found_netns *place, enum proto proto, uint16_t port,
		       struct packet_trace **ret);
/* What was met meanwhile: struct packet_hit, in order; the tracing ends. 0 or -ENOMEM. */
int packet_trace_stop(struct packet_trace *trace, struct vector *ret);

/* One message of the kernel's. False: it is none of a rule or policy, or of our own table. Pure. */
bool packet_trace_parse(const void *message, size_t n, struct packet_hit *ret);

/* "inet", "ip", "ip6"... */
const char *packet_family_word(uint8_t family);

#endif
