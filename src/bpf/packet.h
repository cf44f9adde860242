/* A packet as the programs that see dropped ones read it. */
#ifndef BPF_PACKET_H
#define BPF_PACKET_H

#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	int skb_iif;
	__u16 network_header;
	unsigned char *head;
};

#pragma clang attribute pop

/* RFC 791 and RFC 8200; of extension headers of IPv6 none is followed. */
struct header_v4 {
	__u8 version_length, service;
	__be16 length, id, fragment;
	__u8 ttl, protocol;
	__be16 sum;
	__be32 from, to;
};

struct header_v6 {
	__be32 version_flow;
	__be16 length;
	__u8 protocol, hops;
	__be32 from[4], to[4];
};

struct ports {
	__be16 from, to;
};

#endif
