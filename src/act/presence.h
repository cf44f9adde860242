/* Is that very socket still there? Asked of the kernel alone, a fraction of a millisecond: for who
 * waits. */
#ifndef ACT_PRESENCE_H
#define ACT_PRESENCE_H

#include "act/way.h"
#include "source/netns.h"

/* The namespace of the target; NULL: it was not found. */
const struct found_netns *presence_place(const struct acting *acting,
					 const struct identity *target);

/* 1 it is there, 0 it is not, negative errno: it cannot be known. */
int presence_ask(const struct acting *acting, const struct identity *target);

/* The sockets of the target's protocol, port and namespace in @states, to @sink. 0 or negative
 * errno. */
int presence_list(const struct acting *acting, const struct identity *target, uint32_t states,
		  struct sink *sink);

/* What @query's bounds want of one namespace, to @sink. 0 or negative errno. */
int presence_dump(const struct acting *acting, const struct found_netns *place,
		  const struct query *query, struct sink *sink);

/* The same socket: by cookie where both know it, else by inode, else by its ends. */
bool presence_is_same(const struct identity *target, const struct socket *socket);

/* One of the targets of steps that were not refused is there, or may be. */
bool presence_any(const struct acting *acting, struct step *const *steps, uint32_t n);

/* Waits until none of the targets is there, a stop is wanted, or CLOCK_MONOTONIC is @until_ns.
 * Wakes at once when one of the pidfds ends (-1: none). */
void presence_wait(const struct acting *acting, struct step *const *steps, uint32_t n,
		   const int *pidfds, uint32_t n_pidfds, uint64_t until_ns);

#endif
