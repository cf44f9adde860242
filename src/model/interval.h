/* What a history remembers: what was open from when to when, what happened beside it, and when
 * nobody watched. As in an event, each socket is a record of a snapshot, so fields, filter and
 * views see it as they see a listed one. */
#ifndef MODEL_INTERVAL_H
#define MODEL_INTERVAL_H

#include "base/vector.h"
#include "model/event.h"
#include "model/snapshot.h"

/* Open from @opened to @closed. Dates are Unix time in ns as the clock then said; lengths and order
 * come from the uptime. */
struct interval {
	uint64_t opened_ns, closed_ns; /* closed 0: open still, as far as the record goes */
	uint64_t opened_uptime_ns, closed_uptime_ns;
	uint64_t duration_ns;		     /* of what is open still: until the record's end */
	uint64_t bytes_sent, bytes_received; /* payload, or EVENT_UNKNOWN */
	uint32_t socket;		     /* index in the snapshot beside it */
	uint32_t boot;			     /* uptimes of one boot compare: a number for each */
	uint32_t by;  /* the process that closed it, where it is not the holder; or NONE */
	int error;    /* that ended it, 0 none */
	uint8_t sure; /* enum sure, of the holder */
	uint8_t how;  /* enum how */
	uint8_t opened_told_by, closed_told_by; /* enum told_by */
	bool opened_exact; /* false: it is older, and opened is when the watching began */
	bool closed_exact; /* false: it ended unseen, and closed is when it was last known */
};

/* Nobody watched, or not all of it. */
struct gap {
	uint64_t from_ns, to_ns; /* Unix ns; to 0: until now */
	uint64_t lost;		 /* events, or EVENT_UNKNOWN */
	const char *why;	 /* in words; in the snapshot's arena */
};

/* The clock was set: by how much. */
struct clock_jump {
	uint64_t time_ns, uptime_ns; /* after it */
	int64_t by_ns;		     /* negative: back */
};

/* A door is what others can come to: a listener, or UDP and the like that is bound by number. */
enum door_change_kind { DOOR_NEW, DOOR_GONE, DOOR_PUBLIC, DOOR_HOLDER, DOOR_CHANGE_MAX };
extern const char
	*const door_change_words[DOOR_CHANGE_MAX + 1]; /* "new", "gone", "public", "holder" */

struct door_change {
	uint64_t time_ns;
	uint32_t interval; /* index: as it is now; of a door that is gone, as it was */
	uint32_t before;   /* index: public, holder: as it was; else NONE */
	uint8_t kind;
};

/* A port and an executable by their first appearance. */
struct first_seen {
	uint64_t time_ns;
	bool is_exact;	 /* false: it was there when the watching began */
	uint32_t socket; /* index: as it was then, with that holder */
};

/* A listener that nobody has used. */
struct idle_door {
	uint64_t used_ns; /* the last connection that it took, as far as the record goes; 0: none */
	uint32_t interval; /* index */
};

/* An answer of history. It owns all of it; which vectors are filled depends on the question. */
struct remembered {
	struct snapshot *snapshot; /* sealed, ORIGIN_HISTORY; is_complete and missing are of the
				      whole answer */
	struct vector intervals;   /* struct interval, newest first */
	struct vector events;	   /* struct event, newest first; their snapshot is the one above */
	struct vector gaps;	   /* struct gap, newest first */
	struct vector jumps;	   /* struct clock_jump, newest first */
	struct vector changes;	   /* struct door_change, oldest first */
	struct vector firsts;	   /* struct first_seen, oldest first */
	struct vector idle;	   /* struct idle_door, longest unused first */
	bool is_cut;		   /* there is more than the limit let through */
};

void remembered_init(struct remembered *remembered);
void remembered_done(struct remembered *remembered);

#endif
