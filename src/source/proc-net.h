/* Sockets from the text files of /proc/net, for what NETLINK_SOCK_DIAG cannot list here (raw,
 * UDP-Lite). */
#ifndef SOURCE_PROC_NET_H
#define SOURCE_PROC_NET_H

#include "source/netns.h"

/* The protocols in @protos (1 << enum proto) of the namespace. 0 or negative errno with @err told;
 * a file that is not there is not an error: the kernel does not have that protocol. */
int proc_net_read(struct host *host, const struct found_netns *netns, uint32_t protos,
		  const struct query *query, struct sink *sink, struct error *err);

/* One file's text. Lines that are no sockets are passed over. 0 or what the sink said. Pure. */
int proc_net_parse(const char *text, size_t n, enum proto proto, enum family family,
		   const struct query *query, struct sink *sink);

#endif
