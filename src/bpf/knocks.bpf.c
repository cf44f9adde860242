/* Packets that open a conversation and that the kernel drops: who sent how many to which door, and
 * why they were dropped. Nothing of a packet is kept but its addresses. */
#include "bpf/knock.h"
#include "bpf/packet.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define TCP_FLAGS 13 /* their byte in the header */
#define TCP_SYN 2
#define TCP_ACK 16
#define TCP_RST 4

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BPF_KNOCKS_MAX);
	__type(key, struct bpf_knock);
	__type(value, struct bpf_knocks);
} knocks SEC(".maps");

__u64 n_knocks = 0; /* all of them: it changes, so there is something to read */
__u64 n_lost = 0;   /* those that there was no room for */

static __always_inline __u32 netns_of(const struct sk_buff *skb)
{
	const struct net_device *device = 0;
	const struct net *net = 0;
	__u32 inode = 0;
	bpf_core_read(&device, sizeof(device), &skb->dev);
	if (device)
		bpf_core_read(&net, sizeof(net), &device->nd_net.net);
	if (net)
		bpf_core_read(&inode, sizeof(inode), &net->ns.inum);
	return inode;
}

/* Addresses and protocol; where the ports stand. 0: neither TCP nor UDP, or no first fragment. */
static __always_inline const unsigned char *read_header(const unsigned char *at,
							struct bpf_knock *knock)
{
	struct header_v4 v4 = {};
	struct header_v6 v6 = {};
	if (bpf_probe_read_kernel(&v4, sizeof(v4), at) < 0)
		return 0;
	if (v4.version_length >> 4 == 4) {
		knock->family = AF_INET;
		knock->to[2] = knock->from[2] = bpf_htonl(0xffff);
		knock->to[3] = v4.to;
		knock->from[3] = v4.from;
		knock->protocol = v4.protocol;
		return v4.fragment & bpf_htons(0x1fff) ? 0 : at + (v4.version_length & 15) * 4;
	}
	if (v4.version_length >> 4 != 6 || bpf_probe_read_kernel(&v6, sizeof(v6), at) < 0)
		return 0;
	knock->family = AF_INET6;
	__builtin_memcpy(knock->to, v6.to, sizeof(knock->to));
	__builtin_memcpy(knock->from, v6.from, sizeof(knock->from));
	knock->protocol = v6.protocol;
	return at + sizeof(v6);
}

/* A SYN alone opens a connection; of UDP each datagram may. */
static __always_inline bool is_opening(const unsigned char *at, const struct bpf_knock *knock)
{
	__u8 flags = 0;
	if (knock->protocol == IPPROTO_UDP)
		return true;
	if (knock->protocol != IPPROTO_TCP)
		return false;
	if (bpf_probe_read_kernel(&flags, sizeof(flags), at + TCP_FLAGS) < 0)
		return false;
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static __always_inline void count(const struct bpf_knock *knock, __u16 from_port)
{
	struct bpf_knocks *known = bpf_map_lookup_elem(&knocks, knock);
	__sync_fetch_and_add(&n_knocks, 1);
	if (known) {
		__sync_fetch_and_add(&known->count, 1);
		known->last_ns = bpf_ktime_get_boot_ns();
		known->from_port = from_port;
		return;
	}
	struct bpf_knocks first = {
		.count = 1, .last_ns = bpf_ktime_get_boot_ns(), .from_port = from_port};
	if (bpf_map_update_elem(&knocks, knock, &first, BPF_NOEXIST) == 0)
		return;
	known = bpf_map_lookup_elem(&knocks, knock); /* another CPU was first */
	if (known)
		__sync_fetch_and_add(&known->count, 1);
	else
		__sync_fetch_and_add(&n_lost, 1);
}

SEC("tp_btf/kfree_skb")
int dropped(__u64 *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx[0];
	struct bpf_knock knock = {.reason = (__u32)ctx[2]};
	const unsigned char *head = 0;
	struct ports ports = {};
	__u16 offset = 0;
	int came_by = 0;
	bpf_core_read(&came_by, sizeof(came_by), &skb->skb_iif);
	bpf_core_read(&head, sizeof(head), &skb->head);
	bpf_core_read(&offset, sizeof(offset), &skb->network_header);
	if (!head || !came_by) /* it never came in: one of our own that did not get out */
		return 0;
	const unsigned char *at = read_header(head + offset, &knock);
	if (!at || !is_opening(at, &knock) || bpf_probe_read_kernel(&ports, sizeof(ports), at) < 0)
		return 0;
	knock.to_port = bpf_ntohs(ports.to);
	knock.netns = netns_of(skb);
	count(&knock, bpf_ntohs(ports.from));
	return 0;
}

char program_license[] SEC("license") = "GPL";
