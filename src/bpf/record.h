/* One socket as a program hands it to user space: by the pass over all descriptors (files.bpf.c)
 * and by those over the sockets of one namespace (unheld-*.bpf.c). Numbers in host order, addresses
 * in network order. */
#ifndef BPF_RECORD_H
#define BPF_RECORD_H

#include <linux/types.h>

enum bpf_record_kind {
	BPF_RECORD_SOCKET = 1, /* held: by pid, fd */
	BPF_RECORD_RING,   /* an io_uring: pid, fd; its fdinfo lists the files registered with it */
	BPF_RECORD_NOBODY, /* no struct socket */
	BPF_RECORD_KERNEL, /* struct socket without a file */
	BPF_RECORD_NETNS,  /* a namespace of some kind: pid, fd, inode */
	BPF_RECORD_TALLY,  /* a socket that is not wanted, of whatever family, in a namespace whose
			      sockets are counted: inode, netns, family, protocol, state */
};

enum bpf_record_flag {
	BPF_RECORD_V6ONLY = 1 << 0,
	BPF_RECORD_REUSEPORT = 1 << 1,
	BPF_RECORD_MPTCP = 1 << 2,
	BPF_RECORD_QUEUES = 1 << 3, /* the queues are known */
	BPF_RECORD_BYTES = 1 << 4,  /* struct bpf_bytes stands behind it */
};

/*   0 cookie    8 local     24 peer     40 inode  44 netns  48 uid  52 interface
 *  56 receive  60 send      64 pid      68 fd     72 local_port  74 peer_port
 *  76 protocol 78 kind      79 family   80 state  81 flags  82 half_open  84 unused   88 */
struct bpf_record {
	__u64 cookie;
	__be32 local[4], peer[4]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 inode, netns;
	__u32 uid, interface;
	__u32 recv_queue, send_queue; /* a listener's: waiting, limit */
	__s32 pid, fd;
	__u16 local_port, peer_port;
	__u16 protocol; /* IPPROTO_*; 255 for raw, whose protocol is local_port */
	__u8 kind, family, state, flags;
	__u16 half_open; /* a listener's: connections that are not yet connected; at most 65535 */
	__u8 unused[4];
};
_Static_assert(sizeof(struct bpf_record) == 88, "both sides agree");

/* What went over a TCP connection so far, where that is wanted. */
struct bpf_bytes {
	__u64 acked, received;
};
_Static_assert(sizeof(struct bpf_bytes) == 16, "both sides agree");

#define BPF_PROTOCOL_RAW 255
#define BPF_PROTOCOL_MPTCP 262

/* Which sockets are wanted; decided in the kernel. */
struct bpf_wanted {
	__u32 states; /* 1 << state; bound sockets 1 << 13 */
	__u32 netns;  /* 0: all */
	__u16 port_first, port_last;
	__u8 either_end; /* or the peer's port */
	__u8 tcp, others;
	__u8 bytes;	      /* of TCP connections */
	__u32 not_tallied[2]; /* in all other namespaces each socket is told of; 0: in none */
};

#endif
