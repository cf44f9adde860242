/* Who tries a door that is closed or filtered, counted by the kernel's own side (knocks.bpf.c). */
#ifndef BPF_KNOCK_H
#define BPF_KNOCK_H

#include <linux/types.h>

#define BPF_KNOCKS_MAX 8192 /* different ones between two readings */

/*   0 to   16 from   32 reason   36 netns   40 to_port   42 protocol   43 family   44 */
struct bpf_knock {
	__be32 to[4], from[4]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 reason;	       /* enum skb_drop_reason of the running kernel */
	__u32 netns;	       /* inode of the namespace; 0 unknown */
	__u16 to_port;	       /* host order */
	__u8 protocol, family;
};
_Static_assert(sizeof(struct bpf_knock) == 44, "both sides agree");

struct bpf_knocks {
	__u64 count;
	__u64 last_ns;	 /* CLOCK_BOOTTIME */
	__u32 from_port; /* of the last, host order */
	__u32 unused;
};
_Static_assert(sizeof(struct bpf_knocks) == 24, "both sides agree");

#endif
