/* The pass over all processes. */
#include <errno.h>
#include <string.h>

#include "bpf/task.h"
#include "model/field.h"
#include "source/bpf/tasks.h"

#define PATH_SIZE (BPF_TASK_PATH_MAX + BPF_TASK_NAME_MAX + 2)

/* Names that end with NUL, the last of the path first, put together from its end on. NULL: no path.
 */
static const char *join_names(const char *names, size_t n, char *path)
{
	char *at = path + PATH_SIZE - 1;
	*at = '\0';
	for (size_t i = 0; i < n;) {
		size_t length = strnlen(names + i, n - i);
		if (!length || length == n - i || length + 1 > (size_t)(at - path) ||
		    memchr(names + i, '/', length))
			return NULL;
		at -= length;
		memcpy(at, names + i, length);
		*--at = '/';
		i += length + 1;
	}
	if (!*at)
		*--at = '/';
	return at;
}

static int take_one(const struct bpf_task *head, const char *names, task_take *take, void *data)
{
	char name[sizeof(head->name) + 1] = "", exe[PATH_SIZE], cwd[PATH_SIZE];
	memcpy(name, head->name, sizeof(head->name));
	struct found_task found = {
		.pid = head->pid,
		.ppid = head->ppid,
		.start_ns = head->start_ns,
		.groups = head->groups,
		.netns = head->netns,
		.mounts = head->mounts,
		.is_thread = (head->flags & BPF_TASK_THREAD) != 0,
		.uid = head->uid,
		.name = name,
		.exe_deleted = (head->flags & BPF_TASK_EXE_DELETED) != 0,
		.cwd_deleted = (head->flags & BPF_TASK_CWD_DELETED) != 0,
	};
	if (head->flags & BPF_TASK_EXE && !(found.exe = join_names(names, head->exe_size, exe)))
		return -EBADMSG;
	names += head->exe_size;
	if (head->flags & BPF_TASK_CWD && !(found.cwd = join_names(names, head->cwd_size, cwd)))
		return -EBADMSG;
	return take(data, &found);
}

ssize_t tasks_parse(const void *bytes, size_t n, task_take *take, void *data)
{
	size_t at = 0;
	struct bpf_task head;
	while (n - at >= sizeof(head)) {
		const char *record = (const char *)bytes + at;
		memcpy(&head, record, sizeof(head));
		size_t size = sizeof(head) + head.exe_size + head.cwd_size;
		if (size > BPF_TASK_MAX || head.pid <= 0 || head.ppid < 0)
			return -EBADMSG;
		if (n - at < size)
			break;
		int r = take_one(&head, record + sizeof(head), take, data);
		if (r < 0)
			return r;
		at += size;
	}
	return (ssize_t)at;
}

bool tasks_probe(const struct host *host, struct facility *ret)
{
	*ret = (struct facility){.name = "bpf task", .gives = "details of many processes at once"};
	return pass_possible(host, ret);
}

#ifdef HAVE_BPF
#include "tasks.skel.h"

static void destroyp(struct tasks_bpf **program)
{
	if (*program)
		tasks_bpf__destroy(*program);
}

static void destroy(void *program)
{
	tasks_bpf__destroy(program);
}

static struct bpf_tasks_wanted wanted_of(uint32_t needs)
{
	return (struct bpf_tasks_wanted){.exe = (needs & NEED_EXE) != 0,
					 .cwd = (needs & NEED_CWD) != 0};
}

static int load(const struct bpf_tasks_wanted *wanted, struct tasks_bpf **ret)
{
	*ret = tasks_bpf__open();
	if (!*ret)
		return -ENOMEM;
	memcpy((void *)(uintptr_t) & (*ret)->rodata->wanted, wanted, sizeof(*wanted));
	return tasks_bpf__load(*ret);
}

bool tasks_try(const struct host *host, struct facility *ret)
{
	if (!tasks_probe(host, ret))
		return false;
	cleanup(destroyp) struct tasks_bpf *program = NULL;
	struct bpf_tasks_wanted wanted = wanted_of(NEED_EXE | NEED_CWD);
	pass_loaded(load(&wanted, &program), ret);
	return ret->works;
}

struct target {
	task_take *take;
	void *data;
};

static ssize_t parse_bytes(void *data, const void *bytes, size_t n)
{
	struct target *target = data;
	return tasks_parse(bytes, n, target->take, target->data);
}

int tasks_read(struct host *host, uint32_t needs, task_take *take, void *data, struct error *err)
{
	struct bpf_tasks_wanted wanted = wanted_of(needs);
	cleanup(destroyp) struct tasks_bpf *program =
		host_take_program(host, KEPT_TASKS, &wanted, sizeof(wanted));
	int r = program ? 0 : load(&wanted, &program);
	if (r < 0)
		return error_set(err, r, "load the BPF pass over processes");
	struct target target = {take, data};
	r = pass_run(program->progs.tasks.prog_fd, parse_bytes, &target, host->stop);
	host_give_program(host, KEPT_TASKS, TAKE_POINTER(program), &wanted, sizeof(wanted),
			  destroy);
	return r < 0 ? error_set(err, r, "read all processes through BPF") : 0;
}
#else
bool tasks_try(const struct host *host, struct facility *ret)
{
	return tasks_probe(host, ret);
}

int tasks_read(struct host *host unused_argument, uint32_t needs unused_argument,
	       task_take *take unused_argument, void *data unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}
#endif
