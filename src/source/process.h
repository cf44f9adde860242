/* One process: who it is, what it runs, where it stands. From /proc/PID, proc(5). */
#ifndef SOURCE_PROCESS_H
#define SOURCE_PROCESS_H

#include "model/field.h"
#include "source/host.h"

/* What @needs (NEED_STAT, NEED_EXE, NEED_CMDLINE, NEED_CWD, NEED_UID, NEED_CGROUP) asks of @pid
 * into @ret, whose other members stay; strings in the snapshot's arena. A process that ended under
 * way has KNOWN_GONE and what came before. 0 or -ENOMEM. */
int process_read(struct host *host, int32_t pid, uint32_t needs, struct snapshot *snapshot,
		 struct process *ret);

/* /proc/PID/stat: "PID (NAME) STATE PPID ... STARTTIME". 0 or -EBADMSG. Pure. */
int process_parse_stat(const char *text, size_t n, const char **ret_name, size_t *ret_length,
		       int32_t *ret_ppid, uint64_t *ret_start_ticks);

/* What an interpreter runs, of the NUL-separated arguments: its script, module or jar, or NULL.
 * Pure; points into @arguments. */
const char *process_runs(const char *exe, const char *arguments, size_t n);

#endif
