/* Every process with its executable and its working directory: one record each, and where the
 * leader has ended one for each thread that is left; one too for a thread that is in another
 * network namespace than its leader.
 *
 * A process may end while it is looked at. All but the task itself is therefore read by helpers
 * that survive a stale pointer, and paths are walked here: bpf_d_path() would follow what such a
 * pointer leads to. For the same reason the command line is left to /proc, which never waits for a
 * file that somebody has put in its place (CVE-2018-1120). */
#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/task.h"

#define PF_KTHREAD 0x00200000

const volatile struct bpf_tasks_wanted wanted = {};

/* One program has one reader at a time: the record is put together here. */
struct {
	struct bpf_task head;
	char text[2 * (BPF_TASK_PATH_MAX + BPF_TASK_NAME_MAX)];
} out = {};

/* A path being walked. In memory of its own and not on the stack, where the verifier would follow
 * every value that it can have. */
struct {
	__u64 dentry, mount;
	__u32 at, end; /* in out.text */
	bool is_done;
} walk = {};

/* One name of a path, or one mount up; 1 ends the loop. See prepend_path() in fs/d_path.c. */
static long walk_step(__u32 i, void *unused)
{
	const struct dentry *dentry = (const struct dentry *)walk.dentry;
	const struct mount *mount = (const struct mount *)walk.mount;

	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		const struct mount *above = BPF_CORE_READ(mount, mnt_parent);
		bool is_top = above == mount;
		walk.is_done = is_top;
		walk.mount = (__u64)above;
		walk.dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
		return is_top;
	}

	const struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	__u32 at = walk.at;
	if (parent == dentry || at >= walk.end || at > sizeof(out.text) - BPF_TASK_NAME_MAX)
		return 1;
	long size = bpf_probe_read_kernel_str(out.text + at, BPF_TASK_NAME_MAX,
					      BPF_CORE_READ(dentry, d_name.name));
	if (size < 2)
		return 1;
	walk.at = at + size;
	walk.dentry = (__u64)parent;
	return 0;
}

/* The names of @path into the record at @at. False: they cannot be told. */
static __always_inline bool put_path(const struct path *path, __u32 at, bool *ret_deleted)
{
	const struct vfsmount *mount = BPF_CORE_READ(path, mnt);
	const struct dentry *dentry = BPF_CORE_READ(path, dentry);
	if (!mount || !dentry)
		return false;

	walk.dentry = (__u64)dentry;
	walk.mount = (__u64)mount - bpf_core_field_offset(struct mount, mnt);
	walk.at = at;
	walk.end = at + BPF_TASK_PATH_MAX;
	walk.is_done = false;
	bpf_loop(BPF_TASK_DEPTH_MAX, walk_step, 0, 0);
	*ret_deleted = !BPF_CORE_READ(dentry, d_hash.pprev) && walk.at > at;
	return walk.is_done;
}

/* Another file by now, or none: then what was read may be anything. */
static __always_inline void put_exe(const struct task_struct *task)
{
	const struct mm_struct *mm = BPF_CORE_READ(task, mm);
	const struct file *file = mm ? BPF_CORE_READ(mm, exe_file) : 0;
	bool is_deleted = false;

	if (!file || !put_path(&file->f_path, 0, &is_deleted) || BPF_CORE_READ(task, mm) != mm ||
	    BPF_CORE_READ(mm, exe_file) != file)
		return;
	out.head.exe_size = walk.at;
	out.head.flags |= BPF_TASK_EXE | (is_deleted ? BPF_TASK_EXE_DELETED : 0);
}

static __always_inline void put_cwd(const struct task_struct *task)
{
	const struct fs_struct *fs = BPF_CORE_READ(task, fs);
	__u16 at = out.head.exe_size;
	bool is_deleted = false;

	if (!fs || !put_path(&fs->pwd, at, &is_deleted) || BPF_CORE_READ(task, fs) != fs)
		return;
	out.head.cwd_size = walk.at - at;
	out.head.flags |= BPF_TASK_CWD | (is_deleted ? BPF_TASK_CWD_DELETED : 0);
}

static __always_inline void put_head(struct bpf_task *head, const struct task_struct *task)
{
	const struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	head->pid = head->flags & BPF_TASK_THREAD ? task->pid : task->tgid;
	head->ppid = BPF_CORE_READ(leader, real_parent, tgid);
	head->start_ns = BPF_CORE_READ(leader, start_boottime);
	head->groups = (__u64)BPF_CORE_READ(task, cgroups);
	head->uid = BPF_CORE_READ(task, real_cred, euid.val);
	head->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	head->mounts = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	bpf_core_read_str(head->name, sizeof(head->name), &leader->comm);
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	if (!task || task->flags & PF_KTHREAD || task->exit_state)
		return 0;
	out.head = (struct bpf_task){};
	if (task->pid != task->tgid && !BPF_CORE_READ(task, group_leader, exit_state)) {
		if (BPF_CORE_READ(task, nsproxy, net_ns) ==
		    BPF_CORE_READ(task, group_leader, nsproxy, net_ns))
			return 0;
		out.head.flags = BPF_TASK_THREAD;
	}
	put_head(&out.head, task);
	if (wanted.exe)
		put_exe(task);
	if (wanted.cwd)
		put_cwd(task);
	__u32 size = (__u32)out.head.exe_size + out.head.cwd_size;
	if (size <= sizeof(out.text))
		bpf_seq_write(ctx->meta->seq, &out, sizeof(out.head) + size);
	return 0;
}

char program_license[] SEC("license") = "GPL";
