/* One process: who it is, what it runs, where it stands. From /proc/PID, proc(5). */
#ifndef SOURCE_PROCESS_H
#define SOURCE_PROCESS_H

#include "model/field.h"
#include "source/cgroup.h"
#include "source/host.h"

/* What @needs (NEED_STAT, NEED_EXE, NEED_CMDLINE, NEED_CWD, NEED_UID, NEED_CGROUP) asks of @pid,
 * and its command line too where NEED_RUNS or NEED_ANSWERS can have something of it, into @ret,
 * whose other members stay; strings in the snapshot's arena. A process that ended under way has
 * KNOWN_GONE and what came before. 0 or -ENOMEM. */
int process_read(struct host *host, int32_t pid, uint32_t needs, struct snapshot *snapshot,
		 struct process *ret);

/* Is the command line asked for, of one whose name and executable are known? Pure. */
bool process_speaks(const struct process *process, uint32_t needs);

/* Arguments that end with NUL each, as the process's command line and, of an interpreter whose
 * executable is known, what it runs. @text has a NUL behind its @n bytes and is changed. 0 or
 * -ENOMEM. */
int process_keep_cmdline(struct arena *arena, char *text, size_t n, struct process *ret);
/* The index of the container in the snapshot, added where it is new; NONE: no memory. */
uint32_t process_container(struct snapshot *snapshot, const struct cgroup_place *place);

struct process_stat {
	const char *name; /* in the text, of n_name bytes */
	size_t n_name;
	char state; /* 'R', 'S', 'Z', ... */
	int32_t ppid;
	uint64_t start_ticks;
};

/* /proc/PID/stat: "PID (NAME) STATE PPID ... STARTTIME". 0 or -EBADMSG. Pure. */
int process_parse_stat(const char *text, size_t n, struct process_stat *ret);

/* Which program it runs since its last execve(2), by where the kernel put code and stack (fields 26
 * to 28): a word to compare, and 0 where it may not be seen. Pure. */
uint64_t process_parse_program(const char *text, size_t n);

/* It is being torn down: it was killed, or has begun to exit. It keeps its descriptors until its
 * memory is taken apart (do_exit in the kernel's kernel/exit.c). False, too, of one that is gone.
 */
bool process_is_dying(const struct host *host, int32_t pid);
/* The same of the texts of its stat and status. Pure. */
bool process_parse_dying(const char *stat, const char *status);

#endif
