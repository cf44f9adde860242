/* Sockets and who holds them, in the words of a sentence. */
#ifndef WHY_WORDS_H
#define WHY_WORDS_H

#include "why/why.h"

/* "nginx (pid 812, of root)", "nginx (pid 812 and 4 others, of root)", "a process you may not
 * inspect (uid 0)", "the kernel itself", "no process any more". In the diagnosis's arena. */
const char *words_holder(struct inquiry *inquiry, const struct socket *socket);

/* "root", "uid 1000". */
const char *words_user(struct inquiry *inquiry, uint32_t uid);

/* "127.0.0.1:80", "[::]:80". */
const char *words_local(struct inquiry *inquiry, const struct socket *socket);

/* " --netns web" behind a command that is to act in that namespace of the snapshot; "": it is our
 * own. */
const char *words_netns(struct inquiry *inquiry, uint32_t netns);

/* "tcp/8080" or "tcp/127.0.0.1:8080": what other commands take as a TARGET; with --netns where it
 * is in another namespace. */
const char *words_target(struct inquiry *inquiry, const struct socket *socket);

/* The first holder; NULL: none that may be seen. */
const struct process *words_process(const struct inquiry *inquiry, const struct socket *socket);

#endif
