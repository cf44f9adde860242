/* Parts of a socket that every program reads alike. */
#ifndef BPF_PARTS_H
#define BPF_PARTS_H

#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136

static __always_inline void put_v4(__be32 *to, __be32 address)
{
	to[0] = 0;
	to[1] = 0;
	to[2] = bpf_htonl(0xffff);
	to[3] = address;
}

/* A macro, so that the relocations begin with the socket and not with struct in6_addr. */
#define put_v6(to, address)                           \
	({                                            \
		(to)[0] = address.in6_u.u6_addr32[0]; \
		(to)[1] = address.in6_u.u6_addr32[1]; \
		(to)[2] = address.in6_u.u6_addr32[2]; \
		(to)[3] = address.in6_u.u6_addr32[3]; \
	})

/* A struct socket and its inode are one allocation (include/net/sock.h, SOCK_INODE). 0:
 * there is none. */
static __always_inline __u32 inode_of(const struct socket *socket)
{
	unsigned long inode = 0;
	bpf_core_read(&inode, sizeof(inode),
		      &((const struct socket_alloc *)socket)->vfs_inode.i_ino);
	return inode;
}

#endif
