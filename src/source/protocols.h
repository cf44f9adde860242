/* How many sockets of each protocol a network namespace has in use: /proc/net/protocols, and
 * sockstat. */
#ifndef SOURCE_PROTOCOLS_H
#define SOURCE_PROTOCOLS_H

#include "source/netns.h"

struct protocols {
	bool is_known;
	uint64_t n[PROTO_MAX]; /* of TCP without TIME_WAIT, and without what is only bound */
	uint64_t n_mptcp;
	uint64_t n_sockets;   /* of all families; the kernel's own are not counted */
	uint64_t n_time_wait; /* of TCP */
};

/* Enters the namespace for it. What cannot be read is not known. */
void protocols_read(struct host *host, const struct found_netns *place, struct protocols *ret);

/* How many TCP connections the namespace ever opened, dialled and accepted. False: it cannot be
 * told. */
bool protocols_opened(struct host *host, const struct found_netns *place, uint64_t *ret);

/* The lines of protocols: NAME SIZE SOCKETS MEMORY ... Pure. */
void protocols_parse(const char *text, size_t n, struct protocols *ret);
/* Those of sockstat. False: it is none. Pure. */
bool protocols_parse_sockstat(const char *text, size_t n, struct protocols *ret);

#endif
