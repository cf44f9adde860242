/* What happens to sockets with a port, in all network namespaces, as it happens (docs/events.md).
 *
 * The state tracepoint is the hot path: a short connection passes it ten times. Transitions that
 * tell nothing leave at once, and a connection is one record at its end, but where its beginning is
 * wanted too.
 *
 * A program of a tracepoint is skipped where it interrupts itself on the same processor (a softirq
 * in the middle of a process's transition). So there are two copies, called one after another: the
 * second does what the first was kept from. The first leaves what it has done in the slot of its
 * processor, the second finds it there and takes it away; what has come between puts the slot back
 * as it was. Where that fails the socket itself says what was done of it last. */
#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/event.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define SHUTDOWN_MASK 3
#define SOCK_DONE 1 /* enum sock_flags: the peer's FIN has come */
#define PF_KTHREAD 0x00200000

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
};

extern void *bpf_cast_to_kern_ctx(void *) __ksym;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* The context of the bind hooks as the kernel has it. */
struct bpf_sock_addr_kern {
	struct sock *sk;
};

#pragma clang attribute pop

enum owner_flag {
	OWNER_DIALLED = 1 << 0,
	OWNER_ACCEPTED = 1 << 1,
	OWNER_EXACT = 1 << 2, /* not inherited from a listener */
	OWNER_OPEN = 1 << 3,  /* told as bound or listening */
	OWNER_TRIES = 1 << 4, /* a bind has begun */
	OWNER_CREATED = 1 << 5,
};

/* What is remembered of a socket, with the socket. An accepted one begins as its listener's. */
struct owner {
	__u64 start_ns, closer_start_ns;
	__u64 since_ns;
	__s32 pid, closer_pid;
	__u32 inode;
	__u8 flags;
	__u8 done; /* the transition that was told last: old << 4 | new */
	__u8 unused[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

struct bpf_events_memory memory = {};

/* ---- handing over ---- */

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
	bool is_full = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >
		       bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 2;
	bpf_ringbuf_submit(record, is_full ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void count_lost(void)
{
	__sync_fetch_and_add(&memory.shared.lost, 1);
}

static __always_inline void put_v4(__be32 *to, __be32 address)
{
	to[0] = 0;
	to[1] = 0;
	to[2] = bpf_htonl(0xffff);
	to[3] = address;
}

#define put_v6(to, address)                           \
	({                                            \
		(to)[0] = address.in6_u.u6_addr32[0]; \
		(to)[1] = address.in6_u.u6_addr32[1]; \
		(to)[2] = address.in6_u.u6_addr32[2]; \
		(to)[3] = address.in6_u.u6_addr32[3]; \
	})

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
		bpf_core_read(&port, sizeof(port), &((const struct inet_sock *)sk)->inet_sport);
		port = bpf_ntohs(port);
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
	event->netns = sk->__sk_common.skc_net.net->ns.inum;
	event->sent = event->received = 0;
	fill_addresses(event, sk);
	fill_ports(event, sk);
	event->uid = sk->sk_uid.val;
	event->interface = sk->__sk_common.skc_bound_dev_if;
	event->error = sk->sk_err;
	event->protocol = sk->sk_protocol;
	event->unused = 0;
	if ((sk->sk_shutdown & SHUTDOWN_MASK) == SHUTDOWN_MASK)
		event->flags |= BPF_EVENT_SHUT;
}

static __always_inline bool is_wanted(__u32 kind)
{
	return memory.shared.wanted >> kind & 1;
}

static __always_inline bool is_wanted_place(const struct sock *sk)
{
	return !memory.shared.netns || sk->__sk_common.skc_net.net->ns.inum == memory.shared.netns;
}

/* The process that runs now; none where the kernel does it by itself. */
static __always_inline void note_current(__s32 *ret_pid, __u64 *ret_start_ns)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool is_kernel = task->flags & PF_KTHREAD;
	*ret_pid = is_kernel ? 0 : task->tgid;
	*ret_start_ns = is_kernel ? 0 : task->group_leader->start_boottime;
}

static __always_inline void own(struct owner *owner, __u8 flags)
{
	note_current(&owner->pid, &owner->start_ns);
	owner->closer_pid = 0;
	owner->closer_start_ns = 0;
	owner->flags = flags | (owner->pid ? OWNER_EXACT : 0);
}

/* ---- the state of TCP ---- */

/* A struct socket and its inode are one allocation (include/net/sock.h, SOCK_INODE). */
static __always_inline __u32 inode_of(const struct sock *sk)
{
	const struct socket_alloc *socket = (const struct socket_alloc *)sk->sk_socket;
	unsigned long inode = 0;
	if (socket)
		bpf_core_read(&inode, sizeof(inode), &socket->vfs_inode.i_ino);
	return inode;
}

/* What was acknowledged and what came, less the SYN that a dialled one counts, and each end's FIN.
 */
static __always_inline void fill_bytes(struct bpf_event *event, struct sock *sk,
				       const struct owner *owner, int old)
{
	__u64 sent = 0, received = 0;
	if (event->protocol == BPF_EVENT_MPTCP) {
		const struct mptcp_sock *mptcp = (const struct mptcp_sock *)sk;
		if (bpf_core_field_exists(mptcp->bytes_acked)) {
			bpf_core_read(&sent, sizeof(sent), &mptcp->bytes_acked);
			bpf_core_read(&received, sizeof(received), &mptcp->bytes_received);
		}
	} else {
		const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
		bool has_sent_fin = old == TCP_FIN_WAIT1 || old == TCP_FIN_WAIT2 ||
				    old == TCP_CLOSING || old == TCP_LAST_ACK;
		if (!tcp)
			return;
		sent = tcp->bytes_acked;
		received = tcp->bytes_received;
		if (sent && owner->flags & OWNER_DIALLED)
			sent--;
		if (sent && has_sent_fin && tcp->snd_una == tcp->write_seq)
			sent--;
		if (received && sk->__sk_common.skc_flags >> SOCK_DONE & 1)
			received--;
	}
	event->sent = sent;
	event->received = received;
}

static __always_inline struct bpf_event *begin_event(struct sock *sk, const struct owner *owner,
						     __u8 kind)
{
	struct bpf_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		count_lost();
		return 0;
	}
	fill_socket(event, sk, kind);
	fill_owner(event, owner);
	event->cookie = bpf_get_socket_cookie(sk);
	event->time_ns = bpf_ktime_get_boot_ns();
	return event;
}

