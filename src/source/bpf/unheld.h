/* The sockets of one namespace that no file holds (iter/tcp, iter/udp): what belongs to nobody and
 * to the kernel. */
#ifndef SOURCE_BPF_UNHELD_H
#define SOURCE_BPF_UNHELD_H

#include "source/netns.h"
#include "source/source.h"

/* Does it work here, tried by loading it; if not, why. Returns ret->works. */
bool unheld_try_tcp(const struct host *host, struct facility *ret);
bool unheld_try_udp(const struct host *host, struct facility *ret);

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

/* The programs that read namespaces one after another, each loaded at its first use. Begins as {0}.
 */
struct unheld {
	void *tcp, *udp;
};

/* The sockets of @proto (TCP or UDP) to sink->socket. 0 or negative errno with @err told. */
int unheld_read(struct unheld *unheld, struct host *host, const struct found_netns *netns,
		const struct query *query, enum proto proto, struct sink *sink, struct error *err);
void unheld_done(struct unheld *unheld);

#endif
