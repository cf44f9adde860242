/* The sockets of a SYN scan, and the kernel's filter before the receiving one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/attributes.h"
#include "scan/pending.h"
#include "scan/syn.h"
#include "scan/link-way.h"
#include "source/chains.h"

#define RECEIVE_BYTES (32 << 20)
#define SNAP 192 /* an ICMP error with all that is read of it */
#define BASE_TRIES 64
#define EPHEMERAL 32768 /* ports that servers seldom have */
#define EPHEMERAL_N 28000

#define LOAD_BYTE(k) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (k))
#define ACCEPT BPF_STMT(BPF_RET | BPF_K, SNAP)
#define REJECT BPF_STMT(BPF_RET | BPF_K, 0)
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no))

/* What we sent ourselves comes by too, on lo even as received: only answers have our port as
 * destination. The aligned run of ports is one comparison. */
static int filter_v4(int fd, uint16_t base, bool has_tcp)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		IF_EQUAL(PACKET_OUTGOING, 11, 0),
		LOAD_BYTE(9),
		IF_EQUAL(IPPROTO_ICMP, 5, 0),
		IF_EQUAL(has_tcp ? IPPROTO_TCP : IPPROTO_MAX, 0, 8),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint16_t) ~(SYN_PORTS - 1)),
		IF_EQUAL(base, 3, 4),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* ICMP: destination unreachable */
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		IF_EQUAL(3, 0, 1),
		ACCEPT,
		REJECT,
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

static int filter_v6(int fd, uint16_t base)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		IF_EQUAL(PACKET_OUTGOING, 10, 0),
		LOAD_BYTE(6),
		IF_EQUAL(IPPROTO_TCP, 4, 0),
		IF_EQUAL(IPPROTO_ICMPV6, 6, 0),
		IF_EQUAL(IPPROTO_HOPOPTS, 5, 0), /* user space reads extension headers */
		IF_EQUAL(IPPROTO_ROUTING, 4, 0),
		IF_EQUAL(IPPROTO_DSTOPTS, 3, 4),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint16_t) ~(SYN_PORTS - 1)),
		IF_EQUAL(base, 0, 1),
		ACCEPT,
		REJECT,
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

static void let_go(struct syn_sockets *sockets)
{
	for (unsigned i = 0; i < SYN_PORTS; i++) {
		closep(&sockets->held[i]);
		sockets->held[i] = -1;
	}
}

/* Bound, but neither listening nor connected: the kernel still resets what answers to it. */
static bool hold_run(struct syn_sockets *sockets, bool is_v4, uint16_t base)
{
	union any_address address;
	for (unsigned i = 0; i < SYN_PORTS; i++) {
		socklen_t n = address_any(is_v4, (uint16_t)(base + i), &address);
		int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		sockets->held[i] = fd;
		if (fd < 0 || bind(fd, &address.any, n) < 0)
			return false;
	}
	sockets->base = base;
	return true;
}

static int hold_ports(struct syn_sockets *sockets, bool is_v4)
{
	for (unsigned i = 0; i < BASE_TRIES; i++) {
		uint16_t number;
		if (getrandom(&number, sizeof(number), 0) < 0)
			return -errno;
		uint16_t base =
			(uint16_t)(EPHEMERAL + number % EPHEMERAL_N) & (uint16_t) ~(SYN_PORTS - 1);
		if (hold_run(sockets, is_v4, base))
			return 0;
		let_go(sockets);
	}
	return -EADDRINUSE;
}

static void widen(int fd)
{
	const int bytes = RECEIVE_BYTES;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* Behind NAT and the packet filter: TCP to our ports, from the IP header on. */
static int open_translated(const struct syn_sockets *sockets)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	widen(fd);
	int r = filter_v4(fd, sockets->base, true);
	if (r >= 0)
		return fd;
	close(fd);
	return r;
}

/* The packet socket; @has_tcp: not behind what the raw socket sees. */
static int open_receive(struct syn_sockets *sockets, bool is_v4, bool has_tcp)
{
	/* no protocol yet: nothing comes before the filter is there */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	sockets->receive = fd;
	const struct sockaddr_ll any = {.sll_family = AF_PACKET,
					.sll_protocol = htons(is_v4 ? ETH_P_IP : ETH_P_IPV6)};
	int r = is_v4 ? filter_v4(fd, sockets->base, has_tcp) : filter_v6(fd, sockets->base);
	if (r >= 0)
		r = ring_open(fd, &sockets->ring);
	if (r >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		r = -errno;
	return r;
}

/* Packets that this host sends itself may be given another destination. What cannot be looked at
 * may do so: iptables' own tables, IPVS. */
static bool may_translate(void)
{
	static const char *const others[] = {"/proc/thread-self/net/ip_tables_names",
					     "/proc/thread-self/net/ip_vs"};
	const struct found_netns here = {.fd = -1};
	struct chains chains;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		char byte;
		cleanup(closep) int fd = open(others[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0 ? errno != ENOENT : read(fd, &byte, 1) != 0)
			return true;
	}
	return chains_read(&here, "", &chains) < 0 || chains.has_nat;
}

static int open_send(int family, int protocol)
{
	const int bytes = RECEIVE_BYTES;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return fd;
}

int syn_open(struct syn_sockets *sockets, bool is_v4, bool is_own)
{
	*sockets = (struct syn_sockets){
		.send = -1, .send_frames = -1, .receive = -1, .translated = -1, .ways = -1};
	memset(sockets->held, 0xff, sizeof(sockets->held));
	bool is_translated = is_own && is_v4 && may_translate();
	int r = sockets->send = open_send(is_v4 ? AF_INET : AF_INET6, IPPROTO_RAW);
	if (r >= 0) /* no protocol: it receives nothing */
		r = sockets->send_frames = open_send(AF_PACKET, 0);
	if (r >= 0)
		r = hold_ports(sockets, is_v4);
	if (r >= 0)
		r = open_receive(sockets, is_v4, !is_translated);
	if (r >= 0 && is_translated)
		r = sockets->translated = open_translated(sockets);
	sockets->ways = r < 0 || (is_own && is_v4) ? -1 : link_way_open();
	return r < 0 ? r : 0;
}

void syn_close(struct syn_sockets *sockets)
{
	ring_close(&sockets->ring);
	closep(&sockets->send);
	closep(&sockets->send_frames);
	closep(&sockets->receive);
	closep(&sockets->translated);
	closep(&sockets->ways);
	let_go(sockets);
}

int syn_source(const struct scan_target *target, struct ip *ret)
{
	union any_address address;
	socklen_t n = address_of(target, 9, &address);
	cleanup(closep) int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &address.any, n) < 0) /* asks for a route, sends nothing */
		return -errno;
	n = sizeof(address);
	if (getsockname(fd, &address.any, &n) < 0)
		return -errno;
	*ret = address_ip(&address);
	return 0;
}
