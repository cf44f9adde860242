/* One descriptor of one process asked directly (pidfd_getfd(2)): what a dump did not show. */
#ifndef SOURCE_DESCRIPTOR_H
#define SOURCE_DESCRIPTOR_H

#include "source/source.h"

/* Our own namespace, asked once, when it is first needed, for all descriptors that are asked with
 * it; zeroed before. */
struct descriptor_here {
	bool is_known, has_cookie;
	uint64_t inode, cookie;
};

/* What socket @fd of @pid is, if it still is @inode. ret->netns_inode is set, if only to
 * NETNS_UNKNOWN.
 * 0; -ENOENT: not a socket with a port; -ESTALE: the descriptor is another one by now; -EPERM,
 * -ENOSYS, ... */
int descriptor_ask(const struct host *host, struct descriptor_here *here, int32_t pid, int32_t fd,
		   uint32_t inode, struct found_socket *ret);

#endif
