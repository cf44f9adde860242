/* What is new about an event: a door (namespace, protocol, port, executable) that was not seen
 * before, or one that others can reach from now on. */
#ifndef MODEL_NOVELTY_H
#define MODEL_NOVELTY_H

#include "model/event.h"

enum novelty_what { NOVELTY_FIRST_SEEN = 1 << 0, NOVELTY_PUBLIC = 1 << 1 };

struct novelty; /* what was seen so far: at most NOVELTY_MOST doors, then nothing is new */
#define NOVELTY_MOST (1u << 20)

struct novelty *novelty_new(void); /* NULL: no memory */
void novelty_free(struct novelty *novelty);

/* Every opened, closed and standing event, in order. The enum novelty_what bits of it. */
unsigned novelty_event(struct novelty *novelty, const struct event *event);

#endif
