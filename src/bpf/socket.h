/* What the programs share: struct sock to struct bpf_record. */
#ifndef BPF_SOCKET_H
#define BPF_SOCKET_H

#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/record.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define IPPROTO_SCTP 132
#define SOCK_RAW 3
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define STATE_BOUND 13

const volatile struct bpf_wanted wanted = {};

static __always_inline void put_v4(__u8 *to, __be32 address)
{
	__u32 words[4] = {0, 0, bpf_htonl(0xffff), address};
	__builtin_memcpy(to, words, sizeof(words));
}

static __always_inline bool port_is_wanted(__u16 local, __u16 peer)
{
	if (local >= wanted.port_first && local <= wanted.port_last)
		return true;
	return wanted.either_end && peer >= wanted.port_first && peer <= wanted.port_last;
}

/* The ends, state and namespace of any socket, TIME_WAIT and half-open ones too. False: not wanted.
 */
static __always_inline bool fill_common(struct bpf_record *record, const struct sock_common *common,
					__u8 state)
{
	__u16 family = common->skc_family;
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (!(wanted.states & 1u << (state & 31)))
		return false;
	record->local_port = common->skc_num;
	record->peer_port = bpf_ntohs(common->skc_dport);
	if (!port_is_wanted(record->local_port, record->peer_port))
		return false;
	record->netns = common->skc_net.net->ns.inum;
	if (wanted.netns && wanted.netns != record->netns)
		return false;
	record->family = family;
	record->state = state;
	record->interface = common->skc_bound_dev_if;
	if (family == AF_INET) {
		put_v4(record->local, common->skc_rcv_saddr);
		put_v4(record->peer, common->skc_daddr);
	} else {
		bpf_probe_read_kernel(record->local, 16, &common->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(record->peer, 16, &common->skc_v6_daddr);
		if (BPF_CORE_READ_BITFIELD(common, skc_ipv6only))
			record->flags |= BPF_RECORD_V6ONLY;
	}
	if (BPF_CORE_READ_BITFIELD(common, skc_reuseport))
		record->flags |= BPF_RECORD_REUSEPORT;
	return true;
}

/* As sock_diag has them (tcp_diag_get_info, udp_diag_get_info, inet_diag_msg_common_fill). */
static __always_inline void fill_queues(struct bpf_record *record, struct sock *sk)
{
	if (record->protocol == IPPROTO_TCP && record->state == TCP_LISTEN) {
		record->recv_queue = sk->sk_ack_backlog;
		record->send_queue = sk->sk_max_ack_backlog;
	} else if (record->protocol == IPPROTO_TCP) {
		struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return;
		int waiting = tcp->rcv_nxt - tcp->copied_seq;
		record->recv_queue = waiting > 0 ? waiting : 0;
		record->send_queue = tcp->write_seq - tcp->snd_una;
	} else {
		int waiting = sk->sk_backlog.rmem_alloc.counter;
		if (record->protocol == IPPROTO_UDP || record->protocol == IPPROTO_UDPLITE) {
			int deficit = 0;
			bpf_core_read(&deficit, sizeof(deficit),
				      &((struct udp_sock *)sk)->forward_deficit);
			waiting -= deficit;
		}
		record->recv_queue = waiting > 0 ? waiting : 0;
		record->send_queue = sk->sk_wmem_alloc.refs.counter - 1;
	}
	record->flags |= BPF_RECORD_QUEUES;
}

/* A struct socket and its inode are one allocation (include/net/sock.h, SOCK_INODE). */
static __always_inline __u32 inode_of(struct socket *socket)
{
	unsigned long inode = 0;
	bpf_core_read(&inode, sizeof(inode), &((struct socket_alloc *)socket)->vfs_inode.i_ino);
	return inode;
}

/* False: not a socket with a port, or not wanted. */
static __always_inline bool fill_socket(struct bpf_record *record, struct sock *sk)
{
	__u16 protocol = sk->sk_protocol;
	__u8 state = sk->__sk_common.skc_state;

	if (sk->sk_type == SOCK_RAW) {
		protocol = BPF_PROTOCOL_RAW;
	} else if (protocol == BPF_PROTOCOL_MPTCP) {
		record->flags |= BPF_RECORD_MPTCP;
	} else if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP &&
		   protocol != IPPROTO_UDPLITE && protocol != IPPROTO_SCTP) {
		return false;
	}

	bool is_tcp = protocol == IPPROTO_TCP || protocol == BPF_PROTOCOL_MPTCP;
	if (!(is_tcp ? wanted.tcp : wanted.others) || !sk->__sk_common.skc_num)
		return false;
	if (is_tcp && state == TCP_CLOSE)
		state = STATE_BOUND;
	if (!fill_common(record, &sk->__sk_common, state))
		return false;

	record->protocol = protocol;
	record->uid = sk->sk_uid.val;
	record->cookie = bpf_get_socket_cookie(sk);
	if (protocol != BPF_PROTOCOL_MPTCP)
		fill_queues(record, sk);
	return true;
}

#endif
