/* Something that happened to a socket, or to the watching itself. What it happened to is a record
 * of a snapshot, so that fields, filter and views see an event's socket as they see a listed one.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

enum event_kind {
	EVENT_STARTED,	      /* every source is attached: the first of a stream; no socket */
	EVENT_OPENED,	      /* bound, or listening */
	EVENT_CLOSED,	      /* what was opened is no more */
	EVENT_ESTABLISHED,    /* a connection, dialled or accepted */
	EVENT_ENDED,	      /* what was established is no more */
	EVENT_REFUSED,	      /* a bind (or a listen) that the kernel refused */
	EVENT_CONNECT_FAILED, /* refused, timed out, no route */
	EVENT_LOST,	      /* @count events are not known; no socket */
	EVENT_GAP,	      /* nobody watched for @duration_ns until now; no socket */
	EVENT_STANDING, /* it is open already as the watching begins: for who keeps a history, never
			   shown */
	EVENT_KNOCK,	/* @count packets came to a door that is closed or filtered */
	EVENT_MAX,
};
extern const char *const event_words[EVENT_MAX + 1]; /* "started", ... "connect_failed" */

/* Exact: the holder was seen in its own context. */
enum sure { SURE_UNASKED, SURE_EXACT, SURE_PROBABLE, SURE_MAX };
extern const char *const sure_words[SURE_MAX + 1]; /* [0] is "" */

/* How a connection ended; aborted: this end sent the RST. */
enum how { HOW_UNKNOWN, HOW_CLOSED, HOW_RESET, HOW_ABORTED, HOW_TIMED_OUT, HOW_DESTROYED, HOW_MAX };
extern const char *const how_words[HOW_MAX + 1]; /* [0] is "" */

/* Who told it. Resync: the difference of two snapshots, after a loss. */
enum told_by { TOLD_BY_BPF, TOLD_BY_NETLINK, TOLD_BY_RESYNC, TOLD_BY_MAX };
extern const char *const told_by_words[TOLD_BY_MAX + 1]; /* "bpf", "netlink", "resync" */

#define EVENT_UNKNOWN UINT64_MAX /* of a length, a time, bytes */

/* Borrowed until the sink returns: who keeps something of it copies. */
struct event {
	uint64_t time_ns;     /* since 1970, for people */
	uint64_t uptime_ns;   /* CLOCK_BOOTTIME, for order and length */
	uint64_t opened_ns;   /* closed, ended: uptime of the opening; 0: it was not seen, and the
				 socket is older than the watching */
	uint64_t duration_ns; /* or EVENT_UNKNOWN */
	uint64_t bytes_sent, bytes_received; /* payload, without SYN and FIN; or EVENT_UNKNOWN */
	uint64_t count;			     /* lost */
	uint64_t number; /* in a list that is kept (model/events.h): they grow; else 0 */
	int error;	 /* refused, connect_failed, ended by an error: errno; 0 none */
	uint8_t kind, sure, how, told_by; /* enum event_kind, sure, how, told_by */
	uint8_t error_sure; /* enum sure: errno was seen, or follows from what was seen */
	const char *why;    /* gap, lost: in words; knock: the kernel's drop reason; or NULL */

	/* The socket, at its last state, with its holder: of refused with EADDRINUSE who holds the
	 * port (@in_the_way is that socket), else who tried. Sealed, with just what is told of. */
	const struct snapshot *snapshot;
	uint32_t socket; /* index; NONE where the event has none */
	uint32_t by;	 /* index of the process that did it, where it is not the holder; or NONE */
	uint32_t in_the_way; /* index of the socket that stood in the way; or NONE */
};

/* "2026-03-01T03:00:00.123456789Z" with NUL, at @to of EVENT_TIME_MAX bytes. Returns the length. */
#define EVENT_TIME_MAX 40
size_t event_time_text(uint64_t time_ns, char *to);
/* It speaks of the watching, not of a socket: whoever filters sees it all the same. */
bool event_is_of_watching(const struct event *event);

static inline const struct socket *event_socket(const struct event *event)
{
	return event->socket == NONE ? NULL : snapshot_socket(event->snapshot, event->socket);
}

/* Where events go. Negative errno ends the stream. Sinks chain. */
struct event_sink {
	int (*event)(struct event_sink *sink, const struct event *event);
};

#endif
