/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that fool: of processes, command lines, executables. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

static const struct {
	const char *kind, *name;
} bad_names[] = {
	{"spaces", "my web server"},
	{"newline", "two\nlines"},
	{"escape", "\033[31mred\033[0m"},
	{"bytes", "\xff\xfe\x80z"},
	{"brackets", "a) R 1 (b"},
	{"tab", "tab\there"},
	{"empty", ""},
	{"cut", "fourteen-bytes\xc3\xa9"}, /* é is cut in two at 15 bytes */
	{"quotes", "a\"b\\c"},
};

/* A right-to-left override, C1's CSI as UTF-8 and as a byte, a newline. */
#define BAD_COMMAND                  \
	"/srv/\u202etxt.exe\xc2\x9b" \
	"31m\x9b\n\033]0;title\a"

static void say_listener(struct stage *stage)
{
	struct made made;
	int fd = socket_listen("127.0.0.1", 0, 16);

	made_look(&made, "listener", fd);
	stage_held(stage, &made);
	json_uint(&stage->keys, "port", socket_port(fd));
	json_uint(&stage->keys, "inode", made.inode);
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
}

static const struct option bad_options[] = {
	{"kind", "KIND", "escape",
	 "spaces, newline, escape, bytes, brackets, tab, empty, cut, quotes"},
	{0},
};

static void run_bad_name(struct stage *stage)
{
	const char *name = NULL;

	exec_self_as(stage, NULL, BAD_COMMAND);
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		if (stage_is(stage, "kind", bad_names[i].kind))
			name = bad_names[i].name;
	errno = EINVAL;
	if (!name)
		fail("--kind %s", stage_word(stage, "kind"));
	prctl(PR_SET_NAME, name);
	char now[16] = "";
	prctl(PR_GET_NAME, now);
	json_hex(&stage->keys, "name_hex", now, strlen(now));
	json_hex(&stage->keys, "argv0_hex", BAD_COMMAND, strlen(BAD_COMMAND));
	say_listener(stage);
}

static const struct option exe_options[] = {
	{"kind", "deleted|replaced|so-called", "deleted",
	 "its file is gone; another has its place; or it is there, and its name ends in ` "
	 "(deleted)`"},
	{0},
};

static void copy_self(const char *path)
{
	struct stat st;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		fail("copy the program to %s", path);
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n <= 0)
			fail("copy the program to %s", path);
		left -= n;
	}
	close(from);
	close(to);
}

static void remove_path(const char *path)
{
	if (remove(path) < 0 && errno != ENOENT)
		fprintf(stderr, "scene: %s remains: %s\n", path, strerror(errno));
}

#define COPY "the-copy"

/* The folder of the copy that we are, or NULL: this is the first start. */
static const char *copy_folder(char own[static 4096])
{
	ssize_t n = readlink("/proc/self/exe", own, 4095);

	own[n < 0 ? 0 : n] = '\0';
	char *slash = strrchr(own, '/');
	if (!slash || strncmp(slash + 1, COPY, strlen(COPY)) != 0)
		return NULL;
	*slash = '\0';
	return own;
}

static void run_deleted(struct stage *stage)
{
	char own[4096], folder[] = "/tmp/scene-XXXXXX", path[4200];
	bool so_called = stage_is(stage, "kind", "so-called");
	const char *suffix = so_called ? " (deleted)" : "";
	const char *here = copy_folder(own);

	if (!here) {
		if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
			fail("make a folder in /tmp");
		snprintf(path, sizeof(path), "%s/%s%s", folder, COPY, suffix);
		copy_self(path);
		execv(path, stage->argv);
		fail("start the copy");
	}
	stage_undo(stage, remove_path, here);
	snprintf(path, sizeof(path), "%s/%s%s", here, COPY, suffix);
	stage_undo(stage, remove_path, path);
	if (!so_called)
		remove_path(path);
	if (stage_is(stage, "kind", "replaced")) {
		snprintf(path, sizeof(path), "%s/%s", here, COPY);
		copy_self(path);
	}
	json_string(&stage->keys, "exe", path);
	say_listener(stage);
}

const struct scene scene_bad_name = {
	.name = "bad-name",
	.summary = "a holder whose name and command line hold what a terminal would obey",
	.options = bad_options,
	.run = run_bad_name,
};

const struct scene scene_deleted_exe = {
	.name = "deleted-exe",
	.summary = "a holder whose executable was deleted after its start",
	.options = exe_options,
	.run = run_deleted,
};
