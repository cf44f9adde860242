/* How what happened to a socket is handed over: of events.bpf.c. */
#ifndef BPF_HANDING_H
#define BPF_HANDING_H

#include "bpf/event.h"
#include "bpf/owner.h"

#define SHUTDOWN_MASK 3
#define SOCK_DONE 1 /* enum sock_flags: the peer's FIN has come */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

/* A record that is written where memory was used just now costs half of one that is not: so as long
 * as the reader follows a short ring has them all. What finds no room in it goes to the other, and
 * so does all that comes behind it until the reader has read both. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BPF_EVENTS_SHORT_RING);
} short_ring SEC(".maps");

struct bpf_events_memory memory = {};

static __always_inline struct bpf_events_slot *slot_here(void)
{
	return &memory.slots[bpf_get_smp_processor_id() % BPF_EVENTS_SLOTS];
}

/* ---- handing over ---- */

/* Room for a record; a macro, since the size has to be a constant. NULL: there is none. */
#define TAKE_ROOM(size)                                                     \
	({                                                                  \
		void *record_ = 0;                                          \
		if (!*(volatile __u64 *)&memory.shared.spill &&             \
		    !(record_ = bpf_ringbuf_reserve(&short_ring, size, 0))) \
			spill();                                            \
		record_ ? record_ : bpf_ringbuf_reserve(&ring, size, 0);    \
	})

/* Who is first says from where on. */
static __always_inline void spill(void)
{
	__u64 from = bpf_ringbuf_query(&ring, BPF_RB_PROD_POS);
	__sync_val_compare_and_swap(&memory.shared.spill, 0, from | 1);
}

static __always_inline bool is_half_full(void *map)
{
	return bpf_ringbuf_query(map, BPF_RB_AVAIL_DATA) >
	       bpf_ringbuf_query(map, BPF_RB_RING_SIZE) / 2;
}

static __always_inline void hand_over(void *record)
{
	__u64 flags = BPF_RB_NO_WAKEUP;
	if (memory.shared.sleeps) {
		memory.shared.sleeps = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(record, flags);
}

/* Who a process is can wait: the next event wakes, or the ring that fills. */
static __always_inline void hand_over_quietly(void *record)
{
	bool is_full = is_half_full(&short_ring) || is_half_full(&ring);
	bpf_ringbuf_submit(record, is_full ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void count_lost(void)
{
	__sync_fetch_and_add(&memory.shared.lost, 1);
}

static __always_inline bool is_wanted(__u32 kind)
{
	return memory.shared.wanted >> kind & 1;
}

/* Its inode stands beside its count of references, which each socket that comes and goes writes to,
 * on all processors: to read it took a fourth of the time of a record. The cookie is written once.
 */
static __always_inline __u32 netns_of(const struct sock *sk)
{
	const struct net *net = sk->__sk_common.skc_net.net;
	struct bpf_events_slot *slot = slot_here();
	__u64 known = slot->netns, cookie = net->net_cookie;
	if (known >> 32 == (__u32)cookie)
		return known;
	__u32 inode = net->ns.inum;
	slot->netns = cookie << 32 | inode;
	return inode;
}

static __always_inline bool is_wanted_place(const struct sock *sk)
{
	return !memory.shared.netns || netns_of(sk) == memory.shared.netns;
}

static __always_inline void fill_addresses(struct bpf_event *event, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	if (event->family == AF_INET || !bpf_core_field_exists(common->skc_v6_daddr)) {
		put_v4(event->local, common->skc_rcv_saddr);
		put_v4(event->peer, common->skc_daddr);
	} else {
		put_v6(event->local, common->skc_v6_rcv_saddr);
		put_v6(event->peer, common->skc_v6_daddr);
		if (BPF_CORE_READ_BITFIELD(common, skc_ipv6only))
			event->flags |= BPF_EVENT_V6ONLY;
	}
	if (BPF_CORE_READ_BITFIELD(common, skc_reuseport))
		event->flags |= BPF_EVENT_REUSEPORT;
	if (BPF_CORE_READ_BITFIELD(common, skc_reuse))
		event->flags |= BPF_EVENT_REUSEADDR;
}

/* As a listener or a bound socket gives its port back only the wire's copy is left of it; while it
 * is being bound there is only the other. */
static __always_inline void fill_ports(struct bpf_event *event, const struct sock *sk)
{
	__u16 port = sk->__sk_common.skc_num;
	if (!port) {
		const struct inet_sock *inet =
			bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct inet_sock));
		port = bpf_ntohs(inet->inet_sport);
	}
	event->local_port = port;
	event->peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
}

static __always_inline void fill_owner(struct bpf_event *event, const struct owner *owner)
{
	event->start_ns = owner->start_ns;
	event->closer_start_ns = owner->closer_start_ns;
	event->since_ns = owner->since_ns;
	event->pid = owner->pid;
	event->closer_pid = owner->closer_pid;
	event->inode = owner->inode;
	event->owner_uid = owner->uid;
	if (owner->flags & OWNER_EXACT)
		event->flags |= BPF_EVENT_EXACT;
	if (owner->flags & OWNER_DIALLED)
		event->flags |= BPF_EVENT_ROLE_DIALLED;
	if (owner->flags & OWNER_ACCEPTED)
		event->flags |= BPF_EVENT_ROLE_ACCEPTED;
}

/* All but the cookie, the time and the bytes. */
static __always_inline void fill_socket(struct bpf_event *event, const struct sock *sk, __u8 kind)
{
	event->kind = kind;
	event->family = sk->__sk_common.skc_family == AF_INET ? AF_INET : AF_INET6;
	event->flags = 0;
	event->state = 0;
	event->netns = netns_of(sk);
	event->sent = event->received = 0;
	fill_addresses(event, sk);
	fill_ports(event, sk);
	event->uid = sk->sk_uid.val;
	event->interface = sk->__sk_common.skc_bound_dev_if;
	event->error = sk->sk_err;
	event->protocol = sk->sk_protocol;
	if ((sk->sk_shutdown & SHUTDOWN_MASK) == SHUTDOWN_MASK)
		event->flags |= BPF_EVENT_SHUT;
}

#endif
