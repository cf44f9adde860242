/* Packets of one port that the kernel drops, and why: the tracepoint skb:kfree_skb. */
#include "bpf/drop.h"
#include "bpf/packet.h"

const volatile struct bpf_drop_wanted wanted = {};

struct bpf_drop drops[BPF_DROPS_MAX] = {};
__u32 n_drops = 0;

static __always_inline __u32 netns_of(const struct sk_buff *skb)
{
	const struct net_device *device = 0;
	const struct sock *sk = 0;
	const struct net *net = 0;
	__u32 inode = 0;
	bpf_core_read(&device, sizeof(device), &skb->dev);
	if (device)
		bpf_core_read(&net, sizeof(net), &device->nd_net.net);
	if (!net) {
		bpf_core_read(&sk, sizeof(sk), &skb->sk);
		if (sk)
			bpf_core_read(&net, sizeof(net), &sk->__sk_common.skc_net.net);
	}
	if (net)
		bpf_core_read(&inode, sizeof(inode), &net->ns.inum);
	return inode;
}

/* Addresses and protocol; where the ports stand. 0: no packet that is wanted. */
static __always_inline const unsigned char *read_header(const unsigned char *at,
							struct bpf_drop *drop)
{
	struct header_v4 v4 = {};
	struct header_v6 v6 = {};
	if (bpf_probe_read_kernel(&v4, sizeof(v4), at) < 0)
		return 0;
	if (v4.version_length >> 4 == 4) {
		drop->family = AF_INET;
		drop->to[2] = bpf_htonl(0xffff);
		drop->to[3] = v4.to;
		return v4.protocol == wanted.protocol ? at + (v4.version_length & 15) * 4 : 0;
	}
	if (v4.version_length >> 4 != 6 || bpf_probe_read_kernel(&v6, sizeof(v6), at) < 0)
		return 0;
	drop->family = AF_INET6;
	drop->to[0] = v6.to[0];
	drop->to[1] = v6.to[1];
	drop->to[2] = v6.to[2];
	drop->to[3] = v6.to[3];
	return v6.protocol == wanted.protocol ? at + sizeof(v6) : 0;
}

SEC("tp_btf/kfree_skb")
int dropped(__u64 *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx[0];
	struct bpf_drop drop = {.reason = (__u32)ctx[2]};
	const unsigned char *head = 0;
	struct ports ports = {};
	__u16 offset = 0;
	bpf_core_read(&head, sizeof(head), &skb->head);
	bpf_core_read(&offset, sizeof(offset), &skb->network_header);
	if (!head)
		return 0;
	const unsigned char *at = read_header(head + offset, &drop);
	if (!at || bpf_probe_read_kernel(&ports, sizeof(ports), at) < 0)
		return 0;
	drop.from_port = bpf_ntohs(ports.from);
	drop.to_port = bpf_ntohs(ports.to);
	if (drop.from_port != wanted.port && drop.to_port != wanted.port)
		return 0;
	drop.netns = netns_of(skb);
	__u32 index = __sync_fetch_and_add(&n_drops, 1);
	if (index < BPF_DROPS_MAX)
		drops[index] = drop;
	return 0;
}

char program_license[] SEC("license") = "GPL";
