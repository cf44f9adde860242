/* The engine of events: from the kernel's programs and dumps to one stream (model/event.h), with
 * the holders of what happened, and with what was lost told and mended. */
#ifndef COLLECT_FOLLOW_H
#define COLLECT_FOLLOW_H

#include <stddef.h>

#include "base/error.h"
#include "base/stop.h"
#include "model/event.h"
#include "model/query.h"
#include "source/host.h"

/* A place in a ring: which, by the boot time at which it was made, and how far; and from where on a
 * bind may be refused that is not told yet. To be kept with what was made of the events until
 * there.
 */
struct follow_mark {
	uint64_t ring, position, undecided;
};

struct follow_wish {
	struct netns_scope scope;
	enum source_choice source; /* auto; bpf; proc: netlink's destroy groups and differences */
	uint32_t needs;		   /* NEED_ bits: what of sockets and processes will be asked for */
	uint32_t kinds; /* 1 << enum event_kind; what nobody wants is not asked of the kernel */
	const char *pin_path; /* folder on a bpffs where links and ring stay between runs; NULL */
	bool acknowledges; /* follow_acknowledge is called: what came before a kill comes again */
	struct follow_mark mark; /* what was handed on until there is not handed on again; {0} */
	size_t ring_size;	 /* bytes, a power of two; 0: as is good here */
};

struct follow;

/* Attaches every source, hands EVENT_STANDING for each socket that is open already (where wished)
 * and then EVENT_STARTED to @sink, which is borrowed for the life of the follow, as @wish's strings
 * are. Meanwhile *@ret is there for follow_mark. What this way cannot see stands in follow_missing.
 * 0 or negative errno with @err told. */
int follow_start(struct host *host, const struct follow_wish *wish, struct event_sink *sink,
		 struct follow **ret, struct error *err);
/* Detaches, but what is pinned. NULL is fine. */
void follow_free(struct follow *follow);

/* An epoll descriptor, readable when there is something to hand on. */
int follow_fd(const struct follow *follow);
/* Waits at most @timeout_ms (-1: until something comes, or @stop) and hands what came to the sink.
 * 0; what the sink returned, or negative errno with @err told. */
int follow_turn(struct follow *follow, int timeout_ms, const struct stop *stop, struct error *err);

/* Up to where events were handed on; while the sink is called, before the one that it is called
 * for. {0} without BPF, and of NULL. */
struct follow_mark follow_mark(const struct follow *follow);
/* What was handed on until now is kept by who took it: the ring may forget it, but for binds that
 * are not decided. */
void follow_acknowledge(struct follow *follow);

/* struct missing each: what this host, privilege or way does not let be seen. */
const struct vector *follow_missing(const struct follow *follow);
/* By which way it goes: TOLD_BY_BPF or TOLD_BY_NETLINK. */
enum told_by follow_way(const struct follow *follow);

#endif
