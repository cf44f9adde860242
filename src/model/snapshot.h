/* What a host's sockets were at one moment. One owner until it is sealed; then const and shared.
 * It owns all that it points to. */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vector.h"
#include "model/missing.h"
#include "model/netns.h"
#include "model/process.h"
#include "model/flows.h"
#include "model/since.h"
#include "model/socket.h"

enum origin { ORIGIN_HOST, ORIGIN_FILE, ORIGIN_HISTORY, ORIGIN_MAX };

/* Who answers at a socket that somebody holds for another: a published port's container, the
 * service behind a .socket unit. */
struct answer_for {
	uint32_t socket;	 /* index */
	uint32_t container;	 /* index, or NONE */
	uint32_t process;	 /* that will answer there, or NONE */
	const char *unit;	 /* "foo.service", or NULL */
	const char *socket_unit; /* "foo.socket", through which systemd holds it; or NULL */
};

struct user {
	uint32_t uid;
	const char *name; /* NULL: has none */
};

struct difference;

struct snapshot {
	const char *host, *boot_id;
	double time; /* Unix seconds */
	uint64_t uptime_ns;
	enum origin origin;
	const char *origin_name; /* the file, or NULL */
	bool is_complete, is_sealed,
		is_privileged; /* privileged: it could look at others' descriptors */
	uint32_t states;    /* 1 << enum state: which were asked for; 0: all, or it is not known */
	uint32_t collected; /* NEED_ bits that were asked for and are filled */
	struct vector sockets;	  /* struct socket */
	struct vector holders;	  /* struct holder */
	struct vector processes;  /* struct process */
	struct vector netns;	  /* struct netns */
	struct vector containers; /* struct container */
	struct vector users;	  /* struct user, sorted by uid once sealed */
	struct vector missing;	  /* struct missing */
	struct vector tcp_infos;  /* struct tcp_info_part */
	struct vector answers;	  /* struct answer_for, sorted by socket once sealed */
	struct vector events;	  /* struct event, of each socket one: model/events.h; empty: it is
				     a listing */
	uint32_t *peers; /* for each socket the index of the other end within this host, or NONE;
			    NULL unless NEED_PEERS */
	uint32_t n_peers;
	uint32_t *peer_processes; /* the same for its process, where a saved file tells it: the
				     other end need not be in the file; NULL: by peers */
	struct flows *flows;	  /* NULL: there was no snapshot before, or nobody asked */
	struct counts counts;	  /* of each socket what tcp_infos would have; empty: it does not */
	/* from the one before, which may be gone: only which it was is of use. NULL: nobody did */
	struct difference *difference;
	struct since *since; /* what became of the sockets since the one before; NULL: the same */
	const struct services *services; /* of model/services.h; the registry alone where NULL */
	struct snapshot *texts_of;	 /* held: strings are in its arena; NULL: in its own */
	struct arena arena;
	atomic_uint n_owners; /* who hold it; see snapshot_hold */
};

struct snapshot *snapshot_new(void); /* NULL: no memory. One owner: the caller */
/* The caller owns it no more; with the last owner it goes. NULL is fine. */
void snapshot_free(struct snapshot *snapshot);

/* A sealed snapshot may have several owners, in any thread: each that holds it releases it once.
 * Returns @snapshot. */
const struct snapshot *snapshot_hold(const struct snapshot *snapshot);
void snapshot_release(const struct snapshot *snapshot); /* NULL is fine */

int snapshot_take_peers(struct snapshot *snapshot); /* of all, each NONE. 0 or -ENOMEM */
void snapshot_drop_peers(struct snapshot *snapshot);

/* Each returns the index, or NONE when there is no memory. */
uint32_t snapshot_add_socket(struct snapshot *snapshot, const struct socket *socket);
uint32_t snapshot_add_holder(struct snapshot *snapshot, uint32_t socket, uint32_t process,
			     int32_t fd);
int snapshot_add_missing(struct snapshot *snapshot,
			 const struct missing *missing); /* equal ones add up */

static inline const struct socket *snapshot_socket(const struct snapshot *s, uint32_t i)
{
	return (const struct socket *)s->sockets.data + i;
}
static inline const struct holder *snapshot_holder(const struct snapshot *s, uint32_t i)
{
	return i == NONE ? NULL : (const struct holder *)s->holders.data + i;
}
static inline const struct process *snapshot_process(const struct snapshot *s, uint32_t i)
{
	return i == NONE ? NULL : (const struct process *)s->processes.data + i;
}
static inline const struct netns *snapshot_netns(const struct snapshot *s, uint32_t i)
{
	return i == NONE ? NULL : (const struct netns *)s->netns.data + i;
}
static inline const struct container *snapshot_container(const struct snapshot *s, uint32_t i)
{
	return i == NONE ? NULL : (const struct container *)s->containers.data + i;
}

const char *snapshot_user(const struct snapshot *snapshot, uint32_t uid); /* or NULL */
/* What went over a TCP connection so far; false: it is not known. */
bool snapshot_counts(const struct snapshot *snapshot, uint32_t socket, struct byte_counts *ret);
const struct answer_for *snapshot_answer(const struct snapshot *snapshot,
					 uint32_t socket); /* or NULL */

/* The memory that it has, about. */
size_t snapshot_size(const struct snapshot *snapshot);

/* The namespace that the program runs in; NULL where it is not in the snapshot. Its index in
 * *@index (may be NULL). */
const struct netns *snapshot_own_netns(const struct snapshot *snapshot, uint32_t *index);

/* Works out what follows from the whole (roles, peers, two owners, completeness), sorts users;
 * const from here on. 0 or -ENOMEM. */
int snapshot_seal(struct snapshot *snapshot);

#endif
