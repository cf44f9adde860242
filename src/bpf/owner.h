/* What is remembered of a socket: who opened, dialled and closed it, and since when.
 *
 * Bound sockets, listeners and UDP have it in socket storage. Connections come and go, and to make
 * and free storage for each took half of all that these programs cost. Theirs stands in a table,
 * at one of few places that follow from the socket's address; where these are taken it is storage
 * too. A place is given back as the connection ends. One that never is (neither copy of the state
 * program was run) is used again by the next socket at that address, which begins it anew. */
#ifndef BPF_OWNER_H
#define BPF_OWNER_H

#include "bpf/parts.h"

#define PF_KTHREAD 0x00200000

extern void *bpf_rdonly_cast(const void *, __u32) __ksym;

enum owner_flag {
	OWNER_DIALLED = 1 << 0,
	OWNER_ACCEPTED = 1 << 1,
	OWNER_EXACT = 1 << 2, /* not its listener's */
	OWNER_OPEN = 1 << 3,  /* told as bound or listening */
	OWNER_TRIES = 1 << 4, /* a bind has begun */
	OWNER_CREATED = 1 << 5,
};

struct owner {
	__u64 start_ns, closer_start_ns;
	__u64 since_ns;
	__s32 pid, closer_pid;
	__u32 inode;
	__u32 uid; /* of the process */
	__u8 flags;
	__u8 done; /* the transition that was told last: old << 4 | new */
	__u8 unused[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

/* Who listens, with what is accepted: of those listeners that user space could not find by their
 * address: others share it, it has no port as yet, or it takes what is for another. */
struct heir {
	__u64 start_ns;
	__s32 pid;
	__u32 uid;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct heir);
} heirs SEC(".maps");

#define PLACES 65536 /* 4 MiB */
#define PLACES_OF_ONE 4

struct place {
	__u64 sk; /* 0: nobody's */
	struct owner owner;
	__u64 unused;
};
_Static_assert(sizeof(struct place) == 64, "a line of the cache");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, __u32);
	__type(value, struct place);
} places SEC(".maps");

/* The @i-th of those at which it may stand. */
static __always_inline struct place *place_of(const struct sock *sk, __u32 i)
{
	__u32 low; /* moved: the verifier lets nobody calculate with a pointer where it stands */
	asm volatile("%0 = %1" : "=w"(low) : "w"((__u32)(unsigned long)sk));
	__u32 number = ((low >> 6) * 0x9e3779b1u >> 16) ^ i;
	return bpf_map_lookup_elem(&places, &number);
}

static __always_inline struct place *find_place(const struct sock *sk)
{
	for (__u32 i = 0; i < PLACES_OF_ONE; i++) {
		struct place *place = place_of(sk, i);
		if (place && place->sk == (unsigned long)sk)
			return place;
	}
	return 0;
}

static __always_inline struct place *take_place(const struct sock *sk)
{
	for (__u32 i = 0; i < PLACES_OF_ONE; i++) {
		struct place *place = place_of(sk, i);
		if (place && !place->sk &&
		    __sync_val_compare_and_swap(&place->sk, 0, (unsigned long)sk) == 0)
			return place;
	}
	return 0;
}

static __always_inline void leave_place(const struct sock *sk)
{
	struct place *place = find_place(sk);
	if (place)
		place->sk = 0;
}

static __always_inline struct owner *find_owner(struct sock *sk)
{
	struct place *place = find_place(sk);
	return place ? &place->owner : bpf_sk_storage_get(&owners, sk, 0, 0);
}

/* Of a connection that begins. NULL: there is no memory. */
static __always_inline struct owner *begin_owner(struct sock *sk)
{
	struct owner *owner = sk->sk_bpf_storage ? bpf_sk_storage_get(&owners, sk, 0, 0) : 0;
	if (owner) /* it was bound before */
		return owner;
	struct place *place = find_place(sk);
	if (!place)
		place = take_place(sk);
	if (!place)
		return bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	place->owner = (struct owner){};
	return &place->owner;
}

/* The process that runs now; none where the kernel does it by itself. */
static __always_inline void note_current(__s32 *ret_pid, __u64 *ret_start_ns)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool is_kernel = task->flags & PF_KTHREAD;
	*ret_pid = is_kernel ? 0 : task->tgid;
	*ret_start_ns = is_kernel ? 0 : task->group_leader->start_boottime;
}

static __always_inline __u32 current_uid(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	return task->real_cred->euid.val;
}

static __always_inline void own(struct owner *owner, __u8 flags)
{
	note_current(&owner->pid, &owner->start_ns);
	owner->uid = current_uid();
	owner->closer_pid = 0;
	owner->closer_start_ns = 0;
	owner->flags = flags | (owner->pid ? OWNER_EXACT : 0);
}

/* Nobody else accepts at its address, and what it accepts is for that address. */
static __always_inline bool is_known_by_address(const struct sock *listener)
{
	const struct sock_common *common = &listener->__sk_common;
	const struct inet_sock *inet =
		bpf_rdonly_cast(listener, bpf_core_type_id_kernel(struct inet_sock));
	bool is_transparent = false;
	if (bpf_core_enum_value_exists(enum inet_flags, INET_FLAGS_TRANSPARENT))
		is_transparent = inet->inet_flags >> bpf_core_enum_value(enum inet_flags,
									 INET_FLAGS_TRANSPARENT) &
				 1;
	return common->skc_num && !BPF_CORE_READ_BITFIELD(common, skc_reuseport) &&
	       !is_transparent && !common->skc_net.net->bpf.run_array[NETNS_BPF_SK_LOOKUP];
}

/* Those that the listener accepts are to know of it. */
static __always_inline void leave_to_heirs(struct sock *listener, const struct owner *owner)
{
	if (is_known_by_address(listener))
		return;
	struct heir *heir = bpf_sk_storage_get(&heirs, listener, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (heir)
		*heir = (struct heir){owner->start_ns, owner->pid, owner->uid};
}

static __always_inline void inherit(struct sock *sk, struct owner *owner)
{
	const struct heir *heir = sk->sk_bpf_storage ? bpf_sk_storage_get(&heirs, sk, 0, 0) : 0;
	if (!heir)
		return;
	owner->start_ns = heir->start_ns;
	owner->pid = heir->pid;
	owner->uid = heir->uid;
}

#endif
