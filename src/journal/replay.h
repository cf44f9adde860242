/* What was, before what is: a record told again up to where a stream of events began, without a gap
 * and nothing twice. */
#ifndef JOURNAL_REPLAY_H
#define JOURNAL_REPLAY_H

#include "base/stop.h"
#include "journal/record-of.h"

struct replay_wish {
	struct record_of of;
	const struct filter *filter; /* NULL: all */
	uint64_t since_ns;	     /* Unix ns */
	const struct event *started; /* EVENT_STARTED of the stream that goes on from there */
	bool is_recorded;	     /* as replay_is_recorded said before the stream began */
	const struct stop *stop;     /* breaks the wait off; NULL */
};

/* Somebody records into it now. To be asked before the stream begins: what then is as old as its
 * start, or older, is the record's to tell, and is left out of the stream (replay_tells). */
bool replay_is_recorded(const struct record_of *of);

/* Of an event of the stream: replay_before has told it. */
static inline bool replay_tells(const struct replay_wish *wish, const struct event *event)
{
	return wish->is_recorded && !event_is_of_watching(event) &&
	       event->uptime_ns <= wish->started->uptime_ns;
}

/* From the record to @sink, up to the start. Where nobody records, what is between the record's end
 * and the start is told as a gap. 0; what the sink returned, or negative errno with @err told. */
int replay_before(const struct replay_wish *wish, struct event_sink *sink, struct error *err);

/* From when on until @until_ns there are at most about @most of what is remembered, but not before
 * @since_ns. */
uint64_t replay_since(const struct record_of *of, uint64_t since_ns, uint64_t until_ns,
		      uint32_t most);

#endif
