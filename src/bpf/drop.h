/* A packet that the kernel dropped, as the program hands it over (drops.bpf.c). */
#ifndef BPF_DROP_H
#define BPF_DROP_H

#include <linux/types.h>

#define BPF_DROPS_MAX 16

/*   0 reason   4 netns   8 local_port (where it goes to)   10 peer_port   12 address   28 family 29
 * unused  32 */
struct bpf_drop {
	__u32 reason;		  /* enum skb_drop_reason of the running kernel */
	__u32 netns;		  /* inode of the namespace; 0 unknown */
	__u16 to_port, from_port; /* host order */
	__be32 to[4];		  /* IPv4 as ::ffff:a.b.c.d */
	__u8 family, unused[3];
};
_Static_assert(sizeof(struct bpf_drop) == 32, "both sides agree");

struct bpf_drop_wanted {
	__u16 port; /* at either end, host order */
	__u8 protocol, unused;
};

#endif
