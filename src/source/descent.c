/* Descendants of a process. The kernel lists the children of each thread (proc_pid_task(5)): that
 * is a read or two where a look at the parent of every process is hundreds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/numbers.h"
#include "source/descent.h"
#include "source/proc.h"
#include "source/process.h"

#define DESCENDANTS_MAX 4096
#define CHILDREN_SIZE 65536

void descent_init(struct descent *descent, struct host *host)
{
	*descent = (struct descent){.host = host};
	vector_init(&descent->relations, sizeof(struct relation));
}

void descent_done(struct descent *descent)
{
	vector_done(&descent->relations);
}

int32_t descent_parent(const struct host *host, int32_t pid, char *name)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	if (n <= 0 || process_parse_stat(text, (size_t)n, &stat) < 0)
		return 0;
	snprintf(name, 64, "%.*s", (int)stat.n_name, stat.name);
	return stat.ppid;
}

static int add(struct vector *pids, int32_t pid)
{
	int32_t *added = pids->n < DESCENDANTS_MAX ? vector_add(pids) : NULL;
	if (!added)
		return -ENOMEM;
	*added = pid;
	return 0;
}

/* "12 15 90 " */
static int add_children(struct vector *pids, const char *text)
{
	int r = 0;
	const char *at = text, *end = text + strlen(text);
	for (uint64_t pid; r >= 0 && number_scan(&at, end, 10, &pid) == 0;) {
		r = pid && pid <= INT32_MAX ? add(pids, (int32_t)pid) : 0;
		at += strspn(at, " \n");
	}
	return r;
}

/* -ENOENT: the process is gone, or the kernel has no such lists. */
static int list_children(const struct host *host, int32_t pid, struct vector *pids)
{
	int fd = host_openat(host, O_RDONLY | O_DIRECTORY, "proc/%d/task", pid);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	int r = -ENOENT;
	if (!directory) {
		closep(&fd);
		return r;
	}
	for (struct dirent *entry; r != -ENOMEM && (entry = readdir(directory));) {
		cleanup(freep) char *text = NULL;
		uint32_t tid;
		if (number_u32(entry->d_name, 1, INT32_MAX, &tid) == 0 &&
		    host_read_all(host, &text, CHILDREN_SIZE, "proc/%d/task/%u/children", pid,
				  tid) >= 0)
			r = add_children(pids, text);
	}
	closedir(directory);
	return r;
}

static int read_relations(struct descent *descent)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	int r = proc_pids(descent->host, &pids);
	descent->is_read = true;
	for (uint32_t i = 0; r >= 0 && i < pids.n; i++) {
		char name[64];
		int32_t pid = *(int32_t *)vector_at(&pids, i),
			ppid = descent_parent(descent->host, pid, name);
		struct relation *relation = ppid > 0 ? vector_add(&descent->relations) : NULL;
		if (relation)
			*relation = (struct relation){pid, ppid};
	}
	return r;
}

static int find_children(struct descent *descent, int32_t pid, struct vector *pids)
{
	int r = descent->is_read ? -ENOENT : list_children(descent->host, pid, pids);
	char name[64];
	if (r != -ENOENT || !descent_parent(descent->host, pid, name))
		return r;
	r = descent->is_read ? 0 : read_relations(descent);
	for (uint32_t i = 0; r >= 0 && i < descent->relations.n; i++) {
		const struct relation *relation = vector_at(&descent->relations, i);
		if (relation->ppid == pid)
			r = add(pids, relation->pid);
	}
	return r;
}

int32_t descent_find(struct descent *descent, int32_t pid, bool (*is_it)(void *data, int32_t pid),
		     void *data)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	find_children(descent, pid, &pids);
	for (uint32_t i = 0; i < pids.n; i++) {
		int32_t found = *(int32_t *)vector_at(&pids, i);
		if (is_it(data, found))
			return found;
		find_children(descent, found, &pids);
	}
	return 0;
}