static __always_inline void tell_established(struct sock *sk, struct owner *owner, int old)
{
	if (!(owner->flags & OWNER_DIALLED)) {
		owner->flags = OWNER_ACCEPTED; /* what else there is came from the listener */
		owner->closer_pid = 0;
		owner->closer_start_ns = 0;
		owner->inode = 0;
	}
	owner->since_ns = bpf_ktime_get_boot_ns();
	if (!is_wanted(BPF_EVENT_ESTABLISHED) || !is_wanted_place(sk))
		return;
	struct bpf_event *event = begin_event(sk, owner, BPF_EVENT_ESTABLISHED);
	if (!event)
		return;
	event->time_ns = owner->since_ns;
	event->state = old;
	hand_over(event);
}

/* A process closes or shuts down: it holds it, whoever accepted. */
static __always_inline void note_closer(struct sock *sk, struct owner *owner)
{
	note_current(&owner->closer_pid, &owner->closer_start_ns);
	if (!owner->inode)
		owner->inode = inode_of(sk);
}

static __always_inline __u8 kind_of_end(const struct sock *sk, int old)
{
	if (old == TCP_LISTEN)
		return BPF_EVENT_CLOSED;
	if (old == TCP_SYN_SENT)
		return BPF_EVENT_CONNECT_FAILED;
	return BPF_EVENT_ENDED;
}

static __always_inline void tell_end(struct sock *sk, struct owner *owner, int old)
{
	__u8 kind = kind_of_end(sk, old);
	bool is_in_process = sk->sk_lock.owned;
	if (is_in_process && (kind == BPF_EVENT_CLOSED || old == TCP_ESTABLISHED ||
			      old == TCP_CLOSE_WAIT || old == TCP_SYN_SENT))
		note_closer(sk, owner);
	if (is_wanted(kind) && is_wanted_place(sk)) {
		struct bpf_event *event = begin_event(sk, owner, kind);
		if (event) {
			event->state = old;
			if (is_in_process)
				event->flags |= BPF_EVENT_IN_PROCESS;
			if (kind == BPF_EVENT_ENDED)
				fill_bytes(event, sk, owner, old);
			hand_over(event);
		}
	}
	owner->flags = 0;
	owner->since_ns = 0;
	owner->closer_pid = 0;
}

static __always_inline void tell_listening(struct sock *sk, struct owner *owner)
{
	own(owner, OWNER_OPEN);
	owner->since_ns = bpf_ktime_get_boot_ns();
	owner->inode = inode_of(sk);
	if (!is_wanted(BPF_EVENT_LISTENING) || !is_wanted_place(sk))
		return;
	struct bpf_event *event = begin_event(sk, owner, BPF_EVENT_LISTENING);
	if (!event)
		return;
	event->flags |= BPF_EVENT_IN_PROCESS;
	hand_over(event);
}

