/* The tab of events. */
#ifndef TOP_EVENTS_H
#define TOP_EVENTS_H

#include "model/events.h"
#include "top/state.h"

#define EVENT_CELL_MAX 64

/* Whether they are listed just now: after the tab, the pause or the moment is another. */
void events_watch(struct top *top);
/* The list that the tab shows; NULL: none yet. */
const struct snapshot *events_shown(const struct top *top);
void events_take(struct top *top);

const char *events_empty(const struct top *top); /* what stands in place of no row */
void events_info(const struct top *top, struct out *out);

/* What is told shorter here than in a table: the time, lengths, bytes. False: it is not. */
bool events_cell(const struct event *event, const struct field *field, char text[EVENT_CELL_MAX],
		 size_t *ret_n);
uint8_t events_ink(const struct event *event);
char events_sign(const struct event *event);
/* The line of an event that is of no socket. */
void events_tell(const struct event *event, struct out *out);

#endif
