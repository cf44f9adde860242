/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup: a holder in a control group of any path, in the hierarchy that is wanted. */
#include <errno.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

static const struct option options[] = {
	{"path", "PATH", "/scene",
	 "of the group, such as /docker/ID; made, and removed at the end"},
	{"hierarchy", "v2|systemd|CONTROLLER", "v2", "which: version 2, or one of version 1"},
	{0},
};

static bool is_wanted(const struct mntent *entry, const char *hierarchy)
{
	char named[64];

	if (strcmp(hierarchy, "v2") == 0)
		return strcmp(entry->mnt_type, "cgroup2") == 0;
	snprintf(named, sizeof(named), "name=%s", hierarchy);
	return strcmp(entry->mnt_type, "cgroup") == 0 &&
	       (hasmntopt(entry, hierarchy) || hasmntopt(entry, named));
}

static void find_mount(const char *hierarchy, char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");

	if (!mounts)
		fail("read the mounts");
	*ret = '\0';
	for (struct mntent *entry; !*ret && (entry = getmntent(mounts));)
		if (is_wanted(entry, hierarchy))
			snprintf(ret, size, "%s", entry->mnt_dir);
	endmntent(mounts);
	errno = ENOSYS;
	if (!*ret)
		fail("no mount of the cgroup hierarchy %s", hierarchy);
}

static void remove_group(const char *path)
{
	for (int i = 0; i < 5000; i++) { /* busy while a killed process is still in it */
		if (rmdir(path) == 0 || errno != EBUSY)
			return;
		pause_shortly();
	}
}

static void make_groups(struct stage *stage, char *path, size_t prefix)
{
	for (char *slash = strchr(path + prefix + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0755) == 0)
			stage_undo(stage, remove_group, path);
		else if (errno != EEXIST)
			fail("make the group %s", path);
		if (!slash)
			return;
		*slash = '/';
	}
}

static void enter(struct stage *stage, void *arg, void *report)
{
	char file[4200];

	(void)stage;
	snprintf(file, sizeof(file), "%s/cgroup.procs", (const char *)arg);
	FILE *procs = fopen(file, "w");
	if (!procs || fprintf(procs, "0\n") < 0 || fclose(procs) != 0)
		fail("enter %s", file);
	made_look(report, "listener", socket_listen("127.0.0.1", 0, 16));
}

static void run(struct stage *stage)
{
	struct made made;
	char path[4096];

	find_mount(stage_word(stage, "hierarchy"), path, sizeof(path));
	size_t prefix = strlen(path);
	snprintf(path + prefix, sizeof(path) - prefix, "%s", stage_word(stage, "path"));
	errno = EINVAL;
	if (path[prefix] != '/' || strstr(path + prefix, ".."))
		fail("--path %s", path + prefix);
	make_groups(stage, path, prefix);
	child_start(stage, enter, path, &made, sizeof(made));
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", ntohs(((const struct sockaddr_in *)&made.local)->sin_port));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
	json_string(&stage->keys, "cgroup", path + prefix);
}

const struct scene scene_cgroup = {
	.name = "cgroup",
	.summary = "a holder in a control group of a container engine's kind",
	.options = options,
	.run = run,
};
