/* Every descriptor that is a socket with a port, of all processes and all network namespaces, in
 * one pass. */
#include "bpf/socket.h"

#define ANON_INODE_FS_MAGIC 0x09041934
#define NSFS_MAGIC 0x6e736673
#define RING_PATH "anon_inode:[io_uring]"

/* The pass holds the file, so its path may be asked for. A longer one does not fit and is none. */
static __always_inline bool is_ring(struct file *file)
{
	union {
		char path[24];
		__u64 words[3];
	} found = {}, ring = {.path = RING_PATH};

	if (bpf_d_path(&file->f_path, found.path, sizeof(RING_PATH)) < 0)
		return false;
	return found.words[0] == ring.words[0] && found.words[1] == ring.words[1] &&
	       found.words[2] == ring.words[2];
}

static __always_inline bool fill_protocol(struct bpf_record *record, const struct sock *sk)
{
	record->protocol = sk->sk_protocol;
	record->state = sk->__sk_common.skc_state;
	if (sk->sk_type == SOCK_RAW) {
		record->protocol = BPF_PROTOCOL_RAW;
	} else if (record->protocol == IPPROTO_TCP || record->protocol == BPF_PROTOCOL_MPTCP) {
		if (record->state == TCP_CLOSE)
			record->state = STATE_BOUND;
		if (record->protocol == BPF_PROTOCOL_MPTCP)
			record->flags |= BPF_RECORD_MPTCP;
		return wanted.tcp && state_is_wanted(record->state);
	} else if (record->protocol != IPPROTO_UDP && record->protocol != IPPROTO_UDPLITE &&
		   record->protocol != IPPROTO_SCTP) {
		return false;
	}
	return wanted.others && state_is_wanted(record->state);
}

/* An MPTCP listener's connections wait at the TCP socket below it. */
static __always_inline void fill_mptcp_backlog(struct bpf_record *record, const struct sock *sk)
{
	const struct mptcp_sock *mptcp = (const struct mptcp_sock *)sk;
	const struct sock *first = 0;

	if (!bpf_core_field_exists(mptcp->first) ||
	    bpf_core_read(&first, sizeof(first), &mptcp->first) < 0 || !first)
		return;
	bpf_core_read(&record->recv_queue, sizeof(__u32), &first->sk_ack_backlog);
	bpf_core_read(&record->send_queue, sizeof(__u32), &first->sk_max_ack_backlog);
	record->flags |= BPF_RECORD_QUEUES;
}

/* A listener's connections before the third packet: request sockets, which nothing holds. */
static __always_inline void fill_half_open(struct bpf_record *record, const struct sock *sk)
{
	const struct tcp_sock *listener = (const struct tcp_sock *)sk;
	int n = 0;
	bpf_core_read(&n, sizeof(n), &listener->inet_conn.icsk_accept_queue.qlen.counter);
	record->half_open = n > 0xffff ? 0xffff : n;
}

/* In a namespace all of whose sockets are counted this one is too. */
static __always_inline bool is_tallied(struct bpf_record *record, const struct sock *sk)
{
	if (!wanted.not_tallied[0])
		return false;
	record->kind = BPF_RECORD_TALLY;
	record->netns = sk->__sk_common.skc_net.net->ns.inum;
	record->family = sk->__sk_common.skc_family;
	record->state = sk->__sk_common.skc_state;
	record->protocol = sk->sk_type == SOCK_RAW ? BPF_PROTOCOL_RAW : sk->sk_protocol;
	return record->netns != wanted.not_tallied[0] && record->netns != wanted.not_tallied[1];
}

/* One record as it is written: with the bytes where its flag says so. */
struct found {
	struct bpf_record record;
	struct bpf_bytes bytes;
};

static __always_inline void fill_queues(struct found *found, struct sock *sk)
{
	struct bpf_record *record = &found->record;

	if (record->protocol == IPPROTO_TCP && record->state == TCP_LISTEN) {
		fill_backlog(record, sk);
		fill_half_open(record, sk);
	} else if (record->protocol == IPPROTO_TCP) {
		struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			fill_stream(record, tcp);
		if (tcp && wanted.bytes) {
			found->bytes.acked = tcp->bytes_acked;
			found->bytes.received = tcp->bytes_received;
			record->flags |= BPF_RECORD_BYTES;
		}
	} else if (record->protocol == BPF_PROTOCOL_MPTCP && record->state == TCP_LISTEN) {
		fill_mptcp_backlog(record, sk);
	} else {
		fill_memory(record, sk);
	}
}

/* False: not a socket with a port, or not wanted. */
static __always_inline bool fill_socket(struct found *found, struct sock *sk)
{
	struct bpf_record *record = &found->record;

	if (!fill_protocol(record, sk))
		return false;
	record->netns = sk->__sk_common.skc_net.net->ns.inum;
	if (wanted.netns && wanted.netns != record->netns)
		return false;
	fill_ends(record, &sk->__sk_common);
	fill_queues(found, sk);
	record->uid = sk->sk_uid.val;
	record->cookie = bpf_get_socket_cookie(sk);
	return true;
}

/* 0: it is nothing that is reported. */
static __always_inline __u8 kind_of_other(struct file *file)
{
	unsigned long magic = inode_member(file->f_inode, i_sb)->s_magic;
	if (magic == NSFS_MAGIC)
		return BPF_RECORD_NETNS;
	return magic == ANON_INODE_FS_MAGIC && is_ring(file) ? BPF_RECORD_RING : 0;
}

SEC("iter/task_file")
int files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	if (!file || !task)
		return 0;

	struct found found = {.record = {.kind = BPF_RECORD_SOCKET}};
	struct bpf_record *record = &found.record;
	struct socket *socket = bpf_sock_from_file(file);
	if (socket) {
		/* the ports before all else: with one wanted nearly every socket ends here, with
		 * one line of memory read of it */
		struct sock *sk = socket->sk;
		if (!sk)
			return 0;
		if ((!fill_ports(record, &sk->__sk_common) || !fill_socket(&found, sk)) &&
		    !is_tallied(record, sk))
			return 0;
	} else {
		record->kind = kind_of_other(file);
		if (!record->kind)
			return 0;
	}
	record->inode = inode_member(file->f_inode, i_ino);
	record->pid = task->tgid;
	record->fd = ctx->fd;
	if (record->flags & BPF_RECORD_BYTES)
		bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	else
		bpf_seq_write(ctx->meta->seq, record, sizeof(*record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
