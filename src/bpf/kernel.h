/* The kernel types that the programs use, only the members that they read. Offsets are relocated
 * when a program is loaded (CO-RE), so no BTF is needed to build. Names as in the kernel's own
 * headers.
 *
 * Each type that a relocation begins with is looked up by name among all types of the kernel, 0.2
 * ms apiece. It remembers what it found by a hash of the name in 31 slots (bpf_core_find_cands in
 * kernel/bpf/btf.c), so two types of one program, or of two programs of one call, that share a slot
 * cost two look-ups at each load. These share: inode, net; super_block, inet_connection_sock,
 * mnt_namespace; tcp_sock, dentry, in6_addr; socket, tcp_timewait_sock; file, inet_timewait_sock,
 * cgroup; mm_struct, css_set, tcp6_sock. Where it matters, one of two is reached through a type
 * that holds it. */
#ifndef BPF_KERNEL_H
#define BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <stdbool.h>

#define AF_INET 2
#define AF_INET6 10

struct task_struct;
struct file;
struct sock_common;
struct udp_sock;
struct seq_file;

/* What the kernel hands to an iterator. Not relocated: it is called with exactly this. */
struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
	__u32 uid;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

enum netns_bpf_attach_type { NETNS_BPF_FLOW_DISSECTOR, NETNS_BPF_SK_LOOKUP, NETNS_BPF_MAX };

struct netns_bpf {
	void *run_array[NETNS_BPF_MAX];
};

struct net {
	struct ns_common ns;
	struct netns_bpf bpf;
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long long counter;
} atomic64_t;

typedef struct {
	atomic_t refs;
} refcount_t;

typedef struct {
	__u32 val;
} kuid_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	unsigned long skc_flags;
	atomic64_t skc_cookie;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct qstr {
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
};

/* fs/proc/internal.h: one of the types that hold a struct inode; only for its shape. */
struct proc_inode {
	struct inode vfs_inode;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};

struct sock;

struct socket {
	struct file *file;
	struct sock *sk;
};

/* include/net/sock.h */
struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct sock_backlog {
	atomic_t rmem_alloc;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	struct sock_backlog sk_backlog;
	socket_lock_t sk_lock;
	int sk_err;
	__u8 sk_shutdown;
	refcount_t sk_wmem_alloc;
	__u16 sk_type;
	__u16 sk_protocol;
	struct socket *sk_socket;
	kuid_t sk_uid;
	struct bpf_local_storage *sk_bpf_storage;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
};

enum inet_flags { INET_FLAGS_TRANSPARENT = 15 };

struct inet_sock {
	struct sock sk;
	unsigned long inet_flags; /* since Linux 6.6 */
	__be16 inet_sport;
};

struct request_sock_queue {
	atomic_t qlen;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	void *icsk_ulp_data;
};

struct udp_sock {
	struct inet_sock inet;
	int forward_deficit;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_received;
	__u64 bytes_acked;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
	bool is_mptcp;
};

struct mptcp_sock {
	__u64 bytes_acked, bytes_received;
	struct sock *first;
};

struct mptcp_subflow_context {
	__u32 mp_join : 1;
	struct sock *conn;
};

struct inet_timewait_sock {
	volatile unsigned char tw_substate;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

struct mnt_namespace;

struct nsproxy {
	struct net *net_ns;
	struct mnt_namespace *mnt_ns;
};

struct cred {
	kuid_t euid;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start, arg_end;
};

struct fs_struct {
	struct path pwd;
};

struct kernfs_node {
	struct kernfs_node *__parent; /* parent before Linux 6.15 */
	const char *name;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	int exit_state;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
};

#pragma clang attribute pop

/* A member of struct inode; the relocations begin with struct proc_inode. */
#define inode_member(pointer, member)                                                       \
	(*(typeof(((struct inode *)0)->member) *)((void *)(pointer) +                       \
						  bpf_core_field_offset(struct proc_inode,  \
									vfs_inode.member) - \
						  bpf_core_field_offset(struct proc_inode,  \
									vfs_inode)))

#endif
