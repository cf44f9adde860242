/* A socket as the kernel gave it. Half a million are kept: 88 bytes. */
#ifndef MODEL_SOCKET_H
#define MODEL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ip.h"

enum proto { PROTO_TCP, PROTO_UDP, PROTO_UDPLITE, PROTO_RAW, PROTO_SCTP, PROTO_MAX };
extern const char *const proto_words[PROTO_MAX + 1]; /* "tcp", "udp", "udplite", "raw", "sctp" */

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILY_MAX };
extern const char *const family_words[FAMILY_MAX + 1];

/* Of TCP as the kernel numbers them (net/tcp_states.h), so a state mask is 1 << state; BOUND is
 * BOUND_INACTIVE (13); UNCONN what is not TCP and has no peer. */
enum state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT,
	STATE_SYN_RECV, /* both of the kernel's: 3 and NEW_SYN_RECV 12 */
	STATE_FIN_WAIT1,
	STATE_FIN_WAIT2,
	STATE_TIME_WAIT,
	STATE_UNCONN, /* 7, TCP_CLOSE */
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
	STATE_CLOSING,
	STATE_BOUND = 13,
	STATE_MAX,
};
#define STATE_GONE 0 /* of no socket: one that ended while it was being looked at */
extern const char *const state_words[STATE_MAX]; /* JSON's: "ESTABLISHED"; NULL for 0 and 12 */
#define STATES_ALL 0x2ffeu
#define STATES_OPEN (1u << STATE_LISTEN | 1u << STATE_UNCONN)

enum held_by { HELD_UNASKED, HELD_PROCESS, HELD_KERNEL, HELD_NOBODY, HELD_UNSEEN, HELD_MAX };
extern const char *const held_by_words[HELD_MAX + 1]; /* [0] is NULL's place: "" */

/* What follows from the listeners of the same snapshot; worked out when it is sealed. */
enum role { ROLE_NONE, ROLE_ACCEPTED, ROLE_DIALLED, ROLE_LOCAL, ROLE_MAX };
extern const char *const role_words[ROLE_MAX + 1];

enum socket_flag {
	SOCKET_V6ONLY = 1 << 0,
	SOCKET_V6ONLY_KNOWN = 1 << 1,
	SOCKET_MPTCP = 1 << 2,
	SOCKET_REUSEPORT = 1 << 3,
	SOCKET_TWO_OWNERS =
		1 << 4, /* its number has another owner in the same namespace and protocol */
	SOCKET_QUEUES_KNOWN = 1 << 5,
	SOCKET_UID_KNOWN = 1 << 6,
};

#define NONE UINT32_MAX

struct socket {
	uint64_t cookie; /* unique for the life of the boot; 0 unknown */
	struct ip local, peer;
	uint16_t local_port,
		peer_port; /* host order; a raw socket's local_port is its IP protocol */
	uint32_t inode;	   /* 0: no struct socket (TIME_WAIT, orphan, ...) */
	uint32_t uid;
	uint32_t interface;		 /* bound to it; 0 none */
	uint32_t recv_queue, send_queue; /* a listener's: waiting, limit (its backlog) */
	uint32_t netns;			 /* index into snapshot->netns, or NONE */
	uint32_t holder;		 /* first of its chain in snapshot->holders, or NONE */
	uint32_t tcp_info;		 /* index into snapshot->tcp_infos, or NONE */
	uint8_t proto, family, state, flags, held_by, role, padding[2];
};
_Static_assert(sizeof(struct socket) == 88, "half a million are kept");

/* On request (needs NEED_TCP_INFO). Times in microseconds, as tcp_info(7) has them. */
struct tcp_info_part {
	uint32_t rtt, rtt_variance, cwnd, retransmits;
	uint64_t bytes_acked, bytes_received;
	uint32_t last_data_sent, last_data_received; /* ms ago */
};

/* Listening TCP, bound UDP and the like without a peer: what `list` calls open. */
static inline bool socket_is_open(const struct socket *socket)
{
	return socket->state == STATE_LISTEN || socket->state == STATE_UNCONN;
}

static inline bool socket_has_peer(const struct socket *socket)
{
	return socket->peer_port != 0 || !ip_is_any(&socket->peer);
}

/* It talks IPv4 on the wire: an IPv4 socket, or a mapped address on an IPv6 one. */
static inline bool socket_is_v4(const struct socket *socket)
{
	return socket->family == FAMILY_IPV4 || ip_is_mapped(&socket->local);
}

/* A dual-stack wildcard: "::" that is not v6only takes IPv4 too. */
bool socket_is_dual_stack(const struct socket *socket);
/* The two want packets of the same address. */
bool socket_overlaps(const struct socket *a, const struct socket *b);

#endif
