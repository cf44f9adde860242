/* The sockets of one network namespace as the kernel lists them: NETLINK_SOCK_DIAG, sock_diag(7).
 */
#ifndef SOURCE_SOCK_DIAG_H
#define SOURCE_SOCK_DIAG_H

#include <linux/netlink.h>

#include "source/netns.h"
#include "source/source.h"

/* All that @query's bounds want, of the namespace that @fd (a NETLINK_SOCK_DIAG socket) belongs to.
 * *@ret_absent gets 1 << enum proto for what this kernel cannot list so. 0 or negative errno with
 * @err told. */
int sock_diag_read(struct host *host, int fd, const struct query *query, struct sink *sink,
		   uint32_t *ret_absent, struct error *err);

/* One dump's messages in @bytes. *@ret_done: the end mark was among them; *@ret_error its errno
 * (negative) or 0;
 * *@ret_interrupted: the kernel said that the table changed under way. Pure.
 * 0; -EBADMSG: no netlink messages; what the sink said. */
int sock_diag_parse(const void *bytes, size_t n, enum proto proto, const struct query *query,
		    struct sink *sink, bool *ret_done, int *ret_error, bool *ret_interrupted);

/* The kernel's own choice for a packet: @packet's local is where it goes to, peer where it comes
 * from. 0; -ENOENT nobody; negative errno. */
int sock_diag_lookup(int fd, const struct socket *packet, struct found_socket *ret);

#endif
