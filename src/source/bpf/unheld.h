/* The sockets of one namespace that no file holds (iter/tcp, iter/udp): what belongs to nobody and
 * to the kernel. */
#ifndef SOURCE_BPF_UNHELD_H
#define SOURCE_BPF_UNHELD_H

#include "source/netns.h"
#include "source/source.h"

/* To sink->socket. @ret_sum gets the sum of the inodes of the TCP sockets in the wanted states that
 * have a file: a caller whose own sum is equal has them all. 0 or negative errno with @err told. */
int unheld_read_tcp(struct host *host, const struct found_netns *netns, const struct query *query,
		    struct sink *sink, uint64_t *ret_sum, struct error *err);
int unheld_read_udp(struct host *host, const struct found_netns *netns, const struct query *query,
		    struct sink *sink, struct error *err);

#endif
