/* How many sockets of each protocol a network namespace has in use: /proc/net/protocols. What is
 * merely bound to a TCP port is not counted, nor is TIME_WAIT. */
#ifndef SOURCE_PROTOCOLS_H
#define SOURCE_PROTOCOLS_H

#include "source/netns.h"

struct protocols {
	bool is_known;
	uint64_t n[PROTO_MAX];
	uint64_t n_mptcp;
};

/* Enters the namespace for it. What cannot be read is not known. */
void protocols_read(struct host *host, const struct found_netns *place, struct protocols *ret);

/* The file's lines: NAME SIZE SOCKETS MEMORY ... Pure. */
void protocols_parse(const char *text, size_t n, struct protocols *ret);

#endif
