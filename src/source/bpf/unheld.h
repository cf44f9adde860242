/* The sockets of one namespace that no file holds (iter/tcp, iter/udp): what belongs to nobody and
 * to the kernel. */
#ifndef SOURCE_BPF_UNHELD_H
#define SOURCE_BPF_UNHELD_H

#include "source/netns.h"
#include "source/source.h"

/* A pass over TCP sockets that runs beside others, in a thread of its own. */
struct unheld_pass;

/* NULL: no memory, or built without BPF. @host, @netns and @query stay until the end. */
struct unheld_pass *unheld_start_tcp(struct host *host, const struct found_netns *netns,
				     const struct query *query);

/* Waits for it, gives what it found to sink->socket and frees it. @ret_sum gets the sum of the
 * inodes of the TCP sockets in the wanted states, listeners left out, that have a file: a caller
 * whose own sum is equal has them all. 0 or negative errno with @err told. NULL is -ENOTSUP. */
int unheld_finish_tcp(struct unheld_pass *pass, struct sink *sink, uint64_t *ret_sum,
		      struct error *err);

/* To sink->socket. 0 or negative errno with @err told. */
int unheld_read_udp(struct host *host, const struct found_netns *netns, const struct query *query,
		    struct sink *sink, struct error *err);

#endif
