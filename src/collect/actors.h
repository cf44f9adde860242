/* Who did what: the processes of a host as they were when they did it, also those that have ended
 * since. A bounded number is remembered; those that hold something that is open stay. */
#ifndef COLLECT_ACTORS_H
#define COLLECT_ACTORS_H

#include "model/snapshot.h"
#include "source/bpf/events.h"

struct actors;

/* @needs: NEED_ bits of processes. @view is where they are told of, borrowed. NULL: no memory. */
struct actors *actors_new(struct host *host, uint32_t needs, struct snapshot *view);
void actors_free(struct actors *actors); /* NULL is fine */

/* All that run now. 0 or negative errno. */
int actors_read_all(struct actors *actors);
/* A process begins a program, or begins as its parent is. 0 or -ENOMEM. */
int actors_learn(struct actors *actors, const struct found_process *process);

/* The number by which it is remembered; NONE: nobody, or there is no memory. */
uint32_t actors_find(struct actors *actors, struct actor actor);
/* The same, of one that is that user by now. */
uint32_t actors_find_as(struct actors *actors, struct actor actor, uint32_t uid);
/* It is kept as long as it is held. NONE is fine. */
void actors_hold(struct actors *actors, uint32_t number);
void actors_release(struct actors *actors, uint32_t number);

/* Its index in the view, told as far as it is known; NONE: nobody, or there is no memory. */
uint32_t actors_tell(struct actors *actors, uint32_t number);

/* Another view, in which nobody is told of yet; those that are held are taken along from the one
 * before. 0 or -ENOMEM. */
int actors_move(struct actors *actors, struct snapshot *view);

#endif
