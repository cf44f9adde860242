/* The UDP sockets of one network namespace that no file holds: the kernel's own (vxlan, wireguard).
 * The namespace is the reader's: netns stays 0. */
#include "bpf/socket.h"

SEC("iter/udp")
int unheld_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;
	if (!sk)
		return 0;

	/* not by following the pointers: the verifier would look a type up for each, 0.3 ms apiece
	 */
	const struct socket *socket = 0;
	const struct file *file = 0;
	bpf_core_read(&socket, sizeof(socket), &sk->sk_socket);
	if (socket)
		bpf_core_read(&file, sizeof(file), &socket->file);
	if (file)
		return 0;

	struct bpf_record record = {.kind = BPF_RECORD_NOBODY, .protocol = IPPROTO_UDP, .fd = -1};
	record.state = sk->__sk_common.skc_state;
	if (!wanted.others || !state_is_wanted(record.state) ||
	    !fill_ports(&record, &sk->__sk_common))
		return 0;
	if (socket) {
		record.kind = BPF_RECORD_KERNEL;
		record.inode = inode_of(socket);
	}
	fill_ends(&record, &sk->__sk_common);
	fill_memory(&record, sk);
	record.uid = ctx->uid;
	record.cookie = bpf_get_socket_cookie(sk);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
