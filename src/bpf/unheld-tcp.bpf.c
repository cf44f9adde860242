/* The TCP sockets of one network namespace that no file holds: orphans, TIME_WAIT, half-open and
 * not yet accepted connections, the kernel's own. Of the others only the sum of their inodes, by
 * which user space knows that it has them all. The namespace is the reader's: netns stays 0. */
#include "bpf/socket.h"

#define TCP_TIME_WAIT 6
#define TCP_NEW_SYN_RECV 12
#define STATE_SYN_RECV 3

__u64 sum_with_file = 0;

/* TIME_WAIT and half-open connections are no struct sock. What waits may be in FIN_WAIT2 as well.
 */
static __always_inline bool fill_small(struct bpf_record *record, struct sock_common *common)
{
	__u8 state = STATE_SYN_RECV;
	if (record->state == TCP_TIME_WAIT) {
		struct tcp_timewait_sock *waiting = bpf_skc_to_tcp_timewait_sock(common);
		state = waiting ? waiting->tw_sk.tw_substate : TCP_TIME_WAIT;
	}
	record->state = state;
	return state_is_wanted(state) && fill_ports(record, common);
}

/* The relocation begins with struct socket_alloc: struct socket shares a slot (bpf/kernel.h). */
#define FILE_OF(pointer) (((const struct socket_alloc *)(pointer))->socket.file)

/* A TCP connection of an MPTCP socket is held with that one: its struct socket, or NULL. */
static __always_inline const struct socket *
mptcp_socket(const struct mptcp_subflow_context *context, bool *ret_has_file, bool *ret_is_first)
{
	const struct socket *socket = 0;
	const struct sock *conn = 0;
	const struct file *file = 0;

	if (!context || bpf_core_read(&conn, sizeof(conn), &context->conn) < 0 || !conn)
		return 0;
	bpf_core_read(&socket, sizeof(socket), &conn->sk_socket);
	if (socket)
		bpf_core_read(&file, sizeof(file), &FILE_OF(socket));
	*ret_has_file = file != 0;
	*ret_is_first = !BPF_CORE_READ_BITFIELD_PROBED(context, mp_join);
	return socket;
}

/* False: a file holds it, or it is not wanted. */
static __always_inline bool fill_full(struct bpf_record *record, struct tcp_sock *tcp)
{
	const struct sock *sk = &tcp->inet_conn.icsk_inet.sk;
	bool is_connection = record->state != TCP_LISTEN && state_is_wanted(record->state);
	const struct socket *socket;

	if (bpf_core_field_exists(tcp->is_mptcp) && tcp->is_mptcp) {
		bool has_file = false, is_first = false;
		socket = mptcp_socket(tcp->inet_conn.icsk_ulp_data, &has_file, &is_first);
		if (has_file) {
			if (is_first && is_connection)
				sum_with_file += inode_of(socket);
			return false;
		}
		record->flags |= BPF_RECORD_MPTCP;
	} else {
		struct socket *plain = sk->sk_socket;
		struct file *file = plain ? FILE_OF(plain) : 0;
		if (file) {
			/* listeners are dumped in any case */
			if (is_connection)
				sum_with_file += inode_member(file->f_inode, i_ino);
			return false;
		}
		socket = plain;
	}
	if (!state_is_wanted(record->state) || !fill_ports(record, &sk->__sk_common))
		return false;
	if (socket) {
		record->kind = BPF_RECORD_KERNEL;
		record->inode = inode_of(socket);
	}
	if (record->state == TCP_LISTEN)
		fill_backlog(record, sk);
	else
		fill_stream(record, tcp);
	return true;
}

SEC("iter/tcp")
int unheld_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	if (!common)
		return 0;

	struct bpf_record record = {.kind = BPF_RECORD_NOBODY, .protocol = IPPROTO_TCP, .fd = -1};
	record.state = common->skc_state;
	if (record.state == TCP_TIME_WAIT || record.state == TCP_NEW_SYN_RECV) {
		if (!fill_small(&record, common))
			return 0;
	} else {
		struct tcp_sock *tcp = bpf_skc_to_tcp_sock(common);
		if (!tcp || !fill_full(&record, tcp))
			return 0;
	}
	fill_ends(&record, common);
	record.uid = ctx->uid;
	record.cookie = bpf_get_socket_cookie(common);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