static __always_inline void change(struct sock *sk, int old, int new)
{
	__u8 done = old << 4 | new;
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner) {
		__sync_fetch_and_add(&memory.shared.unstored, 1);
		return;
	}
	owner->done = done;
	switch (new) {
	case TCP_SYN_SENT:
		own(owner, OWNER_DIALLED);
		owner->since_ns = 0;
		owner->inode = inode_of(sk);
		return;
	case TCP_ESTABLISHED:
		tell_established(sk, owner, old);
		return;
	case TCP_LISTEN:
		tell_listening(sk, owner);
		return;
	case TCP_FIN_WAIT1:
		/* closed by its process before the third packet: TCP_FASTOPEN */
		if (old == TCP_SYN_RECV)
			tell_established(sk, owner, old);
		if (sk->sk_lock.owned)
			note_closer(sk, owner);
		return;
	case TCP_LAST_ACK:
		if (sk->sk_lock.owned)
			note_closer(sk, owner);
		return;
	default:
		tell_end(sk, owner, old);
	}
}

static __always_inline bool is_told(struct sock *sk, int old, int new)
{
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	return owner && owner->done == (__u8)(old << 4 | new);
}

#define TELLING                                                                        \
	(1 << TCP_SYN_SENT | 1 << TCP_ESTABLISHED | 1 << TCP_CLOSE | 1 << TCP_LISTEN | \
	 1 << TCP_FIN_WAIT1 | 1 << TCP_LAST_ACK)

static __always_inline bool tells(struct sock *sk, int old, int new)
{
	if (!(TELLING >> (new & 15) & 1))
		return false;
	__u16 protocol = sk->sk_protocol;
	if (protocol != IPPROTO_TCP)
		return protocol == BPF_EVENT_MPTCP;
	/* what MPTCP sends over: its own socket is told of */
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	bool is_part = tcp && bpf_core_field_exists(tcp->is_mptcp) && tcp->is_mptcp;
	return !is_part && !(old == TCP_CLOSE && new == TCP_CLOSE);
}

static __always_inline struct bpf_events_slot *slot_here(void)
{
	return &memory.slots[bpf_get_smp_processor_id() % BPF_EVENTS_SLOTS];
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_first, struct sock *sk, int old, int new)
{
	if (!tells(sk, old, new))
		return 0;
	struct bpf_events_slot *slot = slot_here();
	slot->sk_before = slot->sk;
	slot->done_before = slot->done;
	slot->sk = sk;
	slot->done = old << 4 | new;
	change(sk, old, new);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_second, struct sock *sk, int old, int new)
{
	if (!tells(sk, old, new))
		return 0;
	struct bpf_events_slot *slot = slot_here();
	if (slot->sk == sk && slot->done == (__u8)(old << 4 | new)) {
		slot->sk = slot->sk_before;
		slot->done = slot->done_before;
		return 0;
	}
	if (is_told(sk, old, new))
		return 0;
	__sync_fetch_and_add(&memory.shared.rescued, 1);
	change(sk, old, new);
	return 0;
}

/* ---- who a process is ---- */

/* One name of a path, the last first, or one mount up (prepend_path in fs/d_path.c). */
static __always_inline void put_exe(struct bpf_process *process, const struct file *file)
{
	const struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	const struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	const struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	bool is_deleted = !BPF_CORE_READ(dentry, d_hash.pprev);
	__u32 at = 0;

	for (int i = 0; i < 32; i++) {
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			const struct mount *above = BPF_CORE_READ(mount, mnt_parent);
			if (above == mount) {
				process->exe_size = at;
				process->flags |= BPF_PROCESS_EXE;
				if (is_deleted && at)
					process->flags |= BPF_PROCESS_EXE_DELETED;
				return;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		const struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry || at >= BPF_PROCESS_EXE_MAX)
			return;
		long size = bpf_probe_read_kernel_str(process->exe + at, BPF_PROCESS_NAME_MAX,
						      BPF_CORE_READ(dentry, d_name.name));
		if (size < 2 || size > BPF_PROCESS_NAME_MAX)
			return;
		at += size;
		dentry = parent;
	}
}

struct kernfs_node___old {
	struct kernfs_node *parent;
} __attribute__((preserve_access_index));

