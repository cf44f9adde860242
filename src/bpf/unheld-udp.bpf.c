/* The UDP sockets of one network namespace that no file holds: the kernel's own (vxlan, wireguard).
 */
#include "bpf/socket.h"

SEC("iter/udp")
int unheld_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;
	if (!sk)
		return 0;

	struct bpf_record record = {};
	struct socket *socket = sk->sk_socket;
	if (socket && socket->file)
		return 0;
	if (!fill_socket(&record, sk))
		return 0;
	record.kind = socket ? BPF_RECORD_KERNEL : BPF_RECORD_NOBODY;
	record.inode = socket ? inode_of(socket) : 0;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
