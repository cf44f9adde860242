/* The programs of bpf/events.bpf.c: attached, and their ring read (docs/events.md). */
#ifndef SOURCE_BPF_EVENTS_H
#define SOURCE_BPF_EVENTS_H

#include "source/source.h"

/* As enum bpf_event_kind has them. */
enum deed {
	DEED_CREATED = 1, /* a UDP socket, without a port as yet */
	DEED_TRIED,	  /* a bind begins: socket.local is what is wanted */
	DEED_BOUND,
	DEED_LISTENING, /* local_port 0: the kernel is about to choose it */
	DEED_CLOSED,	/* no listener any more, or released */
	DEED_ESTABLISHED,
	DEED_ENDED,
	DEED_CONNECT_FAILED,
	DEED_MAX,
};

/* A process by what nobody else ever is. */
struct actor {
	int32_t pid;	   /* 0: unknown, or the kernel */
	uint64_t start_ns; /* boot time */
};

struct found_event {
	struct socket socket; /* netns, holder: not set; state: that it has from now on, of what
				 ended the last */
	uint64_t netns_inode;
	uint64_t time_ns;  /* boot time */
	uint64_t since_ns; /* when it was established or opened; 0: it was not seen */
	uint64_t sent, received;
	struct actor holder; /* who opened or dialled; of an accepted one its listener's */
	uint32_t holder_uid; /* as it did it; where the holder is known */
	struct actor closer; /* who closed or shut down last */
	uint8_t deed;
	uint8_t left;	 /* enum state that it left; 0 none */
	bool is_exact;	 /* the holder was seen in its own context */
	bool by_process; /* a process did it, not the network */
	bool is_shut;	 /* by close(), or shut down both ways */
	bool reuses_address;
	bool is_again;	   /* an earlier reader was told of it */
	int error;	   /* of the socket; errno */
	uint16_t had_port; /* of a bind: it is bound already, to that */
};

/* A process that begins a program, or (parent.pid) one that was forked and is as its parent. */
struct found_process {
	struct actor actor, parent;
	int32_t ppid;
	uint32_t uid;
	uint64_t netns_inode;
	const char *name, *exe; /* exe NULL: it cannot be told */
	const char *group;   /* its place in the tree of cgroup2: "/system.slice/a.service"; NULL */
	const char *cmdline; /* arguments that end with NUL each */
	size_t n_cmdline;
	bool exe_deleted;
};

/* Whom records are given to. Each returns 0, or negative errno to end the reading. */
struct event_reader {
	int (*event)(struct event_reader *, const struct found_event *);
	int (*process)(struct event_reader *, const struct found_process *);
};

/* One record of the ring. 0; -EBADMSG where it cannot be one; what the reader said. Pure. */
int event_parse(const void *bytes, size_t n, struct event_reader *reader);

/* ---- the ring ---- */

struct events_wish {
	uint32_t deeds;	      /* 1 << enum deed */
	uint64_t netns;	      /* inode; 0: all */
	size_t ring_size;     /* bytes, a power of two; 0: 8 MiB */
	const char *pin_path; /* folder on a bpffs; NULL: all ends with this process */
	bool acknowledges; /* what was read is kept until events_acknowledge, for the next reader */
};

struct events;

/* Whether it can work at all, and whether each program is taken and attached here. */
bool events_probe(const struct host *host, struct facility *ret);
bool events_try(const struct host *host, struct facility *ret);

/* Attaches, or takes up what is pinned. -EBUSY: another has taken it up. 0 or negative errno with
 * @err told. */
int events_open(const struct host *host, const struct events_wish *wish, struct events **ret,
		struct error *err);
void events_close(struct events *events); /* NULL is fine */

bool events_was_pinned(const struct events *events);
/* Why binds and UDP cannot be seen; "": they can. */
const char *events_blindness(const struct events *events);

/* Readable when a record has come after events_sleep(): for epoll, edge-triggered. */
int events_fd(const struct events *events);
int events_short_fd(const struct events *events); /* a second one, the same; -1: there is none */
/* Hands on what is in the ring, at most @limit records. How many; negative: what the reader said.
 */
int events_read(struct events *events, uint32_t limit, struct event_reader *reader);
/* From now on the next record wakes who waits. False: one has come before that. */
bool events_sleep(struct events *events);

/* How far the ring was read, in bytes since it was made; what is behind it is given back by
 * events_acknowledge, or at once. */
uint64_t events_position(const struct events *events);
/* From now on only what happens in that namespace; 0: in all. */
void events_narrow(struct events *events, uint64_t netns);
/* Which ring it is: the boot time at which it was made. */
uint64_t events_ring(const struct events *events);
/* What was read before @position is not read again by the next reader. */
void events_acknowledge(struct events *events, uint64_t position);
/* What happened up to @position was handed on by an earlier reader, and is not again before
 * @undecided; who processes are is told again. */
void events_skip(struct events *events, uint64_t position, uint64_t undecided);

/* Events that were lost and not told of before: those that found no room, those of nested calls,
 * those of sockets that could not be remembered. */
uint64_t events_take_lost(struct events *events);

#endif