static __always_inline const struct kernfs_node *parent_of(const struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ((const struct kernfs_node___old *)node, parent);
}

static __always_inline void put_group(struct bpf_process *process, const struct task_struct *task)
{
	const struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	__u32 at = 0;
	for (int i = 0; i < 16 && node; i++) {
		const struct kernfs_node *parent = parent_of(node);
		if (!parent) {
			process->group_size = at;
			return;
		}
		if (at >= BPF_PROCESS_GROUP_MAX)
			return;
		long size = bpf_probe_read_kernel_str(process->group + at, BPF_PROCESS_NAME_MAX,
						      BPF_CORE_READ(node, name));
		if (size < 2 || size > BPF_PROCESS_NAME_MAX)
			return;
		at += size;
		node = parent;
	}
}

static __always_inline void put_args(struct bpf_process *process, const struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	unsigned long size = end - start;
	if (end <= start)
		return;
	if (size > BPF_PROCESS_ARGS_MAX)
		size = BPF_PROCESS_ARGS_MAX;
	if (bpf_probe_read_user(process->args, size, (const void *)start) == 0)
		process->args_size = size;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(began, struct task_struct *task)
{
	const struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct bpf_process *process;
	if (!mm || task->flags & PF_KTHREAD)
		return 0;
	process = bpf_ringbuf_reserve(&ring, sizeof(*process), 0);
	if (!process) {
		__sync_fetch_and_add(&memory.shared.unknown, 1);
		return 0;
	}
	process->kind = BPF_EVENT_PROCESS;
	process->flags = 0;
	process->exe_size = process->group_size = process->args_size = 0;
	process->pid = task->tgid;
	process->ppid = BPF_CORE_READ(task, group_leader, real_parent, tgid);
	process->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	process->parent_start_ns = 0;
	process->uid = BPF_CORE_READ(task, real_cred, euid.val);
	process->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	bpf_core_read_str(process->name, sizeof(process->name), &task->comm);
	const struct file *file = BPF_CORE_READ(mm, exe_file);
	if (file)
		put_exe(process, file);
	put_group(process, task);
	put_args(process, mm);
	hand_over_quietly(process);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0;
	struct bpf_process *process = bpf_ringbuf_reserve(&ring, BPF_FORK_SIZE, 0);
	if (!process) {
		__sync_fetch_and_add(&memory.shared.unknown, 1);
		return 0;
	}
	process->kind = BPF_EVENT_FORK;
	process->flags = 0;
	process->exe_size = process->group_size = process->args_size = 0;
	process->pid = child->tgid;
	process->ppid = parent->tgid;
	process->start_ns = child->start_boottime;
	process->parent_start_ns = parent->group_leader->start_boottime;
	hand_over_quietly(process);
	return 0;
}

/* ---- what the state does not show: binds, UDP, the release ---- */

static __always_inline bool has_port(const struct sock *sk)
{
	__u16 protocol = sk->sk_protocol;
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

/* MPTCP binds the TCP socket below it. */
static __always_inline bool is_part_of_mptcp(struct sock *sk)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	bool is_part = false;
	if (sk->sk_protocol == IPPROTO_TCP && bpf_core_field_exists(tcp->is_mptcp))
		bpf_core_read(&is_part, sizeof(is_part), &tcp->is_mptcp);
	return is_part;
}

static __always_inline struct bpf_event *begin_hooked(struct sock *sk, const struct owner *owner,
						      __u64 cookie, __u8 kind)
{
	if (!is_wanted(kind) || !is_wanted_place(sk))
		return 0;
	struct bpf_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		count_lost();
		return 0;
	}
	fill_socket(event, sk, kind);
	fill_owner(event, owner);
	event->flags |= BPF_EVENT_IN_PROCESS;
	event->cookie = cookie;
	event->time_ns = bpf_ktime_get_boot_ns();
	return event;
}

/* What was told of it, and bpf_sk_storage_get that counts where there was no memory. */
#define OWNER_OF(ctx_or_sk)                                                                     \
	({                                                                                      \
		struct owner *owner_ =                                                          \
			bpf_sk_storage_get(&owners, ctx_or_sk, 0, BPF_SK_STORAGE_GET_F_CREATE); \
		if (!owner_)                                                                    \
			__sync_fetch_and_add(&memory.shared.unstored, 1);                       \
		owner_;                                                                         \
	})

