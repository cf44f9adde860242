/* Events that are kept: a snapshot whose sockets are those of events, in order, so that rows,
 * columns, filter and order see them as they see what is listed. Of the k-th socket the k-th event
 * tells; one of the watching itself (lost, gap, started) has a socket that says nothing and whose
 * fields are null. What stood in the way of a refused one follows it as EVENT_STANDING, which is no
 * row (rows_keep_events). */
#ifndef MODEL_EVENTS_H
#define MODEL_EVENTS_H

#include "model/event.h"
#include "model/rows.h"

/* A copy of all that @event borrows, behind the others. @number: of the event, for who follows it;
 * they grow. 0 or -ENOMEM. */
int events_add(struct snapshot *to, const struct event *event, uint64_t number);

/* Those from the @first-th on, sealed, as they are now: who adds to @from may go on, in one thread,
 * while others read. Strings stay those of @from, which lives as long. NULL: no memory. */
struct snapshot *events_view(struct snapshot *from, uint32_t first);

/* The same as a copy of its own, to be added to, without what only older ones needed. NULL: no
 * memory. */
struct snapshot *events_renew(const struct snapshot *from, uint32_t first);

/* Of what rows_select found: no EVENT_STANDING, nothing before @from_ns or behind @until_ns (of
 * Unix time; 0: without a bound). */
void rows_keep_events(struct rows *rows, uint64_t from_ns, uint64_t until_ns);

static inline const struct event *events_at(const struct snapshot *snapshot, uint32_t i)
{
	return (const struct event *)snapshot->events.data + i;
}

#endif
