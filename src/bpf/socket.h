/* What the programs share: struct sock to struct bpf_record. */
#ifndef BPF_SOCKET_H
#define BPF_SOCKET_H

#include "bpf/parts.h"
#include "bpf/record.h"

#define IPPROTO_SCTP 132
#define SOCK_RAW 3
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define STATE_BOUND 13

const volatile struct bpf_wanted wanted = {};

static __always_inline bool state_is_wanted(__u8 state)
{
	return wanted.states >> (state & 31) & 1;
}

static __always_inline bool port_is_wanted(__u16 local, __u16 peer)
{
	if (local >= wanted.port_first && local <= wanted.port_last)
		return true;
	return wanted.either_end && peer >= wanted.port_first && peer <= wanted.port_last;
}

/* Family and ports first: with one port wanted nearly all sockets end here. */
static __always_inline bool fill_ports(struct bpf_record *record, const struct sock_common *common)
{
	record->family = common->skc_family;
	record->local_port = common->skc_num;
	record->peer_port = bpf_ntohs(common->skc_dport);
	return (record->family == AF_INET || record->family == AF_INET6) && record->local_port &&
	       port_is_wanted(record->local_port, record->peer_port);
}

/* What TIME_WAIT and half-open sockets have too. */
static __always_inline void fill_ends(struct bpf_record *record, const struct sock_common *common)
{
	record->interface = common->skc_bound_dev_if;
	if (record->family == AF_INET || !bpf_core_field_exists(common->skc_v6_daddr)) {
		put_v4(record->local, common->skc_rcv_saddr);
		put_v4(record->peer, common->skc_daddr);
	} else {
		put_v6(record->local, common->skc_v6_rcv_saddr);
		put_v6(record->peer, common->skc_v6_daddr);
		if (BPF_CORE_READ_BITFIELD(common, skc_ipv6only))
			record->flags |= BPF_RECORD_V6ONLY;
	}
	if (BPF_CORE_READ_BITFIELD(common, skc_reuseport))
		record->flags |= BPF_RECORD_REUSEPORT;
}

/* The queues are filled as sock_diag does: tcp_diag_get_info, udp_diag_get_info,
 * inet_diag_msg_common_fill, mptcp_diag_get_info. */
static __always_inline void fill_backlog(struct bpf_record *record, const struct sock *listener)
{
	record->recv_queue = listener->sk_ack_backlog;
	record->send_queue = listener->sk_max_ack_backlog;
	record->flags |= BPF_RECORD_QUEUES;
}

static __always_inline void fill_stream(struct bpf_record *record, const struct tcp_sock *tcp)
{
	int waiting = tcp->rcv_nxt - tcp->copied_seq;
	record->recv_queue = waiting > 0 ? waiting : 0;
	record->send_queue = tcp->write_seq - tcp->snd_una;
	record->flags |= BPF_RECORD_QUEUES;
}

static __always_inline void fill_memory(struct bpf_record *record, const struct sock *sk)
{
	int waiting = sk->sk_backlog.rmem_alloc.counter;
	if (waiting && (record->protocol == IPPROTO_UDP || record->protocol == IPPROTO_UDPLITE)) {
		int deficit = 0;
		bpf_core_read(&deficit, sizeof(deficit),
			      &((const struct udp_sock *)sk)->forward_deficit);
		waiting -= deficit;
	}
	record->recv_queue = waiting > 0 ? waiting : 0;
	record->send_queue = sk->sk_wmem_alloc.refs.counter - 1;
	record->flags |= BPF_RECORD_QUEUES;
}

#endif
