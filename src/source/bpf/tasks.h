/* The pass over all processes (iter/task): who each is, what it runs and where, without a file of
 * /proc opened for each. Command lines are not in it: only /proc reads them without ever waiting
 * for what a process has put in their place. */
#ifndef SOURCE_BPF_TASKS_H
#define SOURCE_BPF_TASKS_H

#include "source/bpf/pass.h"

/* A process as found. Strings are the parser's, until the call returns. */
struct found_task {
	int32_t pid, ppid;
	uint64_t start_ns; /* boot time */
	uint64_t groups;   /* equal for processes that are in the same control groups */
	uint32_t netns;	   /* inode */
	uint64_t mounts;   /* equal for processes of the same mount namespace */
	uint32_t uid;	   /* effective */
	const char *name;  /* comm */
	const char *exe;   /* NULL: for /proc to say */
	const char *cwd;   /* NULL: for /proc to say */
	bool exe_deleted, cwd_deleted;
	bool is_thread; /* @pid is a thread in another network namespace than its process */
};

/* 0, or negative errno to end the pass. */
typedef int task_take(void *data, const struct found_task *task);

bool tasks_probe(const struct host *host, struct facility *ret);
bool tasks_try(const struct host *host, struct facility *ret);

/* All processes to @take, kernel threads left out; one whose leader has ended once for each of its
 * threads. NEED_EXE and NEED_CWD of @needs ask for the paths. 0 or negative errno with @err told.
 */
int tasks_read(struct host *host, uint32_t needs, task_take *take, void *data, struct error *err);

/* The whole records (bpf/task.h) at the start of @bytes to @take. How many bytes they were;
 * -EBADMSG where a record cannot be one; what @take said. Pure. */
ssize_t tasks_parse(const void *bytes, size_t n, task_take *take, void *data);

#endif
