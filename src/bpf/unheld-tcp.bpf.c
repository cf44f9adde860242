/* The TCP sockets of one network namespace that no file holds: orphans, TIME_WAIT, half-open and
 * not yet accepted connections, the kernel's own. Of the others only the sum of their inodes, by
 * which user space knows that it has them all. */
#include "bpf/socket.h"

#define TCP_TIME_WAIT 6
#define TCP_NEW_SYN_RECV 12
#define STATE_SYN_RECV 3

__u64 sum_with_file = 0;

SEC("iter/tcp")
int unheld_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	if (!common)
		return 0;

	struct bpf_record record = {.kind = BPF_RECORD_NOBODY, .protocol = IPPROTO_TCP};
	__u8 state = common->skc_state;
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV) {
		if (!fill_common(&record, common, state == TCP_TIME_WAIT ? state : STATE_SYN_RECV))
			return 0;
		if (state == TCP_TIME_WAIT) {
			struct tcp_timewait_sock *waiting = bpf_skc_to_tcp_timewait_sock(common);
			if (waiting)
				record.state = waiting->tw_sk.tw_substate;
		}
		record.uid = ctx->uid;
		record.cookie = bpf_get_socket_cookie(common);
	} else {
		struct tcp_sock *tcp = bpf_skc_to_tcp_sock(common);
		if (!tcp)
			return 0;
		struct sock *sk = (struct sock *)tcp;
		struct socket *socket = sk->sk_socket;
		struct file *file = socket ? socket->file : 0;
		if (file) {
			/* listeners are dumped in any case */
			if (state != TCP_LISTEN && wanted.states & 1u << (state & 31))
				sum_with_file += file->f_inode->i_ino;
			return 0;
		}
		if (!fill_socket(&record, sk))
			return 0;
		if (socket) {
			record.kind = BPF_RECORD_KERNEL;
			if (BPF_CORE_READ_BITFIELD(tcp, is_mptcp))
				record.flags |= BPF_RECORD_MPTCP;
			record.inode = inode_of(socket);
		}
	}
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
