/* What happens to sockets with a port, in all network namespaces, as it happens (docs/events.md).
 *
 * The state tracepoint is the hot path: a short connection passes it ten times. Transitions that
 * tell nothing leave at once, what is remembered of a connection needs no memory of its own, and it
 * is one record at its end, but where its beginning is wanted too.
 *
 * A program of a tracepoint is skipped where it interrupts itself on the same processor (a softirq
 * in the middle of a process's transition). So there are two copies, called one after another: the
 * second does what the first was kept from. The first leaves what it has done in the slot of its
 * processor, the second finds it there and takes it away; what has come between puts the slot back
 * as it was. Where that fails the socket itself says what was done of it last. */
#include "bpf/handing.h"

#include <bpf/bpf_tracing.h>

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

/* ---- the state of TCP ---- */

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
		/* what says that no more comes counts as a byte, once it was acknowledged */
		if (sent && (old == TCP_FIN_WAIT2 || old == TCP_CLOSING || old == TCP_LAST_ACK))
			sent--;
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
						     __u8 kind, __u64 time_ns)
{
	struct bpf_event *event = TAKE_ROOM(sizeof(*event));
	if (!event) {
		count_lost();
		return 0;
	}
	fill_socket(event, sk, kind);
	fill_owner(event, owner);
	event->cookie = sk->__sk_common.skc_cookie.counter;
	if (!event->cookie)
		event->cookie = bpf_get_socket_cookie(sk);
	event->time_ns = time_ns;
	return event;
}

static __always_inline void tell_established(struct sock *sk, struct owner *owner, int old)
{
	if (!(owner->flags & OWNER_DIALLED)) {
		*owner = (struct owner){.flags = OWNER_ACCEPTED, .done = owner->done};
		inherit(sk, owner);
	}
	owner->since_ns = bpf_ktime_get_boot_ns();
	if (!is_wanted(BPF_EVENT_ESTABLISHED) || !is_wanted_place(sk))
		return;
	struct bpf_event *event = begin_event(sk, owner, BPF_EVENT_ESTABLISHED, owner->since_ns);
	if (!event)
		return;
	event->state = old;
	hand_over(event);
}

/* A process closes or shuts down: it holds it, whoever accepted. */
static __always_inline void note_closer(struct sock *sk, struct owner *owner)
{
	note_current(&owner->closer_pid, &owner->closer_start_ns);
	if (!owner->inode)
		owner->inode = inode_of(sk->sk_socket);
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
		struct bpf_event *event = begin_event(sk, owner, kind, bpf_ktime_get_boot_ns());
		if (event) {
			event->state = old;
			if (is_in_process)
				event->flags |= BPF_EVENT_IN_PROCESS;
			if (kind == BPF_EVENT_ENDED)
				fill_bytes(event, sk, owner, old);
			hand_over(event);
		}
	}
	/* dialled in vain: what was bound before it is so still */
	owner->flags =
		kind == BPF_EVENT_CONNECT_FAILED ? owner->flags & (OWNER_OPEN | OWNER_EXACT) : 0;
	owner->since_ns = 0;
	owner->closer_pid = 0;
}

static __always_inline void tell_listening(struct sock *sk, struct owner *owner)
{
	own(owner, OWNER_OPEN);
	owner->since_ns = bpf_ktime_get_boot_ns();
	owner->inode = inode_of(sk->sk_socket);
	leave_to_heirs(sk, owner);
	if (!is_wanted(BPF_EVENT_LISTENING) || !is_wanted_place(sk))
		return;
	struct bpf_event *event = begin_event(sk, owner, BPF_EVENT_LISTENING, owner->since_ns);
	if (!event)
		return;
	event->flags |= BPF_EVENT_IN_PROCESS;
	hand_over(event);
}

/* Of a connection that begins; of one that is older than the watching, or a listener, storage. */
static __always_inline struct owner *owner_for(struct sock *sk, int new)
{
	if (new == TCP_SYN_SENT)
		return begin_owner(sk);
	if (new == TCP_LISTEN)
		leave_place(sk);
	struct owner *owner = find_owner(sk);
	if (owner)
		return owner;
	if (new == TCP_ESTABLISHED)
		return begin_owner(sk);
	return bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline void change(struct sock *sk, int old, int new)
{
	struct owner *owner = owner_for(sk, new);
	if (!owner) {
		__sync_fetch_and_add(&memory.shared.unstored, 1);
		return;
	}
	owner->done = old << 4 | new;
	switch (new) {
	case TCP_SYN_SENT:
		own(owner, OWNER_DIALLED | (owner->flags & OWNER_OPEN));
		owner->since_ns = 0;
		owner->inode = inode_of(sk->sk_socket);
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
	struct owner *owner = find_owner(sk);
	return owner && owner->done == (__u8)(old << 4 | new);
}

#define TELLING                                                                        \
	(1 << TCP_SYN_SENT | 1 << TCP_ESTABLISHED | 1 << TCP_CLOSE | 1 << TCP_LISTEN | \
	 1 << TCP_FIN_WAIT1 | 1 << TCP_LAST_ACK)

static __always_inline bool tells(struct sock *sk, int old, int new)
{
	if (!(TELLING >> (new & 15) & 1) || old == new)
		return false;
	__u16 protocol = sk->sk_protocol;
	if (protocol != IPPROTO_TCP)
		return protocol == BPF_EVENT_MPTCP;
	/* what MPTCP sends over: its own socket is told of */
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	bool is_part = tcp && bpf_core_field_exists(tcp->is_mptcp) && tcp->is_mptcp;
	return !is_part;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_first, struct sock *sk, int old, int new)
{
	struct bpf_events_slot *slot = slot_here();
	slot->sk_before = slot->sk;
	slot->done_before = slot->done;
	slot->sk = sk;
	slot->done = old << 4 | new;
	if (tells(sk, old, new))
		change(sk, old, new);
	return 0;
}

/* The first copy did it. */
static __always_inline bool is_done(struct bpf_events_slot *slot, struct sock *sk, int old, int new)
{
	if (slot->sk == sk && slot->done == (__u8)(old << 4 | new)) {
		slot->sk = slot->sk_before;
		slot->done = slot->done_before;
		slot->sk_before = 0;
		return true;
	}
	if (!tells(sk, old, new) || !is_told(sk, old, new))
		return false;
	slot->sk = 0; /* of what came between the second copy was skipped */
	slot->sk_before = 0;
	return true;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_second, struct sock *sk, int old, int new)
{
	if (!is_done(slot_here(), sk, old, new)) {
		__sync_fetch_and_add(&memory.shared.rescued, 1);
		if (tells(sk, old, new))
			change(sk, old, new);
	}
	if (new == TCP_CLOSE)
		leave_place(sk);
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
	process = TAKE_ROOM(sizeof(*process));
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
	struct bpf_process *process = TAKE_ROOM(BPF_FORK_SIZE);
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
	struct bpf_event *event = TAKE_ROOM(sizeof(*event));
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
	owner->inode = inode_of(sk->sk_socket);
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
	tries.uid = current_uid();
	tries.flags = OWNER_EXACT;
	tries.inode = inode_of(sk->sk_socket);
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
		event->inode = inode_of(sk->sk_socket);
	hand_over(event);
	return 1;
}

char program_license[] SEC("license") = "GPL";
