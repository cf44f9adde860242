/* What the sources found, united: sockets by inode, or by their ends where they have none; holders
 * to their sockets; namespaces and processes once each. Never left-joined to a dump: a socket that
 * only a descriptor or only a dump showed is kept all the same (docs/sources.md). */
#ifndef COLLECT_JOIN_H
#define COLLECT_JOIN_H

#include "base/stop.h"
#include "base/table.h"
#include "collect/tally.h"
#include "model/packed.h"
#include "model/query.h"
#include "source/source.h"

/* A descriptor of a socket that no dump has shown: of another family, or missed by the dump. */
struct stray {
	uint32_t inode;
	int32_t pid, fd;
};

struct join {
	struct sink sink; /* what the sources are given */
	struct snapshot *snapshot;
	struct packed *packed; /* where sockets and their holders are kept; NULL: the snapshot */
	const struct query *query;
	const struct stop *stop; /* once wanted no source is heard any more: -ECANCELED */
	uint32_t current;	 /* index of the namespace being read */
	struct table by_inode;	 /* sockets that have one */
	struct table by_ends;	 /* sockets that have none */
	struct table by_pid;
	uint32_t last_process; /* one process's descriptors come one after another */
	uint32_t last_netns;
	struct vector strays; /* struct stray */
	struct tally tally;
	struct vector doors;  /* struct stray: descriptors that are a namespace; all of each, since
				 that of one who only looks is gone in a moment */
	bool takes_unheld;    /* sockets without a known holder are added; else they only complete
				 others */
	uint32_t n_processes; /* of the census; 0: none was taken */
	bool is_scoped;	      /* what is in a namespace that is not known yet was not asked for */
	uint32_t told_tcp; /* the namespace in which the kernel's own TCP sockets are told; NONE */
	bool has_refused;  /* a process's descriptors could not be read: what nobody seems to hold
			      may be its */
};

/* @snapshot is borrowed. 0 or -ENOMEM. */
int join_init(struct join *join, struct snapshot *snapshot, const struct query *query);
void join_done(struct join *join);

/* Room for @n held sockets, where that is known before. 0 or -ENOMEM. */
int join_reserve(struct join *join, uint32_t n);

/* The index of the namespace with @inode, added where it is new; NONE: no memory. */
uint32_t join_netns(struct join *join, uint64_t inode);
/* The index of the process, added where it is new; NONE: no memory. */
uint32_t join_process(struct join *join, int32_t pid);
/* The index of the socket with @inode, or NONE. */
uint32_t join_find(const struct join *join, uint32_t inode);

/* How many sockets there are. */
static inline uint32_t join_n(const struct join *join)
{
	return join->packed ? packed_n(join->packed) : join->snapshot->sockets.n;
}

/* The sockets one after another; begins as {0}. */
struct join_walk {
	const struct socket *socket; /* holder: to be asked of join_walk_holder() */
	bool is_held;
	uint32_t index; /* in the join */
	uint32_t n;
	struct packed_one one;
};
bool join_walk(const struct join *join, struct join_walk *walk);
/* Its first holder. False: it has none. */
bool join_walk_holder(const struct join *join, const struct join_walk *walk, int32_t *ret_pid,
		      int32_t *ret_fd);

/* What is known of the socket @index by now; STATE_GONE: it is left out. 0 or -ENOMEM. */
int join_change(struct join *join, uint32_t index, const struct socket *socket);
bool join_is_held(const struct join *join, uint32_t index);

/* Gives the strays whose sockets came later to them; the others stay. 0 or negative errno. */
int join_strays(struct join *join);

/* Says of each socket what holds it, and in `missing` how many are unseen. 0 or -ENOMEM. */
int join_settle(struct join *join);

#endif
