/* Interfaces, addresses and port ranges of a network namespace: rtnetlink(7) and /proc/sys/net. */
#ifndef SOURCE_INTERFACES_H
#define SOURCE_INTERFACES_H

#include "base/arena.h"
#include "source/netns.h"

/* Fills @ret's lists and ranges; strings and arrays in @arena. 0 or negative errno with @err told.
 */
int interfaces_read(struct host *host, const struct found_netns *netns, struct arena *arena,
		    struct netns *ret, struct error *err);

/* "1,5-7" of ip_local_reserved_ports. 0 or -ENOMEM; what is no range is passed over. Pure. */
int interfaces_parse_reserved(const char *text, struct arena *arena, const struct port_range **ret,
			      uint32_t *ret_n);

#endif
