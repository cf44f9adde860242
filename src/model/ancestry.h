/* Who started a process, in words. */
#ifndef MODEL_ANCESTRY_H
#define MODEL_ANCESTRY_H

#include "model/snapshot.h"

/* What kind of starter a process is by its name: "an ssh session", "tmux", "cron", "a shell"; NULL:
 * nothing that is known. */
const char *ancestor_word(const struct process *process);

/* What a systemd unit is by its name, "login session 2" for session-2.scope, at @to with NUL; NULL
 * where the name says it already. */
const char *unit_in_words(const char *unit, char *to, unsigned size);

/* The same with what its command line adds, at @to with NUL: "an ssh session of alice on pts/0".
 * False: nothing that is known. */
bool ancestor_words(const struct process *process, char *to, size_t size);

/* It serves one ssh session, whose connection it holds. */
bool ancestor_is_session(const struct process *process);

/* The parent, or NULL where there is none or it was not read (NEED_PARENTS). */
const struct process *process_parent(const struct snapshot *snapshot,
				     const struct process *process);

#endif