SEC("cgroup/sock_create")
int created(struct bpf_sock *ctx)
{
	if (ctx->protocol != IPPROTO_UDP && ctx->protocol != IPPROTO_UDPLITE)
		return 1;
	struct sock *sk = bpf_cast_to_kern_ctx(ctx);
	struct owner *owner = OWNER_OF(ctx);
	if (!owner)
		return 1;
	own(owner, OWNER_CREATED);
	struct bpf_event *event =
		begin_hooked(sk, owner, bpf_get_socket_cookie(ctx), BPF_EVENT_CREATED);
	if (event)
		hand_over(event);
	return 1;
}

static __always_inline void tell_bound(struct bpf_sock *ctx)
{
	struct sock *sk = bpf_cast_to_kern_ctx(ctx);
	if (!has_port(sk) || is_part_of_mptcp(sk))
		return;
	struct owner *owner = OWNER_OF(ctx);
	if (!owner)
		return;
	own(owner, OWNER_OPEN);
	owner->since_ns = bpf_ktime_get_boot_ns();
	owner->inode = inode_of(sk);
	struct bpf_event *event =
		begin_hooked(sk, owner, bpf_get_socket_cookie(ctx), BPF_EVENT_BOUND);
	if (event)
		hand_over(event);
}

SEC("cgroup/post_bind4")
int bound_v4(struct bpf_sock *ctx)
{
	tell_bound(ctx);
	return 1;
}

SEC("cgroup/post_bind6")
int bound_v6(struct bpf_sock *ctx)
{
	tell_bound(ctx);
	return 1;
}

/* Who bound it already stays its owner: the second bind is refused. */
static __always_inline struct bpf_event *begin_trial(struct bpf_sock_addr *ctx)
{
	const struct bpf_sock_addr_kern *kernel = bpf_cast_to_kern_ctx(ctx);
	struct sock *sk = kernel->sk;
	if (!sk || !has_port(sk) || is_part_of_mptcp(sk) || !ctx->sk)
		return 0;
	struct owner *owner = OWNER_OF(ctx->sk), tries = {};
	if (!owner)
		return 0;
	owner->flags |= OWNER_TRIES;
	note_current(&tries.pid, &tries.start_ns);
	tries.flags = OWNER_EXACT;
	tries.inode = inode_of(sk);
	struct bpf_event *event =
		begin_hooked(sk, &tries, bpf_get_socket_cookie(ctx), BPF_EVENT_TRIED);
	if (!event)
		return 0;
	event->state = sk->__sk_common.skc_state;
	event->error = sk->__sk_common.skc_num; /* bound already: to that port */
	event->local_port = bpf_ntohs(ctx->user_port);
	return event;
}

SEC("cgroup/bind4")
int tried_v4(struct bpf_sock_addr *ctx)
{
	__be32 address = ctx->user_ip4;
	struct bpf_event *event = begin_trial(ctx);
	if (!event)
		return 1;
	put_v4(event->local, address);
	hand_over(event);
	return 1;
}

SEC("cgroup/bind6")
int tried_v6(struct bpf_sock_addr *ctx)
{
	__be32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
			     ctx->user_ip6[3]};
	struct bpf_event *event = begin_trial(ctx);
	if (!event)
		return 1;
	for (int i = 0; i < 4; i++)
		event->local[i] = address[i];
	hand_over(event);
	return 1;
}

/* A listener and a connection tell of their end by their state. Of what is older than the watching
 * nothing is remembered. */
static __always_inline bool ends_silently(const struct sock *sk, const struct owner *owner)
{
	if (owner)
		return owner->flags & (OWNER_OPEN | OWNER_TRIES | OWNER_CREATED);
	return sk->__sk_common.skc_num != 0;
}

SEC("cgroup/sock_release")
int released(struct bpf_sock *ctx)
{
	struct sock *sk = bpf_cast_to_kern_ctx(ctx);
	struct owner older = {}, *owner;
	if (!has_port(sk))
		return 1;
	if (sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state != TCP_CLOSE)
		return 1;
	owner = bpf_sk_storage_get(&owners, ctx, 0, 0);
	if (!ends_silently(sk, owner) || is_part_of_mptcp(sk))
		return 1;
	if (!owner)
		owner = &older;
	note_current(&owner->closer_pid, &owner->closer_start_ns);
	struct bpf_event *event =
		begin_hooked(sk, owner, bpf_get_socket_cookie(ctx), BPF_EVENT_CLOSED);
	if (!event)
		return 1;
	event->state = sk->__sk_common.skc_state;
	if (!event->inode)
		event->inode = inode_of(sk);
	hand_over(event);
	return 1;
}

char program_license[] SEC("license") = "GPL";
