/* What the parts of the engine of events share. Only for collect/follow*.c. */
#ifndef COLLECT_FOLLOWING_H
#define COLLECT_FOLLOWING_H

#include "collect/doors.h"
#include "collect/follow.h"

struct follow {
	struct event_reader reader; /* first: what the ring's records are given to */
	struct host *host;
	struct follow_wish wish;
	struct event_sink *sink;
	struct error *err;     /* of the turn that runs */
	struct events *events; /* NULL: by netlink */
	struct snapshot *view; /* what events are told of: rewritten for each */
	struct actors *actors;
	struct doors doors;
	struct vector places;	/* uint64_t: inodes of the namespaces that are wanted; none: all */
	struct vector missing;	/* struct missing */
	struct arena texts;	/* of missing */
	struct vector ears;	/* without BPF: sockets that hear of ends */
	struct vector trials;	/* binds that are neither granted nor refused yet */
	struct vector nameless; /* sockets whose port is not known yet */
	struct vector
		*early; /* struct early_event: came before the first listing was told; else NULL */
	bool is_behind; /* the ring was read further than what is told: to told_until */
	uint64_t told_until;
	int epoll, timer;
	bool watches_stop;
	bool has_come;	      /* an event, since the turn before */
	bool is_awake;	      /* looked at each 20 ms; else the next record wakes us */
	unsigned n_empty;     /* turns in a row in which nothing came */
	uint64_t now_ns;      /* boot time of this turn */
	int64_t offset_ns;    /* from boot time to Unix time */
	enum told_by told_by; /* what is told now comes from */
	uint64_t gap_ns;      /* how long nobody watched */
	uint64_t asked_ns; /* when the kernel was asked who holds a port; ahead of now when often */
	uint64_t look_again_ns; /* not before that are the nameless looked up */
	uint64_t resync_ns;	/* when it was resynchronised last */
	bool wants_resync;
	uint64_t details_ns; /* when the addresses of our namespace were read */
};

/* An event that is told later than it was read, and where in the ring it stands. */
struct early_event {
	struct found_event found;
	uint64_t position;
};

/* From now on what is read goes to @early, which is made, until it is told. */
void follow_read_early(struct follow *follow, struct vector *early);
int follow_tell_early(struct follow *follow, const struct vector *early);
/* Up to where events were told, without the one that is being told. */
uint64_t follow_position(const struct follow *follow);

/* What is told: the rest of a struct event. */
struct telling {
	struct event event;
	struct socket socket;
	uint64_t netns; /* inode; 0 none */
	uint32_t actor, by;
	const struct door *in_the_way;
};

/* Puts it into the view and hands it to the sink. What the sink said, or -ENOMEM. */
int follow_tell(struct follow *follow, struct telling *telling);
/* An event without a socket. */
int follow_tell_bare(struct follow *follow, enum event_kind kind, uint64_t count, const char *why);

/* One record, in its order. */
int follow_event(struct follow *follow, const struct found_event *found);

static inline bool follow_wants(const struct follow *follow, enum event_kind kind)
{
	return follow->wish.kinds >> kind & 1;
}
bool follow_wants_place(const struct follow *follow, uint64_t netns);

/* It is bound, or listens, under a port that is known. */
int follow_opened(struct follow *follow, const struct found_event *found);

/* A bind begins; of the socket it was granted, or cannot be any more; those that have waited long
 * enough were refused. */
void follow_trials_init(struct follow *follow);
int follow_tried(struct follow *follow, const struct found_event *found);
int follow_settled(struct follow *follow, uint64_t cookie, bool is_refused);
int follow_decide(struct follow *follow);
/* What an earlier reader told of already: of a bind that it could not tell of yet. */
int follow_try_again(struct follow *follow, const struct found_event *found);
/* From where on in the ring binds are undecided. */
uint64_t follow_undecided(const struct follow *follow);

/* A socket without a port as yet; it has one now, or has gone (@ret: as it began; may be NULL;
 * false: it is none of them); looks for their ports where it is time to; is it time soon? */
void follow_nameless_init(struct follow *follow);
int follow_unnamed(struct follow *follow, const struct found_event *found);
bool follow_named(struct follow *follow, uint64_t cookie, struct found_event *ret);
int follow_look(struct follow *follow);
bool follow_has_nameless(const struct follow *follow);

/* What the ring has, to follow_event or, while there is one, to the list of what came early. How
 * many records; negative errno, or what the sink said. */
int follow_drain(struct follow *follow);
/* Lists what is open and tells of what began and ended unseen, as @told_by. */
int follow_resync(struct follow *follow, enum told_by told_by);
/* That it is there, or gone, as a listing tells it. */
int follow_tell_difference(struct follow *follow, const struct door *door, bool begins);
/* By its first holder; NONE: it has none. */
uint32_t follow_actor_of(struct follow *follow, const struct snapshot *snapshot,
			 const struct socket *socket);
/* Without BPF. */
void follow_ears_init(struct follow *follow);
void follow_ears_done(struct follow *follow);
int follow_start_netlink(struct follow *follow);
int follow_turn_netlink(struct follow *follow);
int follow_add_missing(struct follow *follow, const struct missing *missing);
/* The namespace in the view, with its addresses where they can be had; NULL: it is not known. */
const struct netns *follow_netns(struct follow *follow, uint64_t inode);

/* Lists what is open, into the doors and, where that is wished, to the sink. */
int follow_list_standing(struct follow *follow);

uint64_t follow_uptime(void);

#endif
