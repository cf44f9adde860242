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
	struct vector places;  /* uint64_t: inodes of the namespaces that are wanted; none: all */
	struct vector missing; /* struct missing */
	struct vector *early;  /* struct found_event: came before the first listing was told; else
				  NULL */
	int epoll, timer;
	bool watches_stop;
	bool has_come; /* an event, since the turn before */
	bool is_awake;	      /* looked at each 20 ms; else the next record wakes us */
	unsigned n_empty;     /* turns in a row in which nothing came */
	uint64_t now_ns;      /* boot time of this turn */
	int64_t offset_ns;    /* from boot time to Unix time */
	enum told_by told_by; /* what is told now comes from */
	uint64_t details_ns;  /* when the addresses of our namespace were read */
};

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

/* Lists what is open, into the doors and, where that is wished, to the sink. */
int follow_list_standing(struct follow *follow);
/* Another, empty view where the one has grown large. 0 or -ENOMEM. */
int follow_renew_view(struct follow *follow);

uint64_t follow_uptime(void);

#endif
