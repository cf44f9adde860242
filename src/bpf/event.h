/* What happened to a socket as the programs of events.bpf.c hand it over, and who the process was.
 * The first byte says which of the two. Numbers in host order, addresses in network order. */
#ifndef BPF_EVENT_H
#define BPF_EVENT_H

#include <linux/types.h>

enum bpf_event_kind {
	BPF_EVENT_CREATED = 1, /* a UDP socket, without a port as yet */
	BPF_EVENT_TRIED,       /* a bind begins: local is what is wanted */
	BPF_EVENT_BOUND,       /* it was bound by its process */
	BPF_EVENT_LISTENING,   /* its port may not be chosen yet */
	BPF_EVENT_CLOSED,      /* a listener is none any more, or a bound socket was released */
	BPF_EVENT_ESTABLISHED,
	BPF_EVENT_ENDED,
	BPF_EVENT_CONNECT_FAILED,
	BPF_EVENT_DIALLED,  /* a UDP socket is being given a peer: peer is what is wanted */
	BPF_EVENT_KIND_MAX, /* of struct bpf_event */
	BPF_EVENT_PROCESS = 32,
	BPF_EVENT_FORK,
};

enum bpf_event_flag {
	BPF_EVENT_V6ONLY = 1 << 0,
	BPF_EVENT_REUSEPORT = 1 << 1,
	BPF_EVENT_ROLE_DIALLED = 1 << 2,
	BPF_EVENT_ROLE_ACCEPTED = 1 << 3,
	BPF_EVENT_EXACT = 1 << 4,      /* pid is who held it, seen in its own context */
	BPF_EVENT_SHUT = 1 << 5,       /* by close(), or shut down both ways */
	BPF_EVENT_IN_PROCESS = 1 << 6, /* a process did this, not the network: it is closer_pid */
	BPF_EVENT_REUSEADDR = 1 << 7,
};

/*   0 kind     1 family   2 flags    3 state    4 netns    8 time_ns  16 cookie
 *  24 start_ns 32 closer_start_ns   40 since_ns 48 sent    56 received
 *  64 local    80 peer    96 inode  100 uid    104 interface
 * 108 pid     112 closer_pid        116 local_port        118 peer_port
 * 120 error   122 protocol          124 owner_uid         128 */
struct bpf_event {
	__u8 kind, family, flags;
	__u8 state; /* that it leaves; 0 none */
	__u32 netns;
	__u64 time_ns; /* boot time */
	__u64 cookie;
	__u64 start_ns, closer_start_ns; /* boot time at which the processes began */
	__u64 since_ns;		  /* when it was established, or opened; 0: it was not seen */
	__u64 sent, received;	  /* payload */
	__be32 local[4], peer[4]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 inode;		  /* 0 unknown */
	__u32 uid, interface;
	__s32 pid, closer_pid; /* 0 unknown */
	__u16 local_port, peer_port;
	__u16 error;	 /* of a bind: the port that it has already */
	__u16 protocol;	 /* IPPROTO_*; 262 MPTCP */
	__u32 owner_uid; /* of pid */
};
_Static_assert(sizeof(struct bpf_event) == 128, "both sides agree");

#define BPF_EVENT_MPTCP 262

enum bpf_process_flag {
	BPF_PROCESS_EXE = 1 << 0, /* its path is whole */
	BPF_PROCESS_EXE_DELETED = 1 << 1,
};

#define BPF_PROCESS_EXE_MAX 1024
#define BPF_PROCESS_GROUP_MAX 512
#define BPF_PROCESS_ARGS_MAX 768
#define BPF_PROCESS_NAME_MAX 256 /* NAME_MAX and NUL */

/* Who a process is, as it begins a program. Paths as in bpf/task.h: names
 * that end with NUL, the last of the path first. Of a BPF_EVENT_FORK all behind parent_start_ns is
 * absent. */
struct bpf_process {
	__u8 kind, flags;
	__u16 exe_size, group_size, args_size; /* bytes of the texts */
	__s32 pid, ppid;
	__u64 start_ns;
	__u64 parent_start_ns; /* of a fork */
	__u32 uid, netns;
	char name[16];
	char exe[BPF_PROCESS_EXE_MAX + BPF_PROCESS_NAME_MAX];
	char group[BPF_PROCESS_GROUP_MAX + BPF_PROCESS_NAME_MAX];
	char args[BPF_PROCESS_ARGS_MAX];
};
#define BPF_FORK_SIZE 32

#define BPF_EVENTS_VERSION 2
#define BPF_EVENTS_SHORT_RING (512 << 10) /* bytes */

/* What user space and the programs tell each other, in the memory of their variables. */
struct bpf_events_shared {
	__u32 version;	   /* BPF_EVENTS_VERSION: of who attached the programs */
	__s32 group_error; /* the root of cgroup2 could not be attached to: negative errno */
	__u64 made_ns;	   /* boot time: tells one ring from another */
	__u32 wanted;	   /* 1 << enum bpf_event_kind */
	__u32 netns;	   /* 0: all */
	__u32 sleeps;	   /* the reader: the next record wakes it */
	__u32 unused;
	__u64 spill; /* 0: the short ring takes records; else the long one, from there on (| 1) */
	__u64 lost;  /* records that found no room in the ring */
	__u64 unstored; /* sockets for which there was no memory */
	__u64 told;	/* of what was lost: by the reader */
	__u64 unknown;	/* processes that found no room in the ring */
	__u64 rescued;	/* calls for which the first copy was skipped, and the second not */
};

/* Of each processor, a line of its cache: what the first copy of the state program has done and the
 * second has not passed yet, and which namespace was met last. */
#define BPF_EVENTS_SLOTS 256
struct bpf_events_slot {
	const void *sk, *sk_before;
	__u64 netns; /* inode, above it the lower half of the namespace's cookie */
	__u8 done, done_before;
	__u8 unused[38];
};

/* All variables of the programs. */
struct bpf_events_memory {
	struct bpf_events_shared shared;
	struct bpf_events_slot slots[BPF_EVENTS_SLOTS];
};

#endif
