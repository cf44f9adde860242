/* One process as tasks.bpf.c hands it to user space: this head, then the names of its two paths.
 * Each name ends with NUL and a path begins at its end: "/usr/bin/nginx" is "nginx", "bin", "usr";
 * "/" has none. Numbers in host order. */
#ifndef BPF_TASK_H
#define BPF_TASK_H

#include <linux/types.h>

enum bpf_task_flag {
	BPF_TASK_EXE = 1 << 0, /* its path follows whole; else it is for /proc to say */
	BPF_TASK_EXE_DELETED = 1 << 1,
	BPF_TASK_CWD = 1 << 2,
	BPF_TASK_CWD_DELETED = 1 << 3,
	BPF_TASK_THREAD = 1 << 4, /* of a process told of by itself, in another network namespace */
};

/*  0 start_ns   8 groups  16 mounts  24 pid   28 ppid   32 uid   36 netns
 * 40 name      56 exe_size 58 cwd_size 60 flags 61 unused                   64 */
struct bpf_task {
	__u64 start_ns;	      /* boot time */
	__u64 groups, mounts; /* equal for processes of the same control groups, mount namespace */
	__s32 pid, ppid;
	__u32 uid; /* effective */
	__u32 netns;
	char name[16];
	__u16 exe_size, cwd_size; /* bytes of their names */
	__u8 flags;
	__u8 unused[3];
};
_Static_assert(sizeof(struct bpf_task) == 64, "both sides agree");

#define BPF_TASK_NAME_MAX 256  /* NAME_MAX and NUL */
#define BPF_TASK_PATH_MAX 2048 /* of a longer or deeper path nothing is told */
#define BPF_TASK_DEPTH_MAX 48
#define BPF_TASK_MAX (sizeof(struct bpf_task) + 2 * (BPF_TASK_PATH_MAX + BPF_TASK_NAME_MAX))

/* Which paths are wanted. */
struct bpf_tasks_wanted {
	__u8 exe, cwd;
};

#endif
